-- Putting a person's work into a database again, and throwing away what can be made again.

-- name: streams_with_keys
-- Streams that have one of these keys, checksums before fingerprints, those with a present file first.
-- $1 json list of [grade, hex].
SELECT k.stream FROM jsonb_array_elements($1::jsonb) e
JOIN stream_key k ON k.value = decode(e ->> 1, 'hex') JOIN stream s ON s.id = k.stream AND NOT s.alone
WHERE k.grade = (e ->> 0)::smallint AND k.algorithm <> 'pcm-md5/1'
ORDER BY k.grade DESC, EXISTS (SELECT FROM file f WHERE f.stream = k.stream AND f.missing_since_ns IS NULL) DESC,
         s.created_ns, s.id LIMIT 1;

-- name: restore_stream
-- A stream that is known from a person's work alone: its file comes later, and is known by these keys. $1 stream, $2 now,
-- $3 [{g, a, v}].
WITH made AS (
    INSERT INTO stream (id, created_ns) VALUES ($1::uuid, $2::bigint) ON CONFLICT DO NOTHING
)
INSERT INTO stream_key (stream, grade, algorithm, value)
SELECT $1::uuid, e.g, e.a, decode(e.v, 'hex') FROM jsonb_to_recordset($3::jsonb) AS e(g smallint, a text, v text)
ON CONFLICT DO NOTHING;

-- name: alias_stream
-- An id of another database stands for a stream here. $1 id, $2 stream.
INSERT INTO stream_alias (old, stream) SELECT $1::uuid, $2::uuid WHERE $1::uuid <> $2::uuid ON CONFLICT DO NOTHING;

-- name: restore_events
-- Events of a backup, those that are not there yet, in their order. $1 [{n, at, h, a, o, k, t, c, v}].
WITH entry AS MATERIALIZED (
    SELECT e.* FROM jsonb_to_recordset($1::jsonb) AS e(n bigint, at bigint, h uuid, a text, o uuid, k text, t text, c text, v jsonb)
    WHERE NOT EXISTS (SELECT FROM event x WHERE x.target = e.t AND x.at_ns = e.at AND x.action = e.c AND x.value = e.v)
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM entry) WHERE EXISTS (SELECT FROM entry) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last - (SELECT count(*) FROM entry) + row_number() OVER (ORDER BY e.n), e.at, e.h, e.a, e.o, e.k, e.t, e.c, e.v
FROM entry e, numbered n RETURNING target_kind, target;

-- name: events_to_fold
-- All that persons did to an item, in order, with what was done to the ids it took over. $1 stream, $2 json list of
-- actions.
SELECT e.actor, e.action, e.value, e.at_ns FROM event e
WHERE e.target IN (SELECT $1::uuid::text UNION SELECT old::text FROM stream_alias WHERE stream = $1::uuid)
  AND e.action IN (SELECT value FROM jsonb_array_elements_text($2::jsonb)) ORDER BY e.seq;

-- name: events_of_collection
-- All that happened to a collection, in order.
SELECT actor, action, value, at_ns FROM event WHERE target = $1::uuid::text AND target_kind = 'collection' ORDER BY seq;

-- name: put_work
-- What all events of a stream amount to, instead of what the tables say. $1 stream, $2 first event's time, $3 [{t, f, r}]
-- tags, $4 [{a, x, s, c, p, b}] actors, $5 [{n, v, f}] fields. The old rows went in a statement before.
WITH marked AS (
    INSERT INTO work (stream, first_ns) VALUES ($1::uuid, $2::bigint) ON CONFLICT DO NOTHING
), tags AS (
    INSERT INTO work_tag (stream, tag, folded, removed)
    SELECT $1::uuid, e.t, e.f, e.r FROM jsonb_to_recordset($3::jsonb) AS e(t text, f text, r boolean)
), actors AS (
    INSERT INTO work_actor (stream, actor, rating, starred_ns, plays, played_ns, bookmark)
    SELECT $1::uuid, e.a, e.x, e.s, e.c, e.p, e.b
    FROM jsonb_to_recordset($4::jsonb) AS e(a text, x real, s bigint, c integer, p bigint, b jsonb)
)
INSERT INTO work_field (stream, name, value, folded)
SELECT $1::uuid, e.n, e.v, e.f FROM jsonb_to_recordset($5::jsonb) AS e(n text, v text, f text);

-- name: drop_collection
-- A collection's rows, before they are made anew.
DELETE FROM collection WHERE id = $1::uuid;

