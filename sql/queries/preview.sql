-- What previews are made of. They themselves are files in the data folder (docs/decisions/0018-previews-are-files.md).

-- name: preview_files
-- The regular files of an item, those that can be read here first: (file, folder, name, size, mtime, kind, handler,
-- version, readable). $1 stream, $2 json list of roots.
SELECT f.id, f.dir, f.name, f.size, f.mtime_ns, coalesce(r.kind, f.kind_guess), r.handler, r.handler_version,
       f.missing_since_ns IS NULL AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($2::jsonb)) AS readable
FROM (SELECT * FROM file WHERE stream = $1::uuid LIMIT 1000) f
CROSS JOIN LATERAL (SELECT o.root FROM dir o WHERE o.id = f.dir LIMIT 1) d
LEFT JOIN LATERAL (SELECT * FROM reading o WHERE o.file = f.id LIMIT 1) r ON true
WHERE f.type = 'f' ORDER BY readable DESC, f.id;

-- name: preview_beside
-- Pictures in a folder that are a cover by their name: (stream, name as lower-case text), at most 20. $1 folder, $2 how
-- names without their extension are matched (a regular expression), $3 a stem in hexadecimal: the picture may have it too,
-- with `-poster` and its like behind it.
SELECT f.stream, lower(encode(f.name, 'escape')) FROM (SELECT * FROM file WHERE dir = $1::bigint LIMIT 100000) f
WHERE f.type = 'f' AND f.missing_since_ns IS NULL AND f.kind_guess = 'image'
  AND (lower(encode(f.name, 'escape')) ~ ('^(' || $2::text || ')\.[a-z0-9]+$')
       OR ($3::text <> '' AND substring(f.name FROM 1 FOR length(decode($3::text, 'hex'))) = decode($3::text, 'hex')
           AND lower(encode(substring(f.name FROM length(decode($3::text, 'hex')) + 1), 'escape'))
               ~ '^(-(poster|cover|folder|thumb))?\.[a-z0-9]+$'))
ORDER BY f.id LIMIT 20;

-- name: preview_left
-- Which of these items still have files, present or missing: (stream). $1 json list of streams.
SELECT s.id FROM stream s WHERE s.id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))
  AND EXISTS (SELECT FROM file f WHERE f.stream = s.id);
