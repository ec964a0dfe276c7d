-- Items, files, checksums, forgetting.

-- name: dir_paths, by key
-- The names that lead from the top of its root to each folder. $1 json list of folders.
WITH RECURSIVE up(leaf, id, parent, root, name, depth) AS (
    SELECT d.id, d.id, d.parent, d.root, d.name, 0 FROM dir d
    WHERE d.id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))
    UNION ALL
    SELECT up.leaf, d.id, d.parent, d.root, d.name, up.depth + 1 FROM up JOIN dir d ON d.id = up.parent
)
SELECT leaf, root, array_agg(name ORDER BY depth DESC) FROM up GROUP BY leaf, root;

-- name: dir_by_names
-- The folder at these names below the top of a root, or nothing. $1 root, $2 json list of hex names.
WITH RECURSIVE want AS (
    SELECT decode(value, 'hex') AS name, ordinality AS depth FROM jsonb_array_elements_text($2::jsonb) WITH ORDINALITY
), down(id, depth) AS (
    SELECT id, 0::bigint FROM dir WHERE root = $1::bigint AND parent IS NULL
    UNION ALL
    SELECT d.id, down.depth + 1 FROM down
    JOIN want w ON w.depth = down.depth + 1
    JOIN dir d ON d.root = $1::bigint AND d.parent = down.id AND d.name = w.name
)
SELECT id FROM down WHERE depth = (SELECT count(*) FROM want);

-- name: live_stream
-- The stream an id stands for today: itself, or the one it was merged into.
SELECT coalesce((SELECT stream FROM stream_alias WHERE old = $1::uuid), (SELECT id FROM stream WHERE id = $1::uuid));

-- name: files_of_streams
-- Present and missing files of items, hot columns. $1 json list of streams.
SELECT f.stream, f.id, f.dir, f.name, f.type, f.size, f.mtime_ns,
       CASE WHEN f.type <> 'f' THEN 'read' ELSE coalesce(r.state, 'listed') END, f.missing_since_ns,
       r.handler, r.handler_version, r.problem_code, r.problem, f.nlink, f.inode, f.ctime_ns, f.mode,
       coalesce(r.kind, f.kind_guess), r.format, r.title, r.artist, r.album, r.duration, r.width, r.height, r.date, f.target
FROM file f LEFT JOIN reading r ON r.file = f.id
WHERE f.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))
ORDER BY f.stream, f.missing_since_ns NULLS FIRST, f.id;

-- name: heads_of_items
-- Items as lists show them, a row a file (one without file columns where an item has none), in the order asked for. An id
-- that was merged into another stands for that one; one that is unknown has no id in its row. `worked`: a person did
-- something with it. `folder`: the path of the file's folder below its root, with a slash before each name; keywords and
-- rating: what the file says, `sides`: what its side files say. $1 json list of ids.
-- Step by step from the ids asked for, whatever the planner believes of the tables (OFFSET 0): with statistics that call
-- keywords rare it began with every file that has some, and below some ten thousand files it read all of them, because it
-- expects a list of a hundred ids; and just after a first scan, with statistics of before, it read the whole table of
-- readings for each id (21 ms instead of 2.3 for a hundred of 3,000). jsonb and not uuid[]: of a list in jsonb the planner
-- expects the same length always, so that after five times it plans no more (of an array it plans 0.5 ms each time).
-- Side files are looked for only in a folder that has some (the index file_side): most have none.
SELECT a.number, i.id, i.worked, i.sides, NULL::jsonb AS keys,
       f.id, f.name, f.type, f.size, f.mtime_ns, f.missing_since_ns, f.nlink, f.inode, f.ctime_ns, f.mode, f.target,
       f.state, f.handler, f.handler_version, f.problem_code, f.problem,
       f.kind, f.format, f.title, f.artist, f.album, f.duration, f.width, f.height, f.date,
       p.root, p.folder, f.keywords, f.rating
