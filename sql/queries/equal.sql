-- Equal files, and whether files are well.

-- name: exact_candidates
-- Files that may be equal byte for byte: of one size, with equal fingerprints, and not names of one file; with the
-- checksum that is stored for them. $1 after this file, $2 most.
WITH same AS MATERIALIZED (
    SELECT f.size, k.value FROM file f JOIN stream_key k ON k.stream = f.stream AND k.grade = 1
    JOIN dir d ON d.id = f.dir JOIN root r ON r.id = d.root
    WHERE f.missing_since_ns IS NULL AND f.type = 'f' AND f.size > 0
    GROUP BY f.size, k.value HAVING count(DISTINCT (r.volume, f.inode)) > 1
)
SELECT f.id FROM same s JOIN stream_key k ON k.value = s.value AND k.grade = 1
JOIN file f ON f.stream = k.stream AND f.size = s.size AND f.missing_since_ns IS NULL AND f.type = 'f'
JOIN dir d ON d.id = f.dir JOIN root r ON r.id = d.root
WHERE NOT EXISTS (
    SELECT FROM checksum c WHERE c.volume = r.volume AND c.inode = f.inode AND c.size = f.size AND c.mtime_ns = f.mtime_ns
    AND c.ctime_ns = f.ctime_ns AND c.scope = 'file' AND c.sha256 IS NOT NULL)
AND f.id > $1::bigint ORDER BY f.id LIMIT $2::integer;

-- name: exact_groups
-- Files that are equal byte for byte, as the stored checksums say. $1 json list of items or null for all.
SELECT array_agg(f.id ORDER BY f.id), f.size, (count(DISTINCT (r.volume, f.inode)) - 1) * f.size
FROM file f JOIN dir d ON d.id = f.dir JOIN root r ON r.id = d.root
JOIN checksum c ON c.volume = r.volume AND c.inode = f.inode AND c.size = f.size AND c.mtime_ns = f.mtime_ns
               AND c.ctime_ns = f.ctime_ns AND c.scope = 'file'
WHERE f.missing_since_ns IS NULL AND f.type = 'f' AND f.size > 0 AND c.sha256 IS NOT NULL
GROUP BY c.sha256, f.size HAVING count(DISTINCT (r.volume, f.inode)) > 1
   AND ($1::jsonb IS NULL OR bool_or(f.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))))
ORDER BY 3 DESC, 1;

-- name: payload_candidates
-- Files whose payload may be equal and whose stream has no checksum yet. $1 after this file, $2 most.
WITH same AS MATERIALIZED (
    SELECT k.value FROM stream_key k JOIN file f ON f.stream = k.stream JOIN dir d ON d.id = f.dir JOIN root r ON r.id = d.root
    WHERE k.grade = 1 AND f.missing_since_ns IS NULL AND f.type = 'f' AND f.size > 0
    GROUP BY k.value HAVING count(DISTINCT (r.volume, f.inode)) > 1
)
SELECT min(f.id) FROM same s JOIN stream_key k ON k.value = s.value AND k.grade = 1
JOIN file f ON f.stream = k.stream AND f.missing_since_ns IS NULL AND f.type = 'f'
WHERE NOT EXISTS (SELECT FROM stream_key c WHERE c.stream = k.stream AND c.grade = 3 AND c.algorithm <> 'pcm-md5/1')
GROUP BY k.stream HAVING min(f.id) > $1::bigint ORDER BY 1 LIMIT $2::integer;

-- name: payload_groups
-- Files with equal payloads, as the checksums of their streams say: one stream with several files, or several streams.
-- $1 json list of items or null for all.
SELECT array_agg(DISTINCT f.id), max(f.size), sum(f.size) - max(f.size)
FROM stream_key k JOIN file f ON f.stream = k.stream AND f.missing_since_ns IS NULL AND f.type = 'f'
JOIN dir d ON d.id = f.dir JOIN root r ON r.id = d.root
WHERE k.grade = 3 AND k.algorithm NOT IN ('pcm-md5/1', 'av-tracks/1') AND f.size > 0
GROUP BY k.value HAVING count(DISTINCT (r.volume, f.inode)) > 1
   AND ($1::jsonb IS NULL OR bool_or(f.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))))
ORDER BY 3 DESC, 1;

-- name: twin_groups
-- Files that decode to the same samples, or hold the same tracks, in different payloads. $1 json list of items or null.
SELECT array_agg(DISTINCT f.id), max(f.size), sum(f.size) - max(f.size)
FROM stream_key k JOIN file f ON f.stream = k.stream AND f.missing_since_ns IS NULL AND f.type = 'f'
WHERE k.grade = 3 AND k.algorithm IN ('pcm-md5/1', 'av-tracks/1')
GROUP BY k.value HAVING count(DISTINCT f.stream) > 1
   AND ($1::jsonb IS NULL OR bool_or(f.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))))
