-- The words inside documents, lyrics and subtitles: which files, what was extracted, what waits.

-- name: content_facts
-- A file whose text is wanted, what is known of it, and what was extracted: (stream, folder, name, type, present, inode,
-- size, mtime, handler, version, then of its content size, mtime, handler, version, rule, code, bytes). $1
-- file.
SELECT f.stream, f.dir, f.name, f.type, f.missing_since_ns IS NULL, f.inode, f.size, f.mtime_ns, r.handler,
       r.handler_version, c.size, c.mtime_ns, c.handler, c.handler_version, c.rule, c.problem_code, c.bytes
FROM file f LEFT JOIN reading r ON r.file = f.id LEFT JOIN content c ON c.file = f.id WHERE f.id = $1::bigint;

-- name: content_files
-- The present regular files of items in these roots: (file). $1 json list of streams, $2 json list of roots.
SELECT f.id FROM jsonb_array_elements_text($1::jsonb) e
CROSS JOIN LATERAL (SELECT * FROM file o WHERE o.stream = e.value::uuid LIMIT 100000) f
CROSS JOIN LATERAL (SELECT o.root FROM dir o WHERE o.id = f.dir LIMIT 1) d
WHERE f.missing_since_ns IS NULL AND f.type = 'f'
  AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($2::jsonb))
ORDER BY f.id;

-- name: content_ask
-- Files whose text a person wants in the index now. $1 json list of files, $2 now.
INSERT INTO content_todo (file, since_ns, not_before_ns, asked)
SELECT f.id, $2::bigint, $2::bigint, true FROM file f
WHERE f.id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))
ON CONFLICT (file) DO UPDATE SET since_ns = excluded.since_ns, not_before_ns = excluded.not_before_ns, tries = 0, asked = true;

-- name: content_enqueue
-- Of the files of these streams: those whose text was extracted at another stat, or under a name that their item has no
-- more; and those of the rule that have none yet. $1 json list of streams, $2 json list of roots, $3 now, $4 json list of
-- kinds (document, subtitle, lyrics), $5 json list of those among the streams that the rule's query finds. The limits keep
-- the planner from looking at every file first.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT coalesce(a.stream, e.value::uuid) AS stream FROM jsonb_array_elements_text($1::jsonb) e
    LEFT JOIN stream_alias a ON a.old = e.value::uuid
), found AS MATERIALIZED (
    SELECT DISTINCT coalesce(a.stream, e.value::uuid) AS stream FROM jsonb_array_elements_text($5::jsonb) e
    LEFT JOIN stream_alias a ON a.old = e.value::uuid
), named AS MATERIALIZED (
    SELECT f.id, f.stream, f.size, f.mtime_ns, r.kind, r.format FROM asked a
    CROSS JOIN LATERAL (SELECT * FROM file o WHERE o.stream = a.stream LIMIT 100000) f
    CROSS JOIN LATERAL (SELECT o.root FROM dir o WHERE o.id = f.dir LIMIT 1) d
    CROSS JOIN LATERAL (SELECT * FROM reading o WHERE o.file = f.id LIMIT 1) r
    WHERE f.missing_since_ns IS NULL AND f.type = 'f'
      AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($2::jsonb))
), wanted AS (
    SELECT n.id FROM named n
    LEFT JOIN LATERAL (SELECT * FROM content o WHERE o.file = n.id LIMIT 1) c ON true
    LEFT JOIN LATERAL (SELECT fields FROM file_detail o WHERE o.file = n.id LIMIT 1) t ON true
    WHERE CASE WHEN c.file IS NOT NULL THEN
        (c.size, c.mtime_ns) <> (n.size, n.mtime_ns)
    ELSE
        n.stream IN (SELECT stream FROM found)
        OR ($4::jsonb ? 'subtitle' AND n.format IN ('srt', 'vtt', 'ass', 'sub'))
        OR ($4::jsonb ? 'lyrics' AND (n.format = 'lrc' OR t.fields ?| ARRAY['lyrics', 'synced_lyrics']))
        OR ($4::jsonb ? 'document' AND n.kind = 'document' AND n.format NOT IN ('srt', 'vtt', 'ass', 'sub', 'lrc'))
        OR EXISTS (SELECT FROM file o JOIN content x ON x.file = o.id
                   WHERE o.stream = n.stream AND o.missing_since_ns IS NOT NULL)
    END
)
INSERT INTO content_todo (file, since_ns, not_before_ns) SELECT id, $3::bigint, $3::bigint FROM wanted
ON CONFLICT (file) DO UPDATE SET since_ns = excluded.since_ns, not_before_ns = excluded.not_before_ns, tries = 0;

