-- The queue of files to read, and what was read.

-- name: take_todo, by key
-- The next files to read of this host's roots; whether something was read of them before, or of their stream by another
-- of its names. $1 json list of roots, $2 after this file, $3 most, $4 now.
SELECT t.file, f.dir, f.name, f.inode, f.size, f.mtime_ns, t.attempts, t.root,
       r.file IS NOT NULL OR (SELECT true FROM stream_key k WHERE k.stream = f.stream AND k.grade = 1 LIMIT 1) IS NOT NULL,
       f.stream
FROM todo t JOIN file f ON f.id = t.file LEFT JOIN reading r ON r.file = t.file
WHERE t.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))
  AND t.file > $2::bigint AND t.not_before_ns <= $4::bigint
ORDER BY t.file LIMIT $3::integer;

-- name: todo_waiting
-- When the earliest file that was put off becomes due. $1 json list of roots.
SELECT min(not_before_ns) FROM todo WHERE root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: take_off
-- Notes what a lane is about to parse. Not synchronous: it matters after a crash of processes, not of the machine.
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO flight (host, lane, files)
SELECT $1::uuid, $2::integer, ARRAY(SELECT value::bigint FROM jsonb_array_elements_text($3::jsonb)) FROM quick
ON CONFLICT (host, lane) DO UPDATE SET files = excluded.files;

-- name: landed
-- The lanes of this host have nothing in hand.
DELETE FROM flight WHERE host = $1::uuid;

-- name: suspect
-- After a crash: what was in hand gets an attempt on its account. Returns those files.
WITH crashed AS (
    DELETE FROM flight WHERE host = $1::uuid RETURNING files
)
UPDATE todo t SET attempts = t.attempts + 1
FROM (SELECT DISTINCT unnest(files) AS file FROM crashed) c WHERE t.file = c.file
RETURNING t.file, t.attempts;

-- name: put_off, by key
-- Files that changed while they were read, or whose volume was away: again later. $1 json list, $2 not before.
UPDATE todo SET not_before_ns = $2::bigint
WHERE file IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: store_records, by key
-- What was read. A record counts only if the file still is what was read (inode, size, mtime) and where it was: else it
-- stays queued. $1: [{f, i, s, m, d, n, state, code, problem, handler, version, kind, format, title, artist, album, duration, width,
-- height, date, fields, tags, sources, warnings}], $2 now, $3 host, $4 the words of each.
WITH record AS MATERIALIZED (
    SELECT r.* FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (f bigint, i bigint, s bigint, m bigint, d bigint, n text, state text, code text,
        problem text, handler text, version integer, kind text, format text, title text, artist text, album text,
        duration double precision, width integer, height integer, date text, fields jsonb, tags jsonb, sources jsonb,
        warnings jsonb), unnest($4::tsvector[])) AS r(f, i, s, m, d, n, state, code, problem, handler, version, kind, format,
        title, artist, album, duration, width, height, date, fields, tags, sources, warnings, w)
    JOIN file ON file.id = r.f AND file.inode = r.i AND file.size = r.s AND file.mtime_ns = r.m
     AND (r.d IS NULL OR (file.dir = r.d AND file.name = decode(r.n, 'hex')))
    FOR KEY SHARE OF file  -- its rows are no foreign keys
), kept AS (
    INSERT INTO reading (file, state, problem_code, problem, handler, handler_version, kind, format, title, artist, album,
                         duration, width, height, date, size, mtime_ns)
    SELECT f, state, code, problem, handler, version, kind, format, title, artist, album, duration, width, height, date, s, m
    FROM record
    ON CONFLICT (file) DO UPDATE SET state = excluded.state, problem_code = excluded.problem_code,
        problem = excluded.problem, handler = excluded.handler, handler_version = excluded.handler_version,
        kind = excluded.kind, format = excluded.format, title = excluded.title, artist = excluded.artist,
        album = excluded.album, duration = excluded.duration, width = excluded.width, height = excluded.height,
        date = excluded.date, size = excluded.size, mtime_ns = excluded.mtime_ns
), detail AS (
    INSERT INTO file_detail (file, fields, tags, sources, warnings)
    SELECT f, fields, tags, sources, warnings FROM record
    ON CONFLICT (file) DO UPDATE SET fields = excluded.fields, tags = excluded.tags, sources = excluded.sources,
        warnings = excluded.warnings
), text AS (
    INSERT INTO file_text (file, words) SELECT f, w FROM record
    ON CONFLICT (file) DO UPDATE SET words = excluded.words
), done AS (
    DELETE FROM todo t USING record r WHERE t.file = r.f
), before AS (
    -- what the snapshot of this statement still has: the record it replaces
    SELECT r.f, file.stream, o.file IS NULL AS first, o.state IS DISTINCT FROM r.state AS restated,
           CASE WHEN o.file IS NOT NULL THEN (SELECT jsonb_agg(key ORDER BY key) FROM (
               SELECT key FROM jsonb_each(coalesce(d.fields, '{}')) a FULL JOIN jsonb_each(r.fields) b USING (key)
               WHERE a.value IS DISTINCT FROM b.value) c) END AS changed
    FROM record r JOIN file ON file.id = r.f LEFT JOIN reading o ON o.file = r.f LEFT JOIN file_detail d ON d.file = r.f
), told AS (
    -- one event for all that were read the first time, one for each that says something new
    SELECT '' AS target, 'read' AS action, jsonb_build_object('items', jsonb_agg(DISTINCT stream)) AS value
    FROM before WHERE first HAVING count(*) > 0
    UNION ALL
    SELECT stream::text, 'changed', jsonb_build_object('fields', coalesce(changed, '[]') ||
           CASE WHEN restated THEN '["state"]'::jsonb ELSE '[]' END)
    FROM before WHERE NOT first AND (changed IS NOT NULL OR restated)
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM told) WHERE EXISTS (SELECT FROM told) RETURNING last
), events AS (
    INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', t.target, t.action, t.value
    FROM told t, numbered n
)
SELECT count(*) FROM record;

