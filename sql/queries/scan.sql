-- What a walk saw, against what is known.

-- name: reserve_dirs
-- Ids for folders that a walk is about to list: unique among all daemons of the database.
SELECT nextval('dir_id') FROM generate_series(1, $1::integer);

-- name: dirs_of_root
-- Every folder of a root with its digest, a page by id: the walk skips what did not change.
SELECT id, parent, name, digest FROM dir WHERE root = $1::bigint AND id > $2::bigint ORDER BY id LIMIT 2000;

-- name: put_dirs
-- Folders of one message of a walk: new ones, and new digests of known ones. $1: [{i, r, p, n, g, x}].
INSERT INTO dir (id, root, parent, name, digest, problem)
SELECT e.i, e.r, e.p, decode(e.n, 'hex'), decode(e.g, 'hex'), e.x
FROM jsonb_to_recordset($1::jsonb) AS e(i bigint, r bigint, p bigint, n text, g text, x text)
ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, problem = excluded.problem;

-- name: list_files
-- Names of one message of a walk, compared with the known ones in one statement: new names get a stream and a place in
-- the queue, changed and returned ones go back into it, unchanged ones cost no write. $1: [{d, n, t, s, m, c, i, o, l,
-- u, k, w, f, r, x}], $2 now, $3 host, $4 root. Returns how many were new, changed, returned.
WITH entry AS MATERIALIZED (
    SELECT e.d AS dir, decode(e.n, 'hex') AS name, e.t AS type, e.s AS size, e.m AS mtime_ns, e.c AS ctime_ns,
           e.i AS inode, e.o AS mode, e.l AS nlink, e.u AS stream, e.k AS kind, e.w AS words, e.f AS folded,
           e.r AS reversed, decode(e.x, 'hex') AS target
    FROM jsonb_to_recordset($1::jsonb) AS e(d bigint, n text, t text, s bigint, m bigint, c bigint, i bigint, o integer,
                                            l bigint, u uuid, k text, w text, f text, r text, x text)
), known AS (
    SELECT e.*, f.id AS file, f.stream AS old_stream, f.missing_since_ns IS NOT NULL AS returned,
           (f.type, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.nlink) IS DISTINCT FROM
           (e.type, e.size, e.mtime_ns, e.ctime_ns, e.inode, e.nlink) AS changed,
           (f.type, f.size, f.mtime_ns, f.inode) IS DISTINCT FROM (e.type, e.size, e.mtime_ns, e.inode) AS rewritten
    FROM entry e LEFT JOIN file f ON f.dir = e.dir AND f.name = e.name
), minted AS (
    INSERT INTO stream (id, created_ns) SELECT stream, $2::bigint FROM known WHERE file IS NULL ON CONFLICT DO NOTHING
), added AS (
    INSERT INTO file (dir, name, type, kind_guess, stream, size, mtime_ns, ctime_ns, inode, mode, nlink, target, first_seen_ns)
    SELECT dir, name, type, kind, stream, size, mtime_ns, ctime_ns, inode, mode, nlink, target, $2::bigint
    FROM known WHERE file IS NULL
    ON CONFLICT (dir, name) DO NOTHING
    RETURNING id, dir, name, type, stream
), touched AS (
    UPDATE file f SET type = k.type, size = k.size, mtime_ns = k.mtime_ns, ctime_ns = k.ctime_ns, inode = k.inode,
                      mode = k.mode, nlink = k.nlink, target = k.target, missing_since_ns = NULL
    FROM known k WHERE f.id = k.file AND (k.changed OR k.returned)
    RETURNING f.id, f.type, f.stream, k.changed, k.returned, k.rewritten, k.words,
              NOT EXISTS (SELECT FROM reading r WHERE r.file = f.id) AS unread
), text AS (
    INSERT INTO file_text (file, words, folded, reversed)
    SELECT a.id, array_to_tsvector(string_to_array(e.words, ' ')), e.folded, e.reversed
    FROM added a JOIN entry e ON e.dir = a.dir AND e.name = a.name WHERE a.type <> 'f'
), queued AS (
    INSERT INTO todo (file, root, words)
    SELECT a.id, $4::bigint, array_to_tsvector(string_to_array(e.words, ' '))
    FROM added a JOIN entry e ON e.dir = a.dir AND e.name = a.name WHERE a.type = 'f'
    UNION ALL
    SELECT id, $4::bigint, CASE WHEN unread THEN array_to_tsvector(string_to_array(words, ' ')) END
    FROM touched WHERE type = 'f' AND (changed OR unread)
    ON CONFLICT (file) DO UPDATE SET attempts = 0, not_before_ns = 0
    RETURNING file
), seen AS (
    SELECT stream, 'added' AS action FROM added
    UNION ALL
    SELECT stream, CASE WHEN returned THEN 'returned' ELSE 'changed' END FROM touched WHERE returned OR rewritten
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM seen) WHERE EXISTS (SELECT FROM seen) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', s.stream::text, s.action, '{}'::jsonb
    FROM seen s, numbered n
)
SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM touched WHERE changed), (SELECT count(*) FROM touched WHERE returned),
       (SELECT count(*) FROM queued);

