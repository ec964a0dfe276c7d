-- What a walk saw, against what is known.

-- name: reserve_dirs
-- Ids for folders that a walk is about to list: unique among all daemons of the database.
SELECT nextval('dir_id') FROM generate_series(1, $1::integer);

-- name: dirs_of_root
-- Every folder of a root with its digest, a page by id: the walk skips what did not change.
SELECT id, parent, name, digest, inode, mtime_ns FROM dir WHERE root = $1::bigint AND id > $2::bigint ORDER BY id LIMIT 2000;

-- name: dirs_on_paths, by key
-- The folders from the top of a root down along paths, as far as they are known: the number of the path, and a folder.
-- $1 root, $2 json list of paths, each a list of hex names: some hundred at most, for they are joined one by one.
WITH RECURSIVE path AS MATERIALIZED (
    SELECT ordinality AS number, value AS names FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY
), down(number, id, depth) AS (
    SELECT p.number, d.id, 0 FROM path p, dir d WHERE d.root = $1::bigint AND d.parent IS NULL
    UNION ALL
    SELECT w.number, d.id, w.depth + 1
    FROM down w JOIN path p ON p.number = w.number AND w.depth < jsonb_array_length(p.names)
    JOIN dir d ON d.root = $1::bigint AND d.parent = w.id AND d.name = decode(p.names ->> w.depth, 'hex')
)
SELECT number, id FROM down ORDER BY number, depth;

-- name: dirs_around, by key
-- Folders with those directly in them. $1 json list of folders.
WITH asked AS MATERIALIZED (SELECT value::bigint AS id FROM jsonb_array_elements_text($1::jsonb))
SELECT d.id, d.parent, d.name, d.digest, d.inode, d.mtime_ns FROM dir d WHERE d.id = ANY (ARRAY(SELECT id FROM asked))
UNION
SELECT d.id, d.parent, d.name, d.digest, d.inode, d.mtime_ns FROM dir d WHERE d.parent = ANY (ARRAY(SELECT id FROM asked));

-- name: dirs_below
-- A folder with everything below it. $1 folder.
WITH RECURSIVE tree(id) AS (
    SELECT $1::bigint
    UNION ALL
    SELECT d.id FROM tree t JOIN dir d ON d.parent = t.id
)
SELECT d.id, d.parent, d.name, d.digest, d.inode, d.mtime_ns FROM tree t JOIN dir d ON d.id = t.id;

-- name: put_dirs, by key
-- Folders of one message of a walk: new ones, and new digests of known ones. $1: [{i, r, p, n, g, x, o, m, w}]
-- w: the folded name.
INSERT INTO dir (id, root, parent, name, digest, problem, inode, mtime_ns, folded)
SELECT e.i, e.r, e.p, decode(e.n, 'hex'), decode(e.g, 'hex'), e.x, e.o, e.m, e.w
FROM jsonb_to_recordset($1::jsonb) AS e(i bigint, r bigint, p bigint, n text, g text, x text, o bigint, m bigint, w text)
ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, problem = excluded.problem, mtime_ns = excluded.mtime_ns,
    inode = coalesce(excluded.inode, dir.inode);

-- name: rename_dirs, by key
-- Renamed folders: one row and one event each. $1: [{i, p, n, w, v}] w: the folded name, v: the event's value, $2 now,
-- $3 host.
WITH entry AS MATERIALIZED (
    SELECT e.i, e.p, decode(e.n, 'hex') AS name, e.w, e.v
    FROM jsonb_to_recordset($1::jsonb) AS e(i bigint, p bigint, n text, w text, v jsonb)
), moved AS (
    UPDATE dir d SET parent = e.p, name = e.name, folded = e.w FROM entry e
    WHERE d.id = e.i AND (d.parent, d.name) IS DISTINCT FROM (e.p, e.name)
    RETURNING d.id, e.v
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM moved) WHERE EXISTS (SELECT FROM moved) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'folder', m.id::text, 'moved', m.v
    FROM moved m, numbered n
)
SELECT count(*) FROM moved;

-- name: files_to_reword
-- Files whose words hold the name of a folder that was renamed: in it, and in the folders directly in it.
-- $1 json list of folders, $2 after this file.
SELECT f.id, f.name, f.dir, t.fields, f.size, f.mtime_ns, coalesce(r.kind, f.kind_guess), r.format
FROM file f LEFT JOIN file_detail t ON t.file = f.id LEFT JOIN reading r ON r.file = f.id
WHERE f.dir IN (
    SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)
    UNION SELECT d.id FROM dir d WHERE d.parent IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)))
AND f.id > $2::bigint ORDER BY f.id LIMIT 200;

