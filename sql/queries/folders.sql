-- Folders as persons walk through them.

-- name: tops_of_roots
-- The folder at the top of each of these roots. $1 json list of roots.
SELECT d.id, d.root, d.mtime_ns FROM dir d
WHERE d.parent IS NULL AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: folder_above
-- A folder and those above it, itself first: (id, parent, root, name, mtime). $1 folder.
WITH RECURSIVE up(id, parent, root, name, mtime_ns, depth) AS (
    SELECT id, parent, root, name, mtime_ns, 0 FROM dir WHERE id = $1::bigint
    UNION ALL
    SELECT d.id, d.parent, d.root, d.name, d.mtime_ns, up.depth + 1 FROM up JOIN dir d ON d.id = up.parent
)
SELECT id, parent, root, name, mtime_ns FROM up ORDER BY depth;

-- name: folders_in
-- The folders in a folder by name; those are left out that a walk found gone: they have neither a digest nor a stat, and
-- nothing is present in them. $1 root, $2 folder, $3 after this name or null, $4 most.
SELECT d.id, d.name, d.mtime_ns FROM dir d
WHERE d.root = $1::bigint AND d.parent = $2::bigint AND d.name > coalesce($3::bytea, ''::bytea)
  AND (d.seen OR (SELECT true FROM file f WHERE f.dir = d.id AND f.missing_since_ns IS NULL LIMIT 1))
ORDER BY d.name LIMIT $4::integer;

-- name: folder_counts, by key
-- How many present files and how many folders are in each of these folders itself. Counted in indexes, without the rows: a
-- folder may have tens of thousands. $1 json list of folders.
SELECT a.id, (SELECT count(*) FROM file f WHERE f.dir = a.id)
             - (SELECT count(*) FROM file f WHERE f.dir = a.id AND f.missing_since_ns IS NOT NULL),
       (SELECT count(*) FROM dir d WHERE d.parent = a.id AND d.seen)
       + (SELECT count(*) FROM dir d WHERE d.parent = a.id AND NOT d.seen
          AND (SELECT true FROM file f WHERE f.dir = d.id AND f.missing_since_ns IS NULL LIMIT 1))
FROM (SELECT value::bigint AS id FROM jsonb_array_elements_text($1::jsonb)) a;

-- name: files_in
-- The present files in a folder by name: (file, stream, name). $1 folder, $2 after this name or null, $3 most.
SELECT f.id, f.stream, f.name FROM file f
WHERE f.dir = $1::bigint AND f.missing_since_ns IS NULL AND f.name > coalesce($2::bytea, ''::bytea)
ORDER BY f.name LIMIT $3::integer;
