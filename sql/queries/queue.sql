-- The play queue of each actor. An event tells of it when what it holds, or which of them is heard, changes; a position alone
-- is told seldom (docs/work.md, "The queue").

-- name: queue_of
-- An actor's queue: its items as they were put in, and as what they are today, 16 bytes each in one value.
SELECT (SELECT string_agg(uuid_send(n.id), ''::bytea ORDER BY n.place) FROM unnest(q.entries) WITH ORDINALITY AS n(id, place)),
       (SELECT string_agg(uuid_send(coalesce(a.stream, n.id)), ''::bytea ORDER BY n.place)
        FROM unnest(q.entries) WITH ORDINALITY AS n(id, place) LEFT JOIN stream_alias a ON a.old = n.id),
       q.current, q.position, q.changed_ns, q.client
FROM queue q WHERE q.actor = $1::text;

-- name: save_queue
-- What an actor is about to hear, instead of what was. $1 actor, $2 now, $3 host, $4 operation, $5 json list of items,
-- $6 which of them, $7 seconds into it, $8 client. Told when the items differ or another is heard. Returns whether.
WITH wanted AS MATERIALIZED (
    SELECT coalesce(array_agg(coalesce(l.stream, e.value::uuid) ORDER BY e.ordinality), '{}') AS entries
    FROM jsonb_array_elements_text($5::jsonb) WITH ORDINALITY e LEFT JOIN stream_alias l ON l.old = e.value::uuid
), compared AS MATERIALIZED (
    SELECT w.entries, b.entries IS DISTINCT FROM w.entries AS others,
           b.entries IS DISTINCT FROM w.entries OR b.current <> $6::integer AS told
    FROM wanted w LEFT JOIN queue b ON b.actor = $1::text
), kept AS (
    INSERT INTO work (stream, first_ns) SELECT DISTINCT s.id, $2::bigint FROM compared c, unnest(c.entries) AS n(id)
    JOIN stream s ON s.id = n.id WHERE c.others ON CONFLICT DO NOTHING
), put AS (
    INSERT INTO queue AS q (actor, entries, current, position, client, changed_ns, told_ns)
    SELECT $1::text, entries, $6::integer, $7::double precision, $8::text, $2::bigint, $2::bigint FROM compared
    ON CONFLICT (actor) DO UPDATE SET entries = excluded.entries, current = excluded.current,
        position = excluded.position, client = excluded.client, changed_ns = excluded.changed_ns,
        told_ns = CASE WHEN (SELECT told FROM compared) THEN excluded.told_ns ELSE q.told_ns END
), numbered AS (
    UPDATE feed SET last = last + 1 WHERE (SELECT told FROM compared) RETURNING last
), event AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last, $2::bigint, $3::uuid, $1::text, $4::uuid, 'queue', $1::text, 'queued',
           CASE WHEN c.others THEN jsonb_build_object('items', to_jsonb(c.entries)) ELSE '{}' END
           || jsonb_build_object('current', $6::integer, 'position', $7::double precision, 'client', $8::text)
    FROM numbered n, compared c
)
SELECT told FROM compared;

-- name: move_queue
-- Another place in the same queue. $1 actor, $2 now, $3 host, $4 operation, $5 which item, $6 seconds into it, $7 client,
-- $8 when the last event must have been for a position alone to be told. Returns whether it was told; no row: no queue.
WITH compared AS MATERIALIZED (
    SELECT q.current <> $5::integer OR (q.position <> $6::double precision AND q.told_ns < $8::bigint) AS told
    FROM queue q WHERE q.actor = $1::text
), put AS (
    UPDATE queue q SET current = $5::integer, position = $6::double precision, client = $7::text, changed_ns = $2::bigint,
        told_ns = CASE WHEN c.told THEN $2::bigint ELSE q.told_ns END
    FROM compared c WHERE q.actor = $1::text
), numbered AS (
    UPDATE feed SET last = last + 1 WHERE (SELECT told FROM compared) RETURNING last
), event AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last, $2::bigint, $3::uuid, $1::text, $4::uuid, 'queue', $1::text, 'queued',
           jsonb_build_object('current', $5::integer, 'position', $6::double precision, 'client', $7::text)
    FROM numbered n
)
SELECT told FROM compared;

-- name: events_of_queue
-- What an actor's queue is made of: the latest event with items, and those after it, in the order of time. $1 actor.
SELECT e.value, e.at_ns FROM event e, (
    SELECT at_ns, seq FROM event WHERE target_kind = 'queue' AND target = $1::text AND value ? 'items'
    ORDER BY at_ns DESC, seq DESC LIMIT 1) l
WHERE e.target_kind = 'queue' AND e.target = $1::text AND (e.at_ns, e.seq) >= (l.at_ns, l.seq) ORDER BY e.at_ns, e.seq;

-- name: put_queue
-- A queue as its events say, instead of what the table says. $1 actor, $2 json list of items, $3 which, $4 seconds into it,
-- $5 client, $6 when.
WITH wanted AS MATERIALIZED (
    SELECT e.ordinality AS place, coalesce(l.stream, e.value::uuid) AS id
    FROM jsonb_array_elements_text($2::jsonb) WITH ORDINALITY e LEFT JOIN stream_alias l ON l.old = e.value::uuid
), kept AS (
    INSERT INTO work (stream, first_ns) SELECT DISTINCT s.id, $6::bigint FROM wanted w JOIN stream s ON s.id = w.id
    ON CONFLICT DO NOTHING
)
INSERT INTO queue (actor, entries, current, position, client, changed_ns, told_ns)
SELECT $1::text, coalesce(array_agg(id ORDER BY place), '{}'), $3::integer, $4::double precision, $5::text, $6::bigint, $6::bigint
FROM wanted
ON CONFLICT (actor) DO UPDATE SET entries = excluded.entries, current = excluded.current, position = excluded.position,
    client = excluded.client, changed_ns = excluded.changed_ns, told_ns = excluded.told_ns;

-- name: queue_size
-- How many entries an actor's queue has; no row when none was saved.
SELECT cardinality(entries) FROM queue WHERE actor = $1::text;