-- name: content_outdated
-- Files whose text an older version of a handler, or an older rule of folding, has extracted. $1 handler, $2 version,
-- $3 rule, $4 json list of roots, $5 now.
INSERT INTO content_todo (file, since_ns, not_before_ns)
SELECT f.id, $5::bigint, $5::bigint FROM content c JOIN file f ON f.id = c.file JOIN dir d ON d.id = f.dir
WHERE c.handler = $1::text AND (c.handler_version <> $2::integer OR c.rule <> $3::smallint)
  AND f.missing_since_ns IS NULL AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($4::jsonb))
ON CONFLICT DO NOTHING;

-- name: content_page
-- A page of the regular files: (file, stream). $1 after this file, $2 most.
SELECT id, stream FROM file WHERE id > $1::bigint AND type = 'f' AND missing_since_ns IS NULL ORDER BY id LIMIT $2::integer;

-- name: content_any
-- Whether text of any file was extracted, or is to be.
SELECT EXISTS (SELECT FROM content) OR EXISTS (SELECT FROM content_todo);

-- name: content_cursor
-- How far this host has looked: (epoch, number, rule, swept). $1 host.
SELECT epoch, seq, rule, swept FROM content_cursor WHERE host = $1::uuid;

-- name: put_content_cursor
-- This host has looked so far. $1 host, $2 epoch, $3 number, $4 rule, $5 swept.
INSERT INTO content_cursor (host, epoch, seq, rule, swept) VALUES ($1::uuid, $2::uuid, $3::bigint, $4::text, $5::bigint)
ON CONFLICT (host) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, rule = excluded.rule, swept = excluded.swept;

-- name: content_take
-- The next files of these roots that are due: (file, since, tries, asked). $1 json list of roots, $2 now, $3 only those
-- that were asked for, $4 most.
SELECT t.file, t.since_ns, t.tries, t.asked FROM content_todo t JOIN file f ON f.id = t.file JOIN dir d ON d.id = f.dir
WHERE t.not_before_ns <= $2::bigint AND (t.asked OR NOT $3::boolean)
  AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))
ORDER BY t.asked DESC, t.not_before_ns, t.file LIMIT $4::integer;

-- name: content_due
-- When the next file of these roots is due. $1 json list of roots.
SELECT min(t.not_before_ns) FROM content_todo t JOIN file f ON f.id = t.file JOIN dir d ON d.id = f.dir
WHERE d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: drop_content_words
-- Before a file's words are stored anew. $1 file.
DELETE FROM content_words WHERE file = $1::bigint;

-- name: put_content
-- What was extracted of a file, or why nothing was. $1 file, $2 size, $3 mtime, $4 handler, $5 version, $6 rule,
-- $7 bytes, $8 truncated, $9 code, $10 message, $11 now.
INSERT INTO content (file, size, mtime_ns, handler, handler_version, rule, bytes, truncated, problem_code, problem, at_ns)
SELECT f.id, $2::bigint, $3::bigint, $4::text, $5::integer, $6::smallint, $7::bigint, $8::boolean, $9::text, $10::text, $11::bigint
FROM file f WHERE f.id = $1::bigint
ON CONFLICT (file) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, handler = excluded.handler,
    handler_version = excluded.handler_version, rule = excluded.rule, bytes = excluded.bytes,
    truncated = excluded.truncated, problem_code = excluded.problem_code, problem = excluded.problem, at_ns = excluded.at_ns;

-- name: put_content_words
-- Parts of a file's words. $1 file, $2 number of the first, $3 json list of tsvectors as text.
INSERT INTO content_words (file, part, words)
SELECT c.file, $2::integer + e.ordinality - 1, e.value::tsvector
FROM content c, jsonb_array_elements_text($3::jsonb) WITH ORDINALITY e WHERE c.file = $1::bigint
ON CONFLICT (file, part) DO UPDATE SET words = excluded.words;

-- name: content_done
-- A file's text was extracted: unless something happened to it since. $1 file, $2 since.
DELETE FROM content_todo WHERE file = $1::bigint AND since_ns <= $2::bigint;

-- name: content_put_off
-- It could not be done now: again later; nobody waits for it any more. $1 file, $2 not before.
UPDATE content_todo SET not_before_ns = $2::bigint, tries = least(tries + 1, 1000)::smallint, asked = false
WHERE file = $1::bigint;

-- name: content_counts
-- How many files have words in the index, have none, could not be read, wait.
SELECT count(*) FILTER (WHERE bytes > 0), count(*) FILTER (WHERE bytes = 0 AND coalesce(problem_code, 'unsupported') = 'unsupported'),
       count(*) FILTER (WHERE problem_code <> 'unsupported'), (SELECT count(*) FROM content_todo) FROM content;

-- name: content_left
-- Which of these files somebody still waits for, in these roots: (file). $1 json list of files, $2 json list of roots.
SELECT t.file FROM content_todo t JOIN file f ON f.id = t.file JOIN dir d ON d.id = f.dir
WHERE t.asked AND t.file IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))
  AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($2::jsonb));