-- name: put_collection
-- A collection as all its events say. $1 id, $2 kind, $3 name, $4 folded, $5 actor, $6 made, $7 json list of streams,
-- $8 the question that it is, or null.
WITH made AS (
    INSERT INTO collection (id, name, folded, kind, actor, created_ns, query)
    VALUES ($1::uuid, $3::text, $4::text, $2::text, $5::text, $6::bigint, $8::text) RETURNING id
)
INSERT INTO collection_entry (collection, place, stream)
SELECT m.id, e.ordinality - 1, e.value::uuid FROM made m, jsonb_array_elements_text($7::jsonb) WITH ORDINALITY e;

-- name: new_epoch
-- The feed begins anew: cursors of before are answered with a snapshot.
UPDATE feed SET epoch = gen_random_uuid();

-- name: rebuild_files
-- The records of files that nobody did anything with go; the others are missing until they are seen again. $1 now.
WITH gone AS (
    DELETE FROM file f WHERE NOT EXISTS (SELECT FROM work w WHERE w.stream = f.stream)
)
UPDATE file f SET missing_since_ns = $1::bigint WHERE EXISTS (SELECT FROM work w WHERE w.stream = f.stream);

-- name: rebuild_readings
-- What handlers read goes.
WITH readings AS (DELETE FROM reading), details AS (DELETE FROM file_detail), texts AS (DELETE FROM file_text),
todos AS (DELETE FROM todo), sums AS (DELETE FROM checksum), links AS (DELETE FROM meta_link),
of_files AS (DELETE FROM file_meta), of_streams AS (DELETE FROM stream_meta),
metas AS (DELETE FROM meta m WHERE NOT EXISTS (SELECT FROM work_meta w WHERE w.meta = m.id)),
albums AS (DELETE FROM album), whose AS (DELETE FROM album_artist), artists AS (DELETE FROM artist),
album_genres AS (DELETE FROM album_genre), genres AS (DELETE FROM genre), plays AS (DELETE FROM album_actor)
UPDATE dir SET digest = NULL, inode = NULL, mtime_ns = NULL;

-- name: rebuild_streams
-- Streams that have neither a file nor a person's work go, with the ids that stood for them.
WITH bare AS MATERIALIZED (
    SELECT s.id FROM stream s WHERE NOT EXISTS (SELECT FROM file f WHERE f.stream = s.id)
    AND NOT EXISTS (SELECT FROM work w WHERE w.stream = s.id)
), aliases AS (
    DELETE FROM stream_alias a USING bare b WHERE a.stream = b.id
)
DELETE FROM stream s USING bare b WHERE s.id = b.id;

-- name: erase_work
-- What persons did to these items goes for good: events, tables, entries of collections and queues. $1 json list of streams,
-- $2 json list of actions, $3 now, $4 host, $5 actor, $6 operation.
WITH asked AS MATERIALIZED (
    SELECT value::uuid AS stream FROM jsonb_array_elements_text($1::jsonb)
), ids AS MATERIALIZED (
    SELECT stream::text AS id FROM asked
    UNION SELECT a.old::text FROM stream_alias a JOIN asked q ON q.stream = a.stream
), events AS (
    DELETE FROM event e USING ids i WHERE e.target = i.id
    AND e.action IN (SELECT value FROM jsonb_array_elements_text($2::jsonb)) RETURNING e.seq
), sides AS (
    DELETE FROM side_sync y USING asked q WHERE y.stream = q.stream
), tags AS (
    DELETE FROM work_tag w USING asked q WHERE w.stream = q.stream
), fields AS (
    DELETE FROM work_field w USING asked q WHERE w.stream = q.stream
), actors AS (
    DELETE FROM work_actor w USING asked q WHERE w.stream = q.stream
), entries AS (
    DELETE FROM collection_entry c USING asked q WHERE c.stream = q.stream
), queues AS (
    UPDATE queue u SET entries = k.entries, current = least(k.before, greatest(cardinality(k.entries) - 1, 0))
    FROM (
        SELECT q.actor, coalesce(array_agg(n.id ORDER BY n.place) FILTER (WHERE NOT n.gone), '{}') AS entries,
               count(*) FILTER (WHERE NOT n.gone AND n.place <= q.current) AS before
        FROM queue q CROSS JOIN LATERAL (
            SELECT m.id, m.place, m.id::text IN (SELECT id FROM ids) AS gone FROM unnest(q.entries) WITH ORDINALITY AS m(id, place)) n
        WHERE q.entries && (SELECT array_agg(id::uuid) FROM ids) GROUP BY q.actor
    ) k WHERE u.actor = k.actor
), marks AS (
    DELETE FROM work w USING asked q WHERE w.stream = q.stream
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM asked) WHERE EXISTS (SELECT FROM asked) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $3::bigint, $4::uuid, $5::text, $6::uuid, 'stream', q.stream::text, 'forgotten',
           '{"work": true}'::jsonb FROM asked q, numbered n
)
SELECT id FROM ids;