ORDER BY 3 DESC, 1;

-- name: hardlink_groups
-- Names of one file. $1 json list of items or null for all.
SELECT array_agg(f.id ORDER BY f.id), f.size, 0::bigint
FROM file f JOIN dir d ON d.id = f.dir JOIN root r ON r.id = d.root
WHERE f.missing_since_ns IS NULL AND f.type = 'f' AND f.nlink > 1
GROUP BY r.volume, f.inode, f.size HAVING count(*) > 1
   AND ($1::jsonb IS NULL OR bool_or(f.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))))
ORDER BY f.size DESC, 1;

-- name: missing_there
-- Files of one root whose payload no file of another root has. $1 json list of items or null, $2 root, $3 other root.
SELECT ARRAY[f.id], f.size, 0::bigint
FROM file f JOIN dir d ON d.id = f.dir
WHERE d.root = $2::bigint AND f.missing_since_ns IS NULL AND f.type = 'f'
  AND ($1::jsonb IS NULL OR f.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb)))
  AND NOT EXISTS (
    SELECT FROM file o JOIN dir od ON od.id = o.dir
    WHERE od.root = $3::bigint AND o.missing_since_ns IS NULL AND (o.stream = f.stream OR EXISTS (
        SELECT FROM stream_key k JOIN stream_key ok ON ok.value = k.value AND ok.grade = 1
        WHERE k.stream = f.stream AND k.grade = 1 AND ok.stream = o.stream)))
ORDER BY f.id;

-- name: single_copies
-- Files whose payload lies on fewer volumes than asked. $1 json list of items or null, $2 fewer than.
WITH placed AS MATERIALIZED (
    SELECT f.id, f.size, f.stream, coalesce((SELECT k.value FROM stream_key k
                                       WHERE k.stream = f.stream AND k.grade = 1 ORDER BY k.value LIMIT 1),
           decode(replace(f.stream::text, '-', ''), 'hex')) AS value, r.volume
    FROM file f JOIN dir d ON d.id = f.dir JOIN root r ON r.id = d.root
    WHERE f.missing_since_ns IS NULL AND f.type = 'f' AND f.size > 0
)
SELECT array_agg(id ORDER BY id), max(size), 0::bigint FROM placed
GROUP BY value HAVING count(DISTINCT volume) < $2::integer
   AND ($1::jsonb IS NULL OR bool_or(stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))))
ORDER BY 1;

-- name: streams_of_files
-- The streams of files, in no order. $1 json list of files.
SELECT id, stream FROM file WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: verify_state
-- How far the verification of this host has come: the last file looked at.
SELECT after FROM verification WHERE host = $1::uuid;

-- name: put_verify_state
-- How far it has come. $1 host, $2 file, $3 now.
INSERT INTO verification (host, after, at_ns) VALUES ($1::uuid, $2::bigint, $3::bigint)
ON CONFLICT (host) DO UPDATE SET after = excluded.after, at_ns = excluded.at_ns;

-- name: files_to_verify
-- The next files of these roots. $1 json list of roots, $2 after this file, $3 most.
SELECT f.id FROM file f JOIN dir d ON d.id = f.dir
WHERE d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) AND f.type = 'f'
  AND f.missing_since_ns IS NULL AND f.id > $2::bigint
ORDER BY f.id LIMIT $3::integer;

-- name: left_to_verify
-- How many files of these roots come after this one. $1 json list of roots, $2 after this file.
SELECT count(*) FROM file f JOIN dir d ON d.id = f.dir
WHERE d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) AND f.type = 'f'
  AND f.missing_since_ns IS NULL AND f.id > $2::bigint;

-- name: checksum_known
-- The stored checksum of a file in a scope, for whatever stat it was. $1 volume, $2 inode, $3 scope.
SELECT size, mtime_ns, algorithm, sha256 FROM checksum
WHERE volume = $1::bigint AND inode = $2::bigint AND scope = $3::text ORDER BY at_ns DESC LIMIT 1;

-- name: file_facts
-- A file as it is stored: (stream, folder, name, volume, inode, size, mtime).
SELECT f.stream, f.dir, f.name, r.volume, f.inode, f.size, f.mtime_ns FROM file f JOIN dir d ON d.id = f.dir
JOIN root r ON r.id = d.root WHERE f.id = $1::bigint;

-- name: good_copies
-- Other present files that have this checksum of all their bytes. $1 file, $2 checksum.
SELECT f.id, f.dir, f.name FROM checksum c JOIN root r ON r.volume = c.volume JOIN dir d ON d.root = r.id
JOIN file f ON f.dir = d.id AND f.inode = c.inode AND f.size = c.size AND f.mtime_ns = c.mtime_ns
WHERE c.scope = 'file' AND c.sha256 = $2::bytea AND f.id <> $1::bigint AND f.missing_since_ns IS NULL LIMIT 20;