-- name: reword, by key
-- New words of files, read or waiting to be. $1: [{f, w}].
WITH entry AS MATERIALIZED (
    SELECT e.f, e.w::tsvector AS words FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, w text)
), waiting AS (
    UPDATE todo t SET words = e.words FROM entry e WHERE t.file = e.f AND t.words IS NOT NULL
)
UPDATE file_text t SET words = e.words FROM entry e WHERE t.file = e.f;

-- name: stat_candidates, by key
-- Known files that have the inode, size and mtime of names that are new: renamed, or linked once more, as the file
-- system will tell. $1: [{d, n, i, s, m}], $2 volume. OFFSET 0 keeps the order of the joins: each name is looked up by
-- its inode, and a library that is one volume is not read through.
SELECT e.d, e.n, f.id, f.dir, f.name, f.stream, d.root, f.nlink, k.id, k.stream,
       EXISTS (SELECT FROM work w WHERE w.stream = f.stream), f.first_seen_ns
FROM jsonb_to_recordset($1::jsonb) AS e(d bigint, n text, i bigint, s bigint, m bigint)
CROSS JOIN LATERAL (
    SELECT * FROM file f WHERE f.inode = e.i AND f.size = e.s AND f.mtime_ns = e.m AND f.type = 'f' OFFSET 0
) f
JOIN dir d ON d.id = f.dir JOIN root r ON r.id = d.root AND r.volume = $2::bigint
LEFT JOIN file k ON k.dir = e.d AND k.name = decode(e.n, 'hex')
WHERE k.id IS NULL OR (k.id <> f.id AND k.inode <> e.i)
ORDER BY f.missing_since_ns NULLS FIRST;

-- name: step_aside
-- Files that were renamed, each to where another of them stood: no name is free before all have left theirs. No file
-- has a name with a slash. $1 json list of files.
UPDATE file SET name = convert_to('/' || id::text, 'UTF8')
WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: take_over, by key
-- Names that another known file was renamed over: their rows go, what stood there stays known. $1: [{d, n, p, v}]
-- p: the path in hex, v: the event's value, $2 now, $3 host.
WITH entry AS MATERIALIZED (
    SELECT e.d, decode(e.n, 'hex') AS name, decode(e.p, 'hex') AS path, e.v
    FROM jsonb_to_recordset($1::jsonb) AS e(d bigint, n text, p text, v jsonb)
), gone AS (
    DELETE FROM file f USING entry e WHERE f.dir = e.d AND f.name = e.name
    RETURNING f.id, f.stream, f.size, f.mtime_ns, f.missing_since_ns, e.path, e.v
), kept AS (
    INSERT INTO revision (file, stream, path, size, mtime_ns, until_ns, why)
    SELECT id, stream, path, size, mtime_ns, $2::bigint, 'replaced' FROM gone
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM gone) WHERE EXISTS (SELECT FROM gone) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', g.stream::text, 'missing', g.v
FROM gone g, numbered n;

-- name: move_files, by key
-- Files that were renamed: their rows move, with all that hangs on them. They are read again, for an inode number, a
-- size and a time may once belong to another. $1: [{f, d, n, c, o, l, w, p, v}] p: the old path in hex, v: the
-- event's value, $2 now, $3 host, $4 root.
WITH entry AS MATERIALIZED (
    SELECT e.f, e.d, decode(e.n, 'hex') AS name, e.c, e.o, e.l, e.w::tsvector AS words,
           decode(e.p, 'hex') AS path, e.v
    FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, d bigint, n text, c bigint, o integer, l bigint, w text, p text,
                                            v jsonb)
), moved AS (
    UPDATE file f SET dir = e.d, name = e.name, ctime_ns = e.c, mode = e.o, nlink = e.l, missing_since_ns = NULL
    FROM entry e WHERE f.id = e.f AND (f.dir, f.name) IS DISTINCT FROM (e.d, e.name)
    RETURNING f.id, f.stream, f.size, f.mtime_ns, e.words, e.path, e.v
), kept AS (
    INSERT INTO revision (file, stream, path, size, mtime_ns, until_ns, why)
    SELECT id, stream, path, size, mtime_ns, $2::bigint, 'moved' FROM moved
), text AS (
    UPDATE file_text t SET words = m.words FROM moved m
    WHERE t.file = m.id AND NOT EXISTS (SELECT FROM reading r WHERE r.file = m.id)
), queued AS (
    INSERT INTO todo (file, root, words)
    SELECT id, $4::bigint, CASE WHEN (SELECT true FROM file_text x WHERE x.file = moved.id) IS NULL THEN words END FROM moved
    ON CONFLICT (file) DO UPDATE SET root = excluded.root, attempts = 0, not_before_ns = 0, words = excluded.words
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM moved) WHERE EXISTS (SELECT FROM moved) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', m.stream::text, 'moved', m.v
    FROM moved m, numbered n
)
SELECT count(*) FROM moved;

