-- Persons, their keys and sessions (decision 0017). Secrets are looked up by their SHA-256.

-- name: person_by_name
-- A person by folded name, with what the password is compared with.
SELECT id, name, role, created_ns, seen_ns, scrypt FROM person WHERE folded = $1::text;

-- name: persons
-- All persons, or the one of that folded name. $1 folded name or ''.
SELECT name, role, created_ns, seen_ns FROM person WHERE $1::text = '' OR folded = $1::text ORDER BY folded;

-- name: api_keys
-- The keys of all persons or of one, without their secrets. $1 folded name or ''.
SELECT k.id, p.name, k.name, k.created_ns, k.used_ns FROM api_key k JOIN person p ON p.id = k.person
WHERE $1::text = '' OR p.folded = $1::text ORDER BY p.folded, k.created_ns, k.id;

-- name: sessions
-- The sessions of all persons or of one that have not ended. $1 folded name or '', $2 now.
SELECT s.id, p.name, s.client, s.created_ns, s.used_ns, s.expires_ns FROM session s JOIN person p ON p.id = s.person
WHERE ($1::text = '' OR p.folded = $1::text) AND s.expires_ns > $2::bigint ORDER BY p.folded, s.created_ns, s.id;

-- name: any_person
-- Whether there is a person at all.
SELECT EXISTS (SELECT FROM person);

-- name: persons_to_export
-- Persons as a backup has them: with the scrypt hash, without keys and sessions.
SELECT name, role, created_ns, scrypt FROM person ORDER BY folded;

-- name: make_person
-- A person, when the name is free. $1 id, $2 name, $3 folded, $4 role, $5 scrypt, $6 now.
INSERT INTO person (id, name, folded, role, scrypt, created_ns)
VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::jsonb, $6::bigint) ON CONFLICT DO NOTHING;

-- name: hold_admins
-- Who else is about to remove or degrade an admin is waited for: two may not take each other for the one that is left.
SELECT id FROM person WHERE role = 'admin' ORDER BY id FOR UPDATE;

-- name: remove_person
-- A person goes, with keys and sessions, unless it is the last admin. $1 id.
DELETE FROM person p WHERE p.id = $1::uuid
AND (p.role <> 'admin' OR EXISTS (SELECT FROM person o WHERE o.role = 'admin' AND o.id <> p.id));

-- name: change_role
-- Another role, unless it is the last admin's. $1 id, $2 role.
UPDATE person p SET role = $2::text WHERE p.id = $1::uuid
AND (p.role <> 'admin' OR $2::text = 'admin' OR EXISTS (SELECT FROM person o WHERE o.role = 'admin' AND o.id <> p.id));

-- name: person_role
-- The role that a person has now; no row when it is gone. $1 id.
SELECT role FROM person WHERE id = $1::uuid;

-- name: hold_person
-- Who is logging in with the old password at this moment is waited for, and its session is seen then. $1 id.
SELECT id FROM person WHERE id = $1::uuid FOR UPDATE;

-- name: change_password
-- Another password: who knew the old one is logged out everywhere. $1 id, $2 scrypt.
WITH ended AS (DELETE FROM session WHERE person = $1::uuid)
UPDATE person SET scrypt = $2::jsonb WHERE id = $1::uuid;

-- name: make_key
-- A key, at most $6 of one person. $1 id, $2 person's id, $3 name, $4 secret, $5 its SHA-256, $7 now.
INSERT INTO api_key (id, person, name, secret, digest, created_ns)
SELECT $1::uuid, p.id, $3::text, $4::text, $5::bytea, $7::bigint FROM person p
WHERE p.id = $2::uuid AND (SELECT count(*) FROM api_key k WHERE k.person = p.id) < $6::integer
ON CONFLICT DO NOTHING;

-- name: key_by_id
-- A key, with its secret: what a request that was sent twice is answered with. $1 id.
SELECT k.id, p.name, k.name, k.created_ns, k.used_ns, k.secret FROM api_key k JOIN person p ON p.id = k.person
WHERE k.id = $1::uuid;

-- name: session_by_id
-- Whose session that is.
SELECT p.name FROM session s JOIN person p ON p.id = s.person WHERE s.id = $1::uuid;

-- name: remove_key
-- A key goes. $1 id.
DELETE FROM api_key WHERE id = $1::uuid;

-- name: remove_session
-- A session ends. $1 id.
DELETE FROM session WHERE id = $1::uuid;

-- name: end_session
-- A person logs out. $1 SHA-256 of the session's secret.
DELETE FROM session WHERE digest = $1::bytea;

-- name: make_session
-- A session begins, if the password is still the one that was compared; those that have ended go, and the oldest of this
-- person beyond $6 (this one among them). $1 id, $2 person's id, $3 SHA-256 of its secret, $4 client, $5 now, $7 when it
-- expires, $8 scrypt of the password. No row: the person is gone, or has another password.
WITH let_in AS MATERIALIZED (
    SELECT id FROM person WHERE id = $2::uuid AND scrypt = $8::jsonb FOR UPDATE
), gone AS (
    DELETE FROM session s WHERE s.expires_ns <= $5::bigint OR s.id IN (
        SELECT o.id FROM session o JOIN let_in l ON l.id = o.person WHERE o.id <> $1::uuid
        ORDER BY o.used_ns DESC, o.id OFFSET $6::integer - 1)
), seen AS (
    UPDATE person p SET seen_ns = $5::bigint FROM let_in l WHERE p.id = l.id
)
INSERT INTO session (id, person, digest, client, created_ns, used_ns, expires_ns)
SELECT $1::uuid, l.id, $3::bytea, $4::text, $5::bigint, $5::bigint, $7::bigint FROM let_in l
ON CONFLICT (id) DO UPDATE SET used_ns = excluded.used_ns RETURNING id;

-- name: whose_session
-- Whose session this is. $1 SHA-256 of its secret.
SELECT s.id, s.digest, p.name, p.folded, p.role, p.created_ns, p.seen_ns, s.used_ns, s.expires_ns
FROM session s JOIN person p ON p.id = s.person WHERE s.digest = $1::bytea;

-- name: whose_key
-- Whose key this is. $1 SHA-256 of its secret.
SELECT k.id, k.digest, p.name, p.folded, p.role, p.created_ns, p.seen_ns, k.used_ns
FROM api_key k JOIN person p ON p.id = k.person WHERE k.digest = $1::bytea;

-- name: keys_of_name
-- The keys of a person with their secrets: a token is compared with all of them. $1 folded name.
SELECT k.id, k.secret, p.name, p.folded, p.role, p.created_ns, p.seen_ns, k.used_ns
FROM person p JOIN api_key k ON k.person = p.id WHERE p.folded = $1::text ORDER BY k.id;

-- name: use_session
-- A session was used: it goes on. $1 id, $2 now, $3 when it expires now.
WITH used AS (
    UPDATE session SET used_ns = greatest(used_ns, $2::bigint), expires_ns = greatest(expires_ns, $3::bigint)
    WHERE id = $1::uuid RETURNING person
)
UPDATE person p SET seen_ns = greatest(p.seen_ns, $2::bigint) FROM used u WHERE p.id = u.person;

-- name: use_key
-- A key was used. $1 id, $2 now.
WITH used AS (
    UPDATE api_key SET used_ns = greatest(used_ns, $2::bigint) WHERE id = $1::uuid RETURNING person
)
UPDATE person p SET seen_ns = greatest(p.seen_ns, $2::bigint) FROM used u WHERE p.id = u.person;
