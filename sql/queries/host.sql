-- Hosts, volumes, mounts, roots.

-- name: claim_host
-- Registers this host and raises its epoch: from now on every earlier daemon of the host is fenced off.
INSERT INTO host (id, name, epoch, seen_ns) VALUES ($1::uuid, $2::text, 1, $3::bigint)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, epoch = host.epoch + 1, seen_ns = excluded.seen_ns
RETURNING epoch;

-- name: host_lock
-- One daemon a host: a session lock on the host's id, held by the dedicated connection.
SELECT pg_try_advisory_lock(hashtextextended('mediad ' || $1::text, 0));

-- name: fence
-- First statement of every unit that writes: refuses a daemon whose epoch is over.
SELECT fence($1::uuid, $2::bigint);

-- name: put_mount
-- A volume and where this host sees it. An empty update returns the id of a row that is already there.
WITH v AS (
    INSERT INTO volume (uuid, fs_type) VALUES ($2::text, $3::text)
    ON CONFLICT (uuid) DO UPDATE SET fs_type = excluded.fs_type RETURNING id
)
INSERT INTO mount (host, volume, fs_root, path, seen_ns)
SELECT $1::uuid, v.id, $4::bytea, $5::bytea, $6::bigint FROM v
ON CONFLICT (host, volume) DO UPDATE SET fs_root = excluded.fs_root, path = excluded.path, seen_ns = excluded.seen_ns
RETURNING volume;

-- name: put_root
-- Makes a root with its top folder, or returns the one that is there (watched stays watched).
WITH r AS (
    INSERT INTO root (volume, path, only_name, owner, watched, cross_mounts, exclude, added_ns)
    VALUES ($1::bigint, $2::bytea, $3::bytea, $4::uuid, $5::boolean, $6::boolean,
            ARRAY(SELECT jsonb_array_elements_text($7::jsonb)), $8::bigint)
    ON CONFLICT (volume, sha256(path), only_name) DO UPDATE
        SET watched = root.watched OR excluded.watched, owner = excluded.owner, exclude = excluded.exclude,
            cross_mounts = root.cross_mounts OR excluded.cross_mounts
    RETURNING id, (xmax = 0) AS fresh
), d AS (
    INSERT INTO dir (id, root, parent, name)
    SELECT nextval('dir_id'), r.id, NULL, ''::bytea FROM r
    ON CONFLICT (root, parent, name) DO NOTHING
), e AS (
    SELECT id FROM r WHERE fresh
), f AS (
    UPDATE feed SET last = last + 1 WHERE EXISTS (SELECT FROM e) RETURNING last
), ev AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT f.last, $8::bigint, $4::uuid, $9::text, $10::uuid, 'root', e.id::text, 'added', '{}'::jsonb FROM e, f
)
SELECT id, fresh FROM r;

-- name: roots_on
-- The roots of the volumes that this host sees or owns, with where they are. Children of mounts come with the mount.
SELECT r.id, r.volume, v.uuid, v.fs_type, r.path, r.only_name, r.owner, r.watched, r.cross_mounts, to_jsonb(r.exclude),
       r.scanned_ns, m.fs_root, m.path, h.name, r.frozen
FROM root r JOIN volume v ON v.id = r.volume JOIN host h ON h.id = r.owner
LEFT JOIN mount m ON m.volume = r.volume AND m.host = $1::uuid
ORDER BY r.id;

-- name: root_counts
-- What each root holds, for people: names, bytes, missing, failed, folders, not read yet. Counted folder by folder in one
-- pass over the files, whatever the planner believes of the tables (OFFSET 0).
WITH held AS MATERIALIZED (
    SELECT d.root, sum(p.present) AS present, sum(p.size) AS size, sum(p.missing) AS missing FROM (
        SELECT dir, count(*) FILTER (WHERE missing_since_ns IS NULL) AS present,
               sum(size) FILTER (WHERE missing_since_ns IS NULL AND type = 'f') AS size,
               count(*) FILTER (WHERE missing_since_ns IS NOT NULL) AS missing
        FROM file GROUP BY dir) p
    CROSS JOIN LATERAL (SELECT root FROM dir WHERE id = p.dir OFFSET 0) d
    GROUP BY d.root
), failed AS MATERIALIZED (
    SELECT d.root, count(*) AS files FROM reading x
    CROSS JOIN LATERAL (SELECT dir FROM file WHERE id = x.file OFFSET 0) f
    CROSS JOIN LATERAL (SELECT root FROM dir WHERE id = f.dir OFFSET 0) d
    WHERE x.state IN ('failed', 'parked') GROUP BY d.root
)
SELECT r.id, coalesce(h.present, 0)::bigint, coalesce(h.size, 0)::bigint, coalesce(h.missing, 0)::bigint,
       coalesce(x.files, 0)::bigint, (SELECT count(*) FROM dir d WHERE d.root = r.id),
       (SELECT count(*) FROM todo t WHERE t.root = r.id)
FROM root r LEFT JOIN held h ON h.root = r.id LEFT JOIN failed x ON x.root = r.id;

-- name: scanned
-- A walk of this root came to its end: whatever it was frozen for is over.
UPDATE root SET scanned_ns = $2::bigint, frozen = NULL WHERE id = $1::bigint;

-- name: freeze_root
-- A root lost so much at once that it is taken for away (settled 26). $2: in which words.
UPDATE root SET frozen = $2::text WHERE id = $1::bigint;

-- name: absorb_root
-- An outer folder was added: the inner root becomes a folder of it. $1 inner root, $2 outer root, $3 parent folder, $4 name.
WITH top AS (
    UPDATE dir SET root = $2::bigint, parent = $3::bigint, name = $4::bytea
    WHERE root = $1::bigint AND parent IS NULL RETURNING id
), moved AS (
    UPDATE dir SET root = $2::bigint WHERE root = $1::bigint AND parent IS NOT NULL RETURNING id
)
SELECT (SELECT count(*) FROM top) + (SELECT count(*) FROM moved);

-- name: drop_root
-- Forgets a root that holds no folder any more.
DELETE FROM root WHERE id = $1::bigint;

-- name: move_todo
-- Files waiting in an inner root wait in the outer one. $1 inner root, $2 outer root.
UPDATE todo SET root = $2::bigint WHERE root = $1::bigint;
