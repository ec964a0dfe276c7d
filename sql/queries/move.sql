-- Moving files (mediad/moves): the plan's questions, the journal, and names that follow what was done on disk.

-- name: files_to_move
-- Present regular files and links of items, with where they are and the stat the store believes. $1 json list of streams.
SELECT f.id, f.stream, f.dir, f.name, f.type, f.size, f.mtime_ns, f.inode, d.root
FROM file f JOIN dir d ON d.id = f.dir
WHERE f.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb)) AND f.missing_since_ns IS NULL
ORDER BY f.id;

-- name: files_by_id
-- The same of files by their numbers. $1 json list of files.
SELECT f.id, f.stream, f.dir, f.name, f.type, f.size, f.mtime_ns, f.inode, d.root
FROM file f JOIN dir d ON d.id = f.dir
WHERE f.id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) AND f.missing_since_ns IS NULL
ORDER BY f.id;

-- name: files_in_dirs
-- Every present name in folders: companions are looked for among them. $1 json list of folders.
SELECT f.id, f.stream, f.dir, f.name, f.type, f.size, f.mtime_ns, f.inode, d.root
FROM file f JOIN dir d ON d.id = f.dir
WHERE f.dir IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) AND f.missing_since_ns IS NULL;

-- name: tree_to_move
-- Every present name in a folder and below it. $1 folder.
WITH RECURSIVE tree(id) AS (
    SELECT $1::bigint
    UNION ALL
    SELECT d.id FROM tree t JOIN dir d ON d.parent = t.id
)
SELECT f.id, f.stream, f.dir, f.name, f.type, f.size, f.mtime_ns, f.inode, d.root
FROM tree t JOIN dir d ON d.id = t.id JOIN file f ON f.dir = t.id
WHERE f.missing_since_ns IS NULL ORDER BY f.id;

-- name: fields_of_files
-- What templates are filled with: kind and fields. $1 json list of files.
SELECT r.file, r.kind, d.fields::text
FROM jsonb_array_elements_text($1::jsonb) e
JOIN reading r ON r.file = e.value::bigint LEFT JOIN file_detail d ON d.file = r.file;

-- name: fields_of_streams
-- The fields that persons have set. $1 json list of streams.
SELECT w.stream, jsonb_object_agg(w.name, w.value)::text FROM work_field w
WHERE w.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb)) GROUP BY w.stream;

-- name: to_archive
-- Regular files with what an archive says of them. $1 json list of files. The side files' fields are those of the first.
SELECT f.id, f.stream, f.dir, f.name, f.size, f.mtime_ns, f.inode, r.format, d.fields::text,
       (SELECT x.fields::text FROM side_file v JOIN file_detail x ON x.file = v.side WHERE v.main = f.id LIMIT 1),
       (SELECT c.sha1 FROM checksum c
        WHERE c.volume = t.volume AND c.inode = f.inode AND c.size = f.size AND c.mtime_ns = f.mtime_ns
          AND c.ctime_ns = f.ctime_ns AND c.scope = 'file')
FROM jsonb_array_elements_text($1::jsonb) e
JOIN file f ON f.id = e.value::bigint AND f.type = 'f' AND f.missing_since_ns IS NULL
JOIN dir i ON i.id = f.dir JOIN root t ON t.id = i.root
LEFT JOIN reading r ON r.file = f.id LEFT JOIN file_detail d ON d.file = f.id
ORDER BY e.value::bigint;

-- name: put_stored
-- Items that an archive holds now, whole. $1 archive, $2 folder, $3 host, $4 now, $5 [{h, s, p}] sha1, stream, path.
INSERT INTO stored (archive, sha1, stream, folder, path, host, stored_ns, verified_ns, verdict)
SELECT $1::text, decode(e.h, 'hex'), e.s, $2::bytea, decode(e.p, 'hex'), $3::uuid, $4::bigint, $4::bigint, 'ok'
FROM (SELECT DISTINCT ON (h, s) * FROM jsonb_to_recordset($5::jsonb) AS r(h text, s uuid, p text)) e
ON CONFLICT (archive, sha1, stream) DO UPDATE SET folder = excluded.folder, path = excluded.path, host = excluded.host;

-- name: verified_stored
-- What verifying an archive found. $1 archive, $2 now, $3 [{h, c}] sha1 and code.
UPDATE stored SET verified_ns = $2::bigint, verdict = e.c
FROM (SELECT h, min(c) FILTER (WHERE c <> 'ok') AS bad, min(c) AS c0 FROM jsonb_to_recordset($3::jsonb) AS r(h text, c text)
      GROUP BY h) x
CROSS JOIN LATERAL (SELECT coalesce(x.bad, x.c0) AS c) e
WHERE stored.archive = $1::text AND stored.sha1 = decode(x.h, 'hex');

-- name: stored_of
-- Where archives hold an item, and when it was last seen whole there. $1 stream.
SELECT archive, folder, path, stored_ns, verified_ns, verdict FROM stored
WHERE stream = $1::uuid OR stream IN (SELECT old FROM stream_alias WHERE stream = $1::uuid) ORDER BY stored_ns;

