-- The text index beside what is read: what people and side files say, words by their middle, names for completion.

-- name: unfolded_dirs
-- Folders that were listed by a version that did not fold their names. $1 most.
SELECT id, name FROM dir WHERE folded IS NULL AND parent IS NOT NULL LIMIT $1::integer;

-- name: fold_dirs
-- Their folded names. $1: [{i, w}].
UPDATE dir SET folded = e.w FROM jsonb_to_recordset($1::jsonb) AS e(i bigint, w text) WHERE dir.id = e.i;

-- name: stale_files
-- Files whose row in the text index is to be made anew, oldest first, with all that it is made of: name, folder, folder
-- above, root's path, size, mtime, kind, format, fields, those of its side files, tags and fields of people. $1 most.
SELECT s.file, s.mark, f.name, d.name, p.name, o.path, f.size, f.mtime_ns, coalesce(r.kind, f.kind_guess), r.format, t.fields,
       (SELECT jsonb_agg(x.fields) FROM side_file v JOIN file_detail x ON x.file = v.side WHERE v.main = f.id),
       (SELECT jsonb_object_agg(w.tag, w.removed) FROM work_tag w WHERE w.stream = f.stream),
       (SELECT jsonb_object_agg(w.name, w.value) FROM work_field w WHERE w.stream = f.stream)
FROM (SELECT file, mark FROM stale_text ORDER BY mark LIMIT $1::integer) s
JOIN file f ON f.id = s.file JOIN dir d ON d.id = f.dir JOIN root o ON o.id = d.root
LEFT JOIN dir p ON p.id = d.parent LEFT JOIN reading r ON r.file = f.id LEFT JOIN file_detail t ON t.file = f.id;

-- name: reindexing
-- The rows written in this transaction hold all that is known: nothing of them is noted again.
SELECT set_config('mediadb.reindexing', 'on', true);

-- name: fresh_text
-- These rows are true now, unless something changed meanwhile. $1: [{f, m}].
DELETE FROM stale_text s USING jsonb_to_recordset($1::jsonb) AS e(f bigint, m bigint) WHERE s.file = e.f AND s.mark = e.m;

-- name: words_ending
-- Words of the index that end so. $1 the end reversed, $2 what sorts behind all that begin so, $3 most.
SELECT word FROM word WHERE reversed >= $1::text AND reversed < $2::text LIMIT $3::integer;

-- name: words_holding
-- Words of the index that hold these letters. $1 their grams, $2 a pattern of LIKE, $3 most.
SELECT word FROM word WHERE grams @@ $1::tsquery AND word LIKE $2::text LIMIT $3::integer;

-- name: folders_named
-- Folders whose name has the words of a question. $1 a regular expression.
SELECT id FROM dir WHERE folded ~ $1::text;

-- name: frequent_words
-- How often the most frequent lexemes of the index are, by the server's statistics.
SELECT most_common_elems::text::text[], most_common_elem_freqs::float8[]
FROM pg_catalog.pg_stats WHERE schemaname = 'mediadb' AND tablename = 'file_text' AND attname = 'words';

-- name: file_span
-- The first and last number of a file.
SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM file;

-- name: saved_query
-- The question that was saved under a folded name: an actor's own goes before everybody's. $1 actor, $2 name.
SELECT query FROM collection WHERE kind = 'collection' AND query IS NOT NULL AND actor IN ('', $1::text) AND folded = $2::text
ORDER BY actor DESC, id LIMIT 1;

-- name: smart_collections
-- Collections that are saved questions, as an actor sees them. $1 actor.
SELECT folded, query FROM collection WHERE kind = 'collection' AND query IS NOT NULL AND actor IN ('', $1::text);

-- name: ids_before
-- Ids that live on in these items. $1 json list of streams.
SELECT old FROM stream_alias WHERE stream IN (SELECT e.value::uuid FROM jsonb_array_elements_text($1::jsonb) e);

-- name: unsettled_streams
-- Which of these items have a file that is due to be read, or whose words are to be made anew. $1 json list of streams,
-- $2 now.
SELECT DISTINCT f.stream FROM file f WHERE f.stream IN (SELECT e.value::uuid FROM jsonb_array_elements_text($1::jsonb) e)
AND (EXISTS (SELECT FROM todo t WHERE t.file = f.id AND t.not_before_ns <= $2::bigint)
     OR EXISTS (SELECT FROM stale_text s WHERE s.file = f.id));