-- name: put_keys, by key
-- Keys of the streams of these files. $1: [{f, g, a, v}].
INSERT INTO stream_key (stream, grade, algorithm, value)
SELECT f.stream, e.g, e.a, decode(e.v, 'hex')
FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, g smallint, a text, v text) JOIN file f ON f.id = e.f
ON CONFLICT DO NOTHING;

-- name: drop_links, by key
-- Before a file that was read before is linked again with its metas. $1 json list of files.
DELETE FROM file_meta WHERE file IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: put_metas, by key
-- Metas by kind and digest, each once, in that order. $1: [{u, k, g, n, fo, re}].
INSERT INTO meta (id, kind, digest, name, folded, reversed)
SELECT e.u, e.k, decode(e.g, 'hex'), e.n, e.fo, e.re
FROM jsonb_to_recordset($1::jsonb) AS e(u uuid, k text, g text, n text, fo text, re text)
ORDER BY e.k, e.g
ON CONFLICT (kind, digest) DO UPDATE SET name = excluded.name, folded = excluded.folded, reversed = excluded.reversed
    WHERE meta.name <> excluded.name AND meta.kind NOT IN ('artist', 'album');

-- name: link_metas, by key
-- A file and its stream have a meta; a meta has sub-metas. $1: [{k, g}] the metas, each looked up once; $2: [{f, m}] files
-- with the number of their meta in $1, $3: [{p, c, r}] parents and children likewise. Numbers count from 1.
WITH met AS MATERIALIZED (
    SELECT array_agg(m.id ORDER BY e.n) AS ids
    FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (k text, g text)) WITH ORDINALITY AS e(k, g, n)
    LEFT JOIN meta m ON m.kind = e.k AND m.digest = decode(e.g, 'hex')
), own AS MATERIALIZED (
    SELECT e.f AS file, (SELECT ids FROM met)[e.m] AS meta, f.stream
    FROM jsonb_to_recordset($2::jsonb) AS e(f bigint, m integer) JOIN file f ON f.id = e.f FOR KEY SHARE OF f
), of_file AS (
    INSERT INTO file_meta (file, meta) SELECT file, meta FROM own ON CONFLICT DO NOTHING
), of_stream AS (
    INSERT INTO stream_meta (stream, meta) SELECT stream, meta FROM own ON CONFLICT DO NOTHING
)
INSERT INTO meta_link (parent, child, role)
SELECT (SELECT ids FROM met)[e.p], (SELECT ids FROM met)[e.c], e.r
FROM jsonb_to_recordset($3::jsonb) AS e(p integer, c integer, r text)
ON CONFLICT DO NOTHING;

-- name: drop_meta_links, by key
-- Before a file that was read before says anew which album and artists it has. $1 json list of files.
DELETE FROM meta_link l USING file_meta fm
WHERE l.parent = fm.meta AND fm.file IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: outdated
-- Files that were read by an older version of a handler go back into the queue: only these. $1 handler, $2 version,
-- $3 json list of roots.
INSERT INTO todo (file, root)
SELECT f.id, d.root FROM reading r JOIN file f ON f.id = r.file JOIN dir d ON d.id = f.dir
WHERE r.handler = $1::text AND r.handler_version <> $2::integer AND f.missing_since_ns IS NULL AND f.type = 'f'
  AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($3::jsonb))
FOR KEY SHARE OF f
ON CONFLICT DO NOTHING;

-- name: todo_left
-- How many files of these roots are still to be read. $1 json list of roots.
SELECT count(*) FROM todo WHERE root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));