-- name: found_before
-- Where files were before they were moved last: what `putback` goes to. $1 json list of files.
SELECT DISTINCT ON (v.file) v.file, v.path FROM revision v
WHERE v.file IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) AND v.why = 'moved'
ORDER BY v.file, v.until_ns DESC, v.id DESC;

-- name: arrived
-- Regular files in a staging folder and below, and whether the item of each has a file outside of it. $1 folder.
WITH RECURSIVE tree(id) AS (
    SELECT $1::bigint
    UNION ALL
    SELECT d.id FROM tree t JOIN dir d ON d.parent = t.id
)
SELECT f.id, f.stream, f.dir, f.name, f.type, f.size, f.mtime_ns, f.inode, d.root, EXISTS (
    SELECT FROM file o WHERE o.stream = f.stream AND o.missing_since_ns IS NULL AND o.dir NOT IN (SELECT id FROM tree))
FROM tree t JOIN dir d ON d.id = t.id JOIN file f ON f.dir = t.id
WHERE f.missing_since_ns IS NULL AND f.type = 'f' ORDER BY f.id;

-- name: plan_moves
-- Steps, before any of them is done. $1 operation, $2 host, $3 now, $4 [{n, u, a, f, s, fr, fp, tr, tp, i, z, m, o, j,
-- k, h, d, e}], the names of the columns from number on.
INSERT INTO move (operation, number, host, unit, action, state, file, stream, from_root, from_path, to_root, to_path,
                  inode, size, mtime_ns, mode, to_inode, to_mtime_ns, sha256, at_ns, undoes, undoes_step)
SELECT $1::uuid, e.n, $2::uuid, e.u, e.a, 'planned', e.f, e.s, e.fr, decode(e.fp, 'hex'), e.tr, decode(e.tp, 'hex'),
       e.i, e.z, e.m, e.o, e.j, e.k, decode(e.h, 'hex'), $3::bigint, e.d, e.e
FROM jsonb_to_recordset($4::jsonb) AS e(n integer, u integer, a text, f bigint, s uuid, fr bigint, fp text, tr bigint,
                                        tp text, i bigint, z bigint, m bigint, o integer, j bigint, k bigint, h text,
                                        d uuid, e integer)
ON CONFLICT (operation, number) DO NOTHING;

-- name: set_moves
-- What became of steps. $1 operation, $2 [{n, s, i, m, h, c, p}]: number, state, what was made (inode, mtime), sha256,
-- code and problem.
UPDATE move SET state = e.s, to_inode = coalesce(e.i, to_inode), to_mtime_ns = coalesce(e.m, to_mtime_ns),
                sha256 = coalesce(decode(e.h, 'hex'), sha256), code = e.c, problem = e.p
FROM jsonb_to_recordset($2::jsonb) AS e(n integer, s text, i bigint, m bigint, h text, c text, p text)
WHERE move.operation = $1::uuid AND move.number = e.n;

-- name: open_moves
-- Operations of a host that were interrupted.
SELECT DISTINCT m.operation, coalesce(o.actor, '') FROM move m LEFT JOIN operation o ON o.id = m.operation
WHERE m.host = $1::uuid AND m.state IN ('planned', 'copied', 'placed');

-- name: close_moves
-- The store knows where the files of an operation are: its steps are done. $1 operation.
UPDATE move SET state = 'done' WHERE operation = $1::uuid AND state = 'placed';

-- name: take_back
-- Steps that an operation took back are undone. $1 operation, closed.
UPDATE move SET state = 'undone' WHERE state = 'done' AND (operation, number) IN (
    SELECT undoes, undoes_step FROM move WHERE operation = $1::uuid AND state = 'done' AND undoes IS NOT NULL);

-- name: mark_taken_back
-- An operation of which nothing is left was undone by this one. $1 operation, closed.
UPDATE operation o SET undone_by = $1::uuid
WHERE o.id IN (SELECT undoes FROM move WHERE operation = $1::uuid AND undoes IS NOT NULL) AND NOT EXISTS (
    SELECT FROM move m WHERE m.operation = o.id AND m.state = 'done' AND m.action NOT IN ('mkdir', 'rmdir'));

-- name: undone_by
-- What an operation has taken back so far. $1 operation.
SELECT id FROM operation WHERE undone_by = $1::uuid
UNION SELECT undoes FROM move WHERE operation = $1::uuid AND undoes IS NOT NULL;

-- name: moves_of
-- The steps of an operation after a number. $1 operation, $2 number, $3 most.
SELECT number, unit, action, state, file, stream, from_root, from_path, to_root, to_path, inode, size, mtime_ns, mode,
       to_inode, to_mtime_ns, sha256, code, problem, host, undoes, undoes_step
FROM move WHERE operation = $1::uuid AND number > $2::integer ORDER BY number LIMIT $3::integer;

