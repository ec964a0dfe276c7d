-- Equal files, and whether files are well.

-- The statements on equal files go from the few values that occur twice to their files, step by step (OFFSET 0 keeps the
-- planner from joining them in another order): without statistics, right after a first scan, it paired every checksum
-- with every file of its volume.

-- name: sight
-- What a statement would see now: the feed's epoch, the server's start and the snapshot. While it is the same text, no
-- transaction of anybody has been committed in between, and every answer is the same (PostgreSQL manual, "Transaction
-- ID and Snapshot Information Functions").
SELECT f.epoch || ' ' || extract(epoch FROM pg_postmaster_start_time()) || ' ' || pg_current_snapshot() FROM feed f;

-- name: exact_candidates
-- Files that may be equal byte for byte: of one size, with equal fingerprints, and not names of one file: file, size,
-- fingerprint, whether its checksum is stored, folder, name. Fingerprints whose files all have one are left out. $1 after
-- this fingerprint, $2 most, but all of the last fingerprint.
WITH twice AS MATERIALIZED (
    SELECT k.stream, v.value FROM (
        SELECT value FROM stream_key WHERE grade = 1 GROUP BY value HAVING count(*) > 1) v
    CROSS JOIN LATERAL (SELECT stream FROM stream_key k WHERE k.value = v.value AND k.grade = 1 OFFSET 0) k
    UNION
    SELECT m.stream, k.value FROM (
        SELECT stream FROM file WHERE missing_since_ns IS NULL AND type = 'f' GROUP BY stream HAVING count(*) > 1) m
    CROSS JOIN LATERAL (SELECT value FROM stream_key k WHERE k.stream = m.stream AND k.grade = 1 OFFSET 0) k
), present AS MATERIALIZED (
    SELECT t.value, f.id, f.dir, f.name, f.size, f.inode, f.mtime_ns, f.ctime_ns, r.volume,
           min(r.volume) OVER same <> max(r.volume) OVER same OR min(f.inode) OVER same <> max(f.inode) OVER same AS several
    FROM twice t
    CROSS JOIN LATERAL (
        SELECT id, dir, name, size, inode, mtime_ns, ctime_ns FROM file
        WHERE stream = t.stream AND missing_since_ns IS NULL AND type = 'f' AND size > 0 OFFSET 0) f
    CROSS JOIN LATERAL (SELECT r.volume FROM dir d JOIN root r ON r.id = d.root WHERE d.id = f.dir OFFSET 0) r
    WINDOW same AS (PARTITION BY t.value, f.size)
), known AS MATERIALIZED (
    SELECT p.value, p.size, p.id, p.dir, p.name, (
        SELECT true FROM checksum c WHERE c.volume = p.volume AND c.inode = p.inode AND c.size = p.size
        AND c.mtime_ns = p.mtime_ns AND c.scope = 'file' AND c.ctime_ns = p.ctime_ns AND c.sha256 IS NOT NULL
    ) IS NOT NULL AS known
    FROM present p WHERE p.several AND ($1::bytea IS NULL OR p.value > $1::bytea)
)
SELECT k.id, k.size, k.value, k.known, k.dir, k.name FROM (
    SELECT *, bool_and(known) OVER (PARTITION BY value) AS done FROM known) k
WHERE NOT k.done ORDER BY k.value FETCH FIRST ($2::integer) ROWS WITH TIES;

-- name: exact_groups
-- Files that are equal byte for byte, as the stored checksums say. $1 json list of items or null for all.
SELECT array_agg(f.id ORDER BY f.id), f.size, (count(DISTINCT (c.volume, f.inode)) - 1) * f.size
FROM (SELECT sha256 FROM checksum WHERE scope = 'file' AND sha256 IS NOT NULL GROUP BY sha256 HAVING count(*) > 1) v
CROSS JOIN LATERAL (
    SELECT volume, inode, size, mtime_ns, ctime_ns FROM checksum
    WHERE sha256 = v.sha256 AND scope = 'file' OFFSET 0) c
CROSS JOIN LATERAL (
    SELECT id, dir, stream, size, inode FROM file
    WHERE inode = c.inode AND size = c.size AND mtime_ns = c.mtime_ns AND ctime_ns = c.ctime_ns
      AND missing_since_ns IS NULL AND type = 'f' AND size > 0 OFFSET 0) f
CROSS JOIN LATERAL (SELECT r.volume FROM dir d JOIN root r ON r.id = d.root WHERE d.id = f.dir OFFSET 0) r
WHERE r.volume = c.volume
GROUP BY v.sha256, f.size HAVING count(DISTINCT (c.volume, f.inode)) > 1
   AND ($1::jsonb IS NULL OR bool_or(f.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))))