FROM (
    SELECT value::uuid AS asked, ordinality::integer AS number FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY
) a
CROSS JOIN LATERAL (
    SELECT coalesce((SELECT stream FROM stream_alias WHERE old = a.asked), (SELECT id FROM stream WHERE id = a.asked)) AS id
    OFFSET 0
) s
CROSS JOIN LATERAL (
    SELECT s.id, (SELECT true FROM work WHERE stream = coalesce(s.id, a.asked)) IS NOT NULL AS worked,
           (SELECT jsonb_agg(jsonb_build_array(d.fields -> 'keywords', d.fields -> 'rating'))
            FROM (
                SELECT v.side FROM (
                    SELECT m.id FROM file m WHERE m.stream = s.id AND (
                        SELECT true FROM file x WHERE x.dir = m.dir
                        AND lower(right(encode(x.name, 'escape'), 4)) = '.xmp' LIMIT 1)
                    OFFSET 0) m
                CROSS JOIN LATERAL (SELECT side FROM side_file WHERE main = m.id OFFSET 0) v LIMIT 64) v
            CROSS JOIN LATERAL (SELECT fields FROM file_detail WHERE file = v.side OFFSET 0) d) AS sides
    OFFSET 0
) i
LEFT JOIN LATERAL (
    SELECT f.id, f.dir, f.name, f.type, f.size, f.mtime_ns, f.missing_since_ns, f.nlink, f.inode, f.ctime_ns, f.mode,
           f.target, CASE WHEN f.type <> 'f' THEN 'read' ELSE coalesce(r.state, 'listed') END AS state,
           r.handler, r.handler_version, r.problem_code, r.problem, coalesce(r.kind, f.kind_guess) AS kind, r.format,
           r.title, r.artist, r.album, r.duration, r.width, r.height, r.date,
           d.fields -> 'keywords' AS keywords, d.fields -> 'rating' AS rating
    FROM file f
    LEFT JOIN LATERAL (SELECT * FROM reading WHERE file = f.id OFFSET 0) r ON true
    LEFT JOIN LATERAL (SELECT * FROM file_detail WHERE file = f.id OFFSET 0) d ON true
    WHERE f.stream = s.id
    OFFSET 0
) f ON true
LEFT JOIN LATERAL (
    WITH RECURSIVE up(parent, root, name, depth) AS (
        SELECT parent, root, name, 0 FROM dir WHERE id = f.dir
        UNION ALL
        SELECT d.parent, d.root, d.name, up.depth + 1 FROM up
        CROSS JOIN LATERAL (SELECT parent, root, name FROM dir WHERE id = up.parent OFFSET 0) d
    )
    SELECT max(root) AS root, string_agg(name, '/'::bytea ORDER BY depth DESC) AS folder FROM up
) p ON true
ORDER BY a.number, f.missing_since_ns NULLS FIRST, f.id;

-- name: records_of_items
-- heads_of_items with everything else that is known: keys, fields, tags, sources, and the stored checksums that still hold
-- for these files. $1 json list of ids.
SELECT a.number, i.id, i.worked, i.sides, i.keys,
       f.id, f.name, f.type, f.size, f.mtime_ns, f.missing_since_ns, f.nlink, f.inode, f.ctime_ns, f.mode, f.target,
       f.state, f.handler, f.handler_version, f.problem_code, f.problem,
       f.kind, f.format, f.title, f.artist, f.album, f.duration, f.width, f.height, f.date,
       p.root, p.folder, f.keywords, f.rating, f.fields, f.tags, f.sources,
       (SELECT jsonb_agg(jsonb_build_array(c.scope, encode(c.md5, 'hex'), encode(c.sha1, 'hex'), encode(c.sha256, 'hex'))
                         ORDER BY c.scope)
        FROM root r JOIN checksum c ON c.volume = r.volume AND c.inode = f.inode AND c.size = f.size
             AND c.mtime_ns = f.mtime_ns AND c.ctime_ns = f.ctime_ns WHERE r.id = p.root) AS sums