-- name: unseen_files
-- Present files that a walk did not see again, with their folders. $1: [{d, lo, hi}] ranges of names that were listed
-- completely, $2: [{d, n}] the names seen in them.
WITH span AS (
    SELECT r.d AS dir, decode(r.lo, 'hex') AS lo, decode(r.hi, 'hex') AS hi
    FROM jsonb_to_recordset($1::jsonb) AS r(d bigint, lo text, hi text)
), seen AS (
    SELECT e.d AS dir, decode(e.n, 'hex') AS name FROM jsonb_to_recordset($2::jsonb) AS e(d bigint, n text)
)
SELECT f.id, f.dir FROM file f JOIN span s ON f.dir = s.dir
WHERE f.missing_since_ns IS NULL
  AND (s.lo IS NULL OR f.name > s.lo) AND (s.hi IS NULL OR f.name <= s.hi)
  AND NOT EXISTS (SELECT FROM seen e WHERE e.dir = f.dir AND e.name = f.name);

-- name: digest_dirs
-- The digests of folders that had lost files, now that these are marked. $1: [{i, g}].
UPDATE dir SET digest = decode(e.g, 'hex')
FROM jsonb_to_recordset($1::jsonb) AS e(i bigint, g text) WHERE dir.id = e.i;

-- name: miss_files
-- Files that are gone. $1 json list of files, $2 now, $3 host.
WITH gone AS (
    UPDATE file f SET missing_since_ns = $2::bigint
    WHERE f.id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) AND f.missing_since_ns IS NULL
    RETURNING f.id, f.stream
), unqueued AS (
    DELETE FROM todo t USING gone g WHERE t.file = g.id
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM gone) WHERE EXISTS (SELECT FROM gone) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', g.stream::text, 'missing', '{}'::jsonb
    FROM gone g, numbered n
)
SELECT count(*) FROM gone;

-- name: miss_dirs
-- Folders that are gone: their files are missing; their digest too, so that a return is seen. $1 json list of ids.
WITH lost AS (
    UPDATE dir SET digest = NULL WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) RETURNING id
), gone AS (
    UPDATE file f SET missing_since_ns = $2::bigint FROM lost l
    WHERE f.dir = l.id AND f.missing_since_ns IS NULL RETURNING f.id, f.stream
), unqueued AS (
    DELETE FROM todo t USING gone g WHERE t.file = g.id
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM gone) WHERE EXISTS (SELECT FROM gone) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', g.stream::text, 'missing', '{}'::jsonb
    FROM gone g, numbered n
)
SELECT count(*) FROM gone;

-- name: present_count
-- How many names of a root are present: what a walk that lost too many is measured against.
SELECT count(*) FROM file f JOIN dir d ON d.id = f.dir WHERE d.root = $1::bigint AND f.missing_since_ns IS NULL;

-- name: present_in_dirs
-- How many names are present in these folders. $1 json list of ids.
SELECT count(*) FROM file WHERE missing_since_ns IS NULL
AND dir IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));