-- name: undigest_dirs, by key
-- Folders that are to be listed again whatever they look like. $1 json list of folders.
UPDATE dir SET digest = NULL, mtime_ns = NULL
WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) AND digest IS NOT NULL;

-- name: list_files, by key
-- Names of one message of a walk, compared with the known ones in one statement: new names get a stream and a place in
-- the queue, changed and returned ones go back into it, unchanged ones cost no write. $1: [{d, n, t, s, m, c, i, o, l,
-- u, k, x, b}], b: not to be read before, $2 now, $3 host, $4 root, $5 the words of each. Returns how many were new,
-- changed, returned.
WITH entry AS MATERIALIZED (
    SELECT e.d AS dir, decode(e.n, 'hex') AS name, e.t AS type, e.s AS size, e.m AS mtime_ns, e.c AS ctime_ns,
           e.i AS inode, e.o AS mode, e.l AS nlink, e.u AS stream, e.k AS kind, e.w AS words, decode(e.x, 'hex') AS target, coalesce(e.b, 0) AS not_before
    FROM ROWS FROM (
        jsonb_to_recordset($1::jsonb) AS (d bigint, n text, t text, s bigint, m bigint, c bigint, i bigint, o integer,
                                          l bigint, u uuid, k text, x text, b bigint),
        unnest($5::tsvector[])
    ) AS e(d, n, t, s, m, c, i, o, l, u, k, x, b, w)
), known AS (
    SELECT e.*, f.id AS file, f.stream AS old_stream, f.missing_since_ns IS NOT NULL AS returned,
           (f.type, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.nlink) IS DISTINCT FROM
           (e.type, e.size, e.mtime_ns, e.ctime_ns, e.inode, e.nlink) AS changed,
           (f.type, f.size, f.mtime_ns, f.inode) IS DISTINCT FROM (e.type, e.size, e.mtime_ns, e.inode) AS rewritten
    FROM entry e LEFT JOIN file f ON f.dir = e.dir AND f.name = e.name
), minted AS (
    INSERT INTO stream (id, created_ns) SELECT stream, $2::bigint FROM known WHERE file IS NULL ON CONFLICT DO NOTHING
), fresh AS MATERIALIZED (
    -- numbered here, so that what follows needs no join to find the number of a name: by key that were 90,000 comparisons
    SELECT *, nextval('file_id_seq') AS id FROM known WHERE file IS NULL
), added AS (
    INSERT INTO file (id, dir, name, type, kind_guess, stream, size, mtime_ns, ctime_ns, inode, mode, nlink, target, first_seen_ns)
    OVERRIDING SYSTEM VALUE
    SELECT id, dir, name, type, kind, stream, size, mtime_ns, ctime_ns, inode, mode, nlink, target, $2::bigint FROM fresh
    ON CONFLICT (dir, name) DO NOTHING
    RETURNING id, stream
), touched AS (
    UPDATE file f SET type = k.type, size = k.size, mtime_ns = k.mtime_ns, ctime_ns = k.ctime_ns, inode = k.inode,
                      mode = k.mode, nlink = k.nlink, target = k.target, missing_since_ns = NULL
    FROM known k WHERE f.id = k.file AND (k.changed OR k.returned)
    RETURNING f.id, f.type, f.stream, k.changed, k.returned, k.rewritten, k.words, k.not_before,
              (SELECT true FROM reading r WHERE r.file = f.id) IS NULL AS unread,
              (SELECT (r.size, r.mtime_ns) IS DISTINCT FROM (k.size, k.mtime_ns) FROM reading r WHERE r.file = f.id) AS stale
), text AS (
    INSERT INTO file_text (file, words) SELECT e.id, e.words
    FROM fresh e WHERE e.type <> 'f' AND e.id = ANY (ARRAY(SELECT id FROM added))
), queued AS (
    INSERT INTO todo (file, root, words, not_before_ns)
    SELECT e.id, $4::bigint, e.words, e.not_before
    FROM fresh e WHERE e.type = 'f' AND e.id = ANY (ARRAY(SELECT id FROM added))
    UNION ALL
    SELECT id, $4::bigint, CASE WHEN (SELECT true FROM file_text x WHERE x.file = touched.id) IS NULL THEN words END, not_before
    FROM touched WHERE type = 'f' AND (changed OR unread OR stale)
    ON CONFLICT (file) DO UPDATE SET attempts = 0, not_before_ns = excluded.not_before_ns
    RETURNING file
), seen AS (
    SELECT stream, 'added' AS action FROM added
    UNION ALL
    SELECT stream, CASE WHEN returned THEN 'returned' ELSE 'changed' END FROM touched
    WHERE returned OR (rewritten AND type <> 'f')  -- of a regular file it is told which fields, when it was read
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM seen) WHERE EXISTS (SELECT FROM seen) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', s.stream::text, s.action, '{}'::jsonb
    FROM seen s, numbered n
)
SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM touched WHERE changed), (SELECT count(*) FROM touched WHERE returned),
       (SELECT count(*) FROM queued);