FROM (
    SELECT value::uuid AS asked, ordinality::integer AS number FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY
) a
CROSS JOIN LATERAL (
    SELECT coalesce((SELECT stream FROM stream_alias WHERE old = a.asked), (SELECT id FROM stream WHERE id = a.asked)) AS id
    OFFSET 0
) s
CROSS JOIN LATERAL (
    SELECT s.id, (SELECT true FROM work WHERE stream = coalesce(s.id, a.asked)) IS NOT NULL AS worked,
           (SELECT jsonb_agg(jsonb_build_array(d.fields -> 'keywords', d.fields -> 'rating'))
            FROM (
                SELECT v.side FROM (
                    SELECT m.id FROM file m WHERE m.stream = s.id AND (
                        SELECT true FROM file x WHERE x.dir = m.dir
                        AND lower(right(encode(x.name, 'escape'), 4)) = '.xmp' LIMIT 1)
                    OFFSET 0) m
                CROSS JOIN LATERAL (SELECT side FROM side_file WHERE main = m.id OFFSET 0) v LIMIT 64) v
            CROSS JOIN LATERAL (SELECT fields FROM file_detail WHERE file = v.side OFFSET 0) d) AS sides,
           (SELECT jsonb_agg(jsonb_build_array(grade, algorithm, encode(value, 'hex')) ORDER BY grade, algorithm)
            FROM stream_key WHERE stream = s.id) AS keys
    OFFSET 0
) i
LEFT JOIN LATERAL (
    SELECT f.id, f.dir, f.name, f.type, f.size, f.mtime_ns, f.missing_since_ns, f.nlink, f.inode, f.ctime_ns, f.mode,
           f.target, CASE WHEN f.type <> 'f' THEN 'read' ELSE coalesce(r.state, 'listed') END AS state,
           r.handler, r.handler_version, r.problem_code, r.problem, coalesce(r.kind, f.kind_guess) AS kind, r.format,
           r.title, r.artist, r.album, r.duration, r.width, r.height, r.date,
           d.fields -> 'keywords' AS keywords, d.fields -> 'rating' AS rating, d.fields, d.tags, d.sources
    FROM file f
    LEFT JOIN LATERAL (SELECT * FROM reading WHERE file = f.id OFFSET 0) r ON true
    LEFT JOIN LATERAL (SELECT * FROM file_detail WHERE file = f.id OFFSET 0) d ON true
    WHERE f.stream = s.id
    OFFSET 0
) f ON true
LEFT JOIN LATERAL (
    WITH RECURSIVE up(parent, root, name, depth) AS (
        SELECT parent, root, name, 0 FROM dir WHERE id = f.dir
        UNION ALL
        SELECT d.parent, d.root, d.name, up.depth + 1 FROM up
        CROSS JOIN LATERAL (SELECT parent, root, name FROM dir WHERE id = up.parent OFFSET 0) d
    )
    SELECT max(root) AS root, string_agg(name, '/'::bytea ORDER BY depth DESC) AS folder FROM up
) p ON true
ORDER BY a.number, f.missing_since_ns NULLS FIRST, f.id;

-- name: files_at_places
-- The files that lie at places below the tops of roots: which place, file, item. $1 json list of
-- [root, [names of folders], name], names in hex. Step by step from the places (OFFSET 0), as above.
WITH RECURSIVE down(number, root, names, name, depth, dir) AS (
    SELECT e.ordinality::integer, d.root, e.value -> 1, decode(e.value ->> 2, 'hex'), 0, d.id
    FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY e
    CROSS JOIN LATERAL (SELECT id, root FROM dir WHERE root = (e.value ->> 0)::bigint AND parent IS NULL OFFSET 0) d
    UNION ALL
    SELECT w.number, w.root, w.names, w.name, w.depth + 1, d.id FROM down w
    CROSS JOIN LATERAL (
        SELECT id FROM dir WHERE root = w.root AND parent = w.dir AND name = decode(w.names ->> w.depth, 'hex') OFFSET 0
    ) d
    WHERE w.depth < jsonb_array_length(w.names)
)
SELECT w.number, f.id, f.stream FROM down w
CROSS JOIN LATERAL (SELECT id, stream FROM file WHERE dir = w.dir AND name = w.name OFFSET 0) f
WHERE w.depth = jsonb_array_length(w.names);