ORDER BY 3 DESC, 1;

-- name: payload_candidates
-- Files whose payload may be equal and whose stream has no checksum yet, one a stream, with their sizes. $1 after this
-- file, $2 most.
WITH twice AS MATERIALIZED (
    SELECT k.stream, v.value FROM (
        SELECT value FROM stream_key WHERE grade = 1 GROUP BY value HAVING count(*) > 1) v
    CROSS JOIN LATERAL (SELECT stream FROM stream_key k WHERE k.value = v.value AND k.grade = 1 OFFSET 0) k
    UNION
    SELECT m.stream, k.value FROM (
        SELECT stream FROM file WHERE missing_since_ns IS NULL AND type = 'f' GROUP BY stream HAVING count(*) > 1) m
    CROSS JOIN LATERAL (SELECT value FROM stream_key k WHERE k.stream = m.stream AND k.grade = 1 OFFSET 0) k
), present AS MATERIALIZED (
    SELECT f.id, f.size, t.stream,
           min(r.volume) OVER same <> max(r.volume) OVER same OR min(f.inode) OVER same <> max(f.inode) OVER same AS several
    FROM twice t
    CROSS JOIN LATERAL (
        SELECT id, dir, size, inode FROM file
        WHERE stream = t.stream AND missing_since_ns IS NULL AND type = 'f' AND size > 0 OFFSET 0) f
    CROSS JOIN LATERAL (SELECT r.volume FROM dir d JOIN root r ON r.id = d.root WHERE d.id = f.dir OFFSET 0) r
    WINDOW same AS (PARTITION BY t.value)
), first AS MATERIALIZED (
    SELECT DISTINCT ON (stream) stream, id, size FROM present WHERE several ORDER BY stream, id
)
SELECT n.id, n.size FROM first n
WHERE n.id > $1::bigint AND (
    SELECT true FROM stream_key c WHERE c.stream = n.stream AND c.grade = 3 AND c.algorithm <> 'pcm-md5/1' LIMIT 1) IS NULL
ORDER BY n.id LIMIT $2::integer;

-- name: payload_groups
-- Files with equal payloads, as the checksums of their streams say: one stream with several files, or several streams.
-- $1 json list of items or null for all.
SELECT array_agg(DISTINCT f.id), max(f.size), sum(f.size) - max(f.size)
FROM (SELECT stream, value FROM stream_key WHERE grade = 3 AND algorithm NOT IN ('pcm-md5/1', 'av-tracks/1') OFFSET 0) k
CROSS JOIN LATERAL (
    SELECT id, dir, stream, size, inode FROM file
    WHERE stream = k.stream AND missing_since_ns IS NULL AND type = 'f' AND size > 0 OFFSET 0) f
CROSS JOIN LATERAL (SELECT r.volume FROM dir d JOIN root r ON r.id = d.root WHERE d.id = f.dir OFFSET 0) r
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

-- name: names_of_files
-- Where files are: (file, stream, folder, name). $1 json list of files.
SELECT id, stream, dir, name FROM file WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: checksums_at
-- Stored SHA-256 for exactly these stats. $1: [{f, u, i, s, m, c}] file, volume, inode, size, mtime, ctime, $2 scope.
SELECT e.f, c.algorithm, c.sha256
FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, u bigint, i bigint, s bigint, m bigint, c bigint)
CROSS JOIN LATERAL (
    SELECT algorithm, sha256, ctime_ns FROM checksum
    WHERE volume = e.u AND inode = e.i AND size = e.s AND mtime_ns = e.m AND scope = $2::text OFFSET 0) c