-- name: move_operations
-- The last operations that moved files, newest first: like those of `operations`. $1 actor or null for all, $2 most.
SELECT o.id, o.started_ns, o.actor, c.files, o.command, o.undone_by IS NOT NULL, c.actions, c.files_undone
FROM operation o
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE m.action NOT IN ('mkdir', 'rmdir')) AS files,
           count(*) FILTER (WHERE m.state = 'undone') AS files_undone,
           string_agg(DISTINCT m.action, ', ') FILTER (WHERE m.action NOT IN ('mkdir', 'rmdir')) AS actions
    FROM move m WHERE m.operation = o.id AND m.state IN ('done', 'undone')
) c
WHERE o.command IN ('move', 'undo', 'putback') AND c.files > 0 AND ($1::text IS NULL OR o.actor = $1::text)
ORDER BY o.started_ns DESC LIMIT $2::integer;

-- name: clear_names
-- Names that a file of ours takes, where another stood that is gone: its row goes, what stood there stays known.
-- $1: [{f, d, n, t}] file, folder, name, and the path in hex, $2 now.
WITH gone AS (
    DELETE FROM file k USING jsonb_to_recordset($1::jsonb) AS e(f bigint, d bigint, n text, t text)
    WHERE k.dir = e.d AND k.name = decode(e.n, 'hex') AND k.id <> e.f
    RETURNING k.id, k.stream, k.size, k.mtime_ns, decode(e.t, 'hex') AS path
)
INSERT INTO revision (file, stream, path, size, mtime_ns, until_ns, why)
SELECT id, stream, path, size, mtime_ns, $2::bigint, 'replaced' FROM gone;

-- name: place_files
-- Files that we moved: their rows move, with all that hangs on them, and the event says on whose behalf. Only a file that
-- has no title of its own is read again, for it may be called as its name is. $1: [{f, d, n, z, i, m, c, o, l, w,
-- p, v, a, b}] p: the old path in hex, v: the event's value, a: actor, b: operation, h: sha256 of a copy; $2 now,
-- $3 host, $4 root.
WITH entry AS MATERIALIZED (
    SELECT e.f, e.d, decode(e.n, 'hex') AS name, e.z, e.i, e.m, e.c, e.o, e.l,
           e.w::tsvector AS words, decode(e.p, 'hex') AS path, e.v, e.a, e.b,
           decode(e.h, 'hex') AS sha256
    FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, d bigint, n text, z bigint, i bigint, m bigint, c bigint, o integer,
                                            l bigint, w text, p text, v jsonb, a text, b uuid, h text)
), moved AS (
    UPDATE file f SET dir = e.d, name = e.name, size = e.z, inode = e.i, mtime_ns = e.m, ctime_ns = e.c, mode = e.o,
                      nlink = e.l, missing_since_ns = NULL
    FROM entry e WHERE f.id = e.f AND (f.dir, f.name) IS DISTINCT FROM (e.d, e.name)
    RETURNING f.id, f.stream, e.z, e.m, e.i, e.c, e.words, e.path, e.v, e.a, e.b, e.sha256
), kept AS (
    INSERT INTO revision (file, stream, path, size, mtime_ns, until_ns, why)
    SELECT id, stream, path, z, m, $2::bigint, 'moved' FROM moved
), text AS (
    UPDATE file_text t SET words = m.words FROM moved m WHERE t.file = m.id
), stat AS (
    UPDATE reading r SET size = m.z, mtime_ns = m.m FROM moved m WHERE r.file = m.id AND r.mtime_ns <> m.m
), summed AS (
    INSERT INTO checksum (volume, inode, size, mtime_ns, ctime_ns, scope, algorithm, sha256, at_ns)
    SELECT (SELECT volume FROM root WHERE id = $4::bigint), i, z, m, c, 'file', 'file', sha256, $2::bigint
    FROM moved WHERE sha256 IS NOT NULL
    ON CONFLICT DO NOTHING
), queued AS (
    INSERT INTO todo (file, root, words)
    SELECT m.id, $4::bigint, CASE WHEN NOT EXISTS (SELECT FROM file_text x WHERE x.file = m.id) THEN m.words END
    FROM moved m LEFT JOIN reading r ON r.file = m.id
    WHERE r.file IS NULL OR r.title IS NULL OR EXISTS (SELECT FROM todo t WHERE t.file = m.id)
    ON CONFLICT (file) DO UPDATE SET root = excluded.root, attempts = 0, not_before_ns = 0, words = excluded.words
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM moved) WHERE EXISTS (SELECT FROM moved) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, m.a, m.b, 'stream', m.stream::text, 'moved', m.v
    FROM moved m, numbered n
)
SELECT count(*) FROM moved;

-- name: fields_to_reword
-- The stored fields, kind and format of files, for the words they are found by. $1 json list of files.
SELECT d.file, d.fields, r.kind, r.format FROM file_detail d JOIN reading r ON r.file = d.file
WHERE d.file IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));