-- name: keys_of_stream
-- What proves which payload it is.
SELECT grade, algorithm, value FROM stream_key WHERE stream = $1::uuid ORDER BY grade, algorithm;

-- name: checksum_at
-- A stored checksum for exactly this stat. $1 volume, $2 inode, $3 size, $4 mtime, $5 ctime, $6 scope.
SELECT algorithm, md5, sha1, sha256 FROM checksum
WHERE volume = $1::bigint AND inode = $2::bigint AND size = $3::bigint AND mtime_ns = $4::bigint
  AND ctime_ns = $5::bigint AND scope = $6::text;

-- name: put_checksum
-- A checksum of a file's bytes or of its stream, for the stat it was computed at: $1 volume, $2 inode, $3 size, $4 mtime,
-- $5 ctime, $6 scope, $7 algorithm, $8 md5, $9 sha1, $10 sha256, $11 now. Digests that were not asked this time stay.
INSERT INTO checksum (volume, inode, size, mtime_ns, ctime_ns, scope, algorithm, md5, sha1, sha256, at_ns)
VALUES ($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::text, $7::text, $8::bytea, $9::bytea, $10::bytea, $11::bigint)
ON CONFLICT (volume, inode, size, mtime_ns, scope) DO UPDATE SET ctime_ns = excluded.ctime_ns, algorithm = excluded.algorithm,
    md5 = CASE WHEN checksum.ctime_ns = excluded.ctime_ns AND checksum.algorithm = excluded.algorithm
               THEN coalesce(excluded.md5, checksum.md5) ELSE excluded.md5 END,
    sha1 = CASE WHEN checksum.ctime_ns = excluded.ctime_ns AND checksum.algorithm = excluded.algorithm
                THEN coalesce(excluded.sha1, checksum.sha1) ELSE excluded.sha1 END,
    sha256 = CASE WHEN checksum.ctime_ns = excluded.ctime_ns AND checksum.algorithm = excluded.algorithm
                  THEN coalesce(excluded.sha256, checksum.sha256) ELSE excluded.sha256 END,
    at_ns = excluded.at_ns;

-- name: put_checksum_keys
-- Keys of the payload that a file had at a stat. They prove what its stream is only while that stat is the one that was
-- read: a file that was written to since has another payload, and soon another stream. $1: [{f, g, a, v}], $2 inode,
-- $3 size, $4 mtime, $5 ctime.
INSERT INTO stream_key (stream, grade, algorithm, value)
SELECT f.stream, e.g, e.a, decode(e.v, 'hex')
FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, g smallint, a text, v text) JOIN file f ON f.id = e.f
WHERE f.inode = $2::bigint AND f.size = $3::bigint AND f.mtime_ns = $4::bigint AND f.ctime_ns = $5::bigint
  AND NOT EXISTS (SELECT FROM todo t WHERE t.file = f.id)
ON CONFLICT DO NOTHING;

-- name: tell_checksummed
-- The event of a checksum that was computed. $1 stream, $2 value, $3 now, $4 host, $5 actor, $6 operation.
WITH numbered AS (UPDATE feed SET last = last + 1 RETURNING last)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last, $3::bigint, $4::uuid, $5::text, $6::uuid, 'stream', $1::uuid::text, 'checksummed', $2::jsonb FROM numbered n;