WHERE c.ctime_ns = e.c AND c.sha256 IS NOT NULL;

-- name: put_checksums
-- Checksums of files' bytes or of their streams, as put_checksum does for one. $1: [{u, i, s, m, c, e, a, d}] volume,
-- inode, size, mtime, ctime, scope, algorithm, SHA-256 in hex, $2 now. Names of one file come together: one row.
INSERT INTO checksum (volume, inode, size, mtime_ns, ctime_ns, scope, algorithm, sha256, at_ns)
SELECT DISTINCT ON (e.u, e.i, e.s, e.m, e.e) e.u, e.i, e.s, e.m, e.c, e.e, e.a, decode(e.d, 'hex'), $2::bigint
FROM jsonb_to_recordset($1::jsonb) AS e(u bigint, i bigint, s bigint, m bigint, c bigint, e text, a text, d text)
ORDER BY e.u, e.i, e.s, e.m, e.e, e.c DESC
ON CONFLICT (volume, inode, size, mtime_ns, scope) DO UPDATE SET ctime_ns = excluded.ctime_ns, algorithm = excluded.algorithm,
    md5 = CASE WHEN checksum.ctime_ns = excluded.ctime_ns AND checksum.algorithm = excluded.algorithm THEN checksum.md5 END,
    sha1 = CASE WHEN checksum.ctime_ns = excluded.ctime_ns AND checksum.algorithm = excluded.algorithm THEN checksum.sha1 END,
    sha256 = excluded.sha256, at_ns = excluded.at_ns;

-- name: put_keys_at
-- Keys of the payloads that files had at a stat, as put_checksum_keys stores those of one. $1: [{f, g, a, v, w, i, s, m,
-- c}] w: only of a stream whose fingerprint is made of all bytes.
INSERT INTO stream_key (stream, grade, algorithm, value)
SELECT f.stream, e.g, e.a, decode(e.v, 'hex')
FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, g smallint, a text, v text, w boolean, i bigint, s bigint, m bigint, c bigint)
JOIN file f ON f.id = e.f
WHERE (f.inode, f.size, f.mtime_ns, f.ctime_ns) = (e.i, e.s, e.m, e.c)
  AND NOT EXISTS (SELECT FROM todo t WHERE t.file = f.id)
  AND (NOT e.w OR EXISTS (
      SELECT FROM stream_key k WHERE k.stream = f.stream AND k.grade = 1 AND k.algorithm = 'whole/1'))
ON CONFLICT DO NOTHING;

-- name: tell_checksums
-- The events of checksums that were computed. $1: [{t, v}] stream and the event's value, $2 now, $3 host.
WITH entry AS MATERIALIZED (
    SELECT e.t, e.v, e.n FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (t uuid, v jsonb)) WITH ORDINALITY AS e(t, v, n)
), numbered AS (UPDATE feed SET last = last + (SELECT count(*) FROM entry) WHERE EXISTS (SELECT FROM entry) RETURNING last)
INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
SELECT n.last - row_number() OVER (ORDER BY e.n DESC) + 1, $2::bigint, $3::uuid, '', 'stream', e.t::text, 'checksummed', e.v
FROM entry e, numbered n;

-- name: streams_to_settle
-- Of these streams those that may be joined with an equal one: there is work on either side. $1 json list of streams.
SELECT DISTINCT k.stream FROM jsonb_array_elements_text($1::jsonb) e
CROSS JOIN LATERAL (SELECT stream, value FROM stream_key WHERE stream = e.value::uuid AND grade = 3 OFFSET 0) k
CROSS JOIN LATERAL (
    SELECT stream FROM stream_key WHERE value = k.value AND grade = 3 AND stream <> k.stream OFFSET 0) o
WHERE EXISTS (SELECT FROM work w WHERE w.stream IN (k.stream, o.stream));

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