-- name: retyped, by key
-- Known names that are of another type now: what stood there is gone. $1: [{d, n, t}].
SELECT f.id, f.stream, f.dir, encode(f.name, 'hex') FROM jsonb_to_recordset($1::jsonb) AS e(d bigint, n text, t text)
JOIN file f ON f.dir = e.d AND f.name = decode(e.n, 'hex') WHERE f.type <> e.t;

-- name: unseen_files, by key
-- Present files that a walk did not see again, with their folders. $1: [{d, lo, hi}] ranges of names that were listed
-- completely, $2: [{d, n}] the names seen in them.
WITH span AS (
    SELECT r.d AS dir, decode(r.lo, 'hex') AS lo, decode(r.hi, 'hex') AS hi
    FROM jsonb_to_recordset($1::jsonb) AS r(d bigint, lo text, hi text)
), seen AS (
    SELECT e.d AS dir, decode(e.n, 'hex') AS name FROM jsonb_to_recordset($2::jsonb) AS e(d bigint, n text)
)
SELECT f.id, f.dir, f.name FROM span s CROSS JOIN LATERAL (
    SELECT f.id, f.dir, f.name FROM file f WHERE f.dir = s.dir AND f.missing_since_ns IS NULL OFFSET 0
) f
WHERE (s.lo IS NULL OR f.name > s.lo) AND (s.hi IS NULL OR f.name <= s.hi)
  AND NOT EXISTS (SELECT FROM seen e WHERE e.dir = f.dir AND e.name = f.name);

-- name: digest_dirs, by key
-- The digests of folders that had lost files, now that these are marked. $1: [{i, g}].
UPDATE dir SET digest = decode(e.g, 'hex')
FROM jsonb_to_recordset($1::jsonb) AS e(i bigint, g text) WHERE dir.id = e.i;

-- name: miss_files
-- Files that are gone from where they were: one that was renamed meanwhile is not. What waited to be read again will have
-- to be when it returns. $1: [{i, d, n}], $2 now, $3 host.
WITH gone AS (
    UPDATE file f SET missing_since_ns = $2::bigint
    FROM jsonb_to_recordset($1::jsonb) AS e(i bigint, d bigint, n text)
    WHERE f.id = e.i AND f.dir = e.d AND f.name = decode(e.n, 'hex') AND f.missing_since_ns IS NULL
    RETURNING f.id, f.stream
), stale AS (
    UPDATE reading r SET size = NULL, mtime_ns = NULL FROM gone g JOIN todo t ON t.file = g.id WHERE r.file = g.id
), unqueued AS (
    DELETE FROM todo t USING gone g WHERE t.file = g.id RETURNING t.file, t.words
), text AS (
    INSERT INTO file_text (file, words) SELECT file, words FROM unqueued WHERE words IS NOT NULL ON CONFLICT DO NOTHING
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM gone) WHERE EXISTS (SELECT FROM gone) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', g.stream::text, 'missing', '{}'::jsonb
    FROM gone g, numbered n
)
SELECT id, stream FROM gone;

-- name: miss_dirs
-- Folders that are gone: their files are missing; their digest too, so that a return is seen. $1 json list of ids.
WITH lost AS (
    UPDATE dir SET digest = NULL, inode = NULL, mtime_ns = NULL
    WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) RETURNING id
), gone AS (
    UPDATE file f SET missing_since_ns = $2::bigint FROM lost l
    WHERE f.dir = l.id AND f.missing_since_ns IS NULL RETURNING f.id, f.stream
), stale AS (
    UPDATE reading r SET size = NULL, mtime_ns = NULL FROM gone g JOIN todo t ON t.file = g.id WHERE r.file = g.id
), unqueued AS (
    DELETE FROM todo t USING gone g WHERE t.file = g.id RETURNING t.file, t.words
), text AS (
    INSERT INTO file_text (file, words) SELECT file, words FROM unqueued WHERE words IS NOT NULL ON CONFLICT DO NOTHING
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM gone) WHERE EXISTS (SELECT FROM gone) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', g.stream::text, 'missing', '{}'::jsonb
    FROM gone g, numbered n
)
SELECT id, stream FROM gone;

-- name: present_count
-- How many names of a root are present: what a walk that lost too many is measured against.
SELECT count(*) FROM file f JOIN dir d ON d.id = f.dir WHERE d.root = $1::bigint AND f.missing_since_ns IS NULL;

-- name: present_in_dirs
-- How many names are present in these folders. $1 json list of ids.
SELECT count(*) FROM file WHERE missing_since_ns IS NULL
AND dir IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));