-- name: forget_files
-- Drops the records of files; streams stay, because a person's events hang on them. $1 json list of files,
-- $2 now, $3 host, $4 actor, $5 operation. Returns files and items dropped.
WITH gone AS (
    DELETE FROM file WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) RETURNING id, stream
), streams AS (
    SELECT DISTINCT stream FROM gone
), bare AS (
    SELECT s.stream FROM streams s
    WHERE NOT EXISTS (SELECT FROM file f WHERE f.stream = s.stream AND f.id NOT IN (SELECT id FROM gone))
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM gone) WHERE EXISTS (SELECT FROM gone) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', g.stream::text,
           'forgotten', '{}'::jsonb
    FROM gone g, numbered n
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM bare);

-- name: files_below
-- A page of the files in a folder and everything below it. $1 folder, $2 after this file, $3 only missing ones.
WITH RECURSIVE tree(id) AS (
    SELECT $1::bigint
    UNION ALL
    SELECT d.id FROM tree t JOIN dir d ON d.parent = t.id
)
SELECT f.id FROM file f JOIN tree t ON f.dir = t.id
WHERE f.id > $2::bigint AND (NOT $3::boolean OR f.missing_since_ns IS NOT NULL)
ORDER BY f.id LIMIT 1000;

-- name: files_of_stream
-- The files of an item. $2: only missing ones.
SELECT id FROM file WHERE stream = $1::uuid AND (NOT $2::boolean OR missing_since_ns IS NOT NULL);

-- name: drop_dirs
-- A folder and everything below it is forgotten; the folder above it loses its digest, so that a walk lists it again.
WITH up AS (
    UPDATE dir SET digest = NULL WHERE id = (SELECT parent FROM dir WHERE id = $1::bigint)
)
DELETE FROM dir WHERE id = $1::bigint;

-- name: undigest
-- The folders of these files are compared again at the next walk. $1 json list of files.
UPDATE dir SET digest = NULL WHERE id IN (
    SELECT dir FROM file WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)));

-- name: status_counts
-- Numbers for `status`: files, items, missing, waiting, failed, parked, epoch and number of the last event, server
-- version. The first three cost time with the library and change only with an event: they are null when nothing has
-- happened since $1 epoch, $2 number. All names and all their streams are counted in the indexes alone, and the missing
-- ones, which are few, taken off.
SELECT CASE WHEN news THEN (SELECT count(*) FROM file) - (SELECT count(*) FROM file WHERE missing_since_ns IS NOT NULL) END,
       CASE WHEN news THEN (SELECT count(*) FROM (SELECT DISTINCT stream FROM file) s)
           - (SELECT count(*) FROM (SELECT DISTINCT stream FROM file WHERE missing_since_ns IS NOT NULL) m WHERE NOT EXISTS (
                 SELECT FROM file p WHERE p.stream = m.stream AND p.missing_since_ns IS NULL)) END,
       CASE WHEN news THEN (SELECT count(*) FROM file WHERE missing_since_ns IS NOT NULL) END,
       (SELECT count(*) FROM todo), (SELECT count(*) FROM reading WHERE state <> 'read' AND state = 'failed'),
       (SELECT count(*) FROM reading WHERE state <> 'read' AND state = 'parked'), f.epoch, f.last,
       current_setting('server_version')
FROM (SELECT epoch, last, (epoch, last) IS DISTINCT FROM ($1::uuid, $2::bigint) AS news FROM feed) f;

-- name: begin_operation
-- Writes down a client-made operation id, or returns what is known of it.
WITH fresh AS (
    INSERT INTO operation (id, host, actor, command, digest, started_ns)
    VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::bytea, $6::bigint)
    ON CONFLICT (id) DO NOTHING RETURNING id
)
SELECT (SELECT count(*) FROM fresh), o.digest, o.finished_ns, o.reply FROM (SELECT 1) one
LEFT JOIN operation o ON o.id = $1::uuid;

-- name: end_operation
-- The operation is done; its last reply is kept for whoever asks again.
UPDATE operation SET finished_ns = $2::bigint, reply = $3::bytea WHERE id = $1::uuid;
