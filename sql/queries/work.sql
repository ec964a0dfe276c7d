-- What a person does to items, and what it amounts to. Each statement changes only what is different, and tells of that:
-- sent twice it is done once. A stream that was merged into another since it was asked for stands for that one. $2 now,
-- $3 host, $4 actor, $5 operation wherever there are so many.

-- name: work_streams
-- The streams that ids stand for today, in the order asked. $1 json list of ids.
SELECT e.ordinality, coalesce(a.stream, s.id) FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY e
LEFT JOIN stream_alias a ON a.old = e.value::uuid LEFT JOIN stream s ON s.id = e.value::uuid
ORDER BY e.ordinality;

-- name: hold_streams
-- Nobody merges these streams into others until this transaction ends; who is doing so is waited for. $1 json list.
SELECT s.id FROM stream s WHERE s.id IN (
    SELECT coalesce(l.stream, e.value::uuid) FROM jsonb_array_elements_text($1::jsonb) e
    LEFT JOIN stream_alias l ON l.old = e.value::uuid)
ORDER BY s.id FOR KEY SHARE;

-- name: mark_work
-- A person's events hang on these streams: their checksums are wanted, to settle later doubts, and those of streams that
-- seem to be equal, to share the work with them. Where the checksums are known and equal already, they are to be looked
-- at once more: without work that meant nothing. $1 json list of streams, $2 now.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT s.id FROM jsonb_array_elements_text($1::jsonb) e LEFT JOIN stream_alias l ON l.old = e.value::uuid
    JOIN stream s ON s.id = coalesce(l.stream, e.value::uuid)
), marked AS (
    INSERT INTO work (stream, first_ns) SELECT id, $2::bigint FROM asked ON CONFLICT DO NOTHING
)
INSERT INTO doubt (stream, at_ns) SELECT id, $2::bigint FROM (
    SELECT id FROM asked
    UNION
    SELECT o.stream FROM asked a CROSS JOIN LATERAL (
        SELECT o.stream FROM stream_key k JOIN stream_key o ON o.value = k.value AND o.stream <> k.stream
        WHERE k.stream = a.id AND k.grade = 1 LIMIT 64) o
) asked
WHERE NOT EXISTS (SELECT FROM stream_key k
                  WHERE k.stream = asked.id AND k.grade = 3 AND k.algorithm <> 'pcm-md5/1')
   OR EXISTS (SELECT FROM stream_key k JOIN stream_key o ON o.value = k.value AND o.grade = 3 AND o.stream <> k.stream
              WHERE k.stream = asked.id AND k.grade = 3 AND k.algorithm <> 'pcm-md5/1')
ON CONFLICT (stream) DO UPDATE SET tries = 0;

-- name: work_tags
-- Tags become added, removed, or what the file says (none). `auto` takes a tag away: removed where a file has it, else
-- none. $1: [{s, t, f, k}] stream, tag, folded, what it becomes.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT ON (1, e.t) coalesce(l.stream, e.s) AS s, e.t, e.f, e.k
    FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, t text, f text, k text) LEFT JOIN stream_alias l ON l.old = e.s
), wanted AS MATERIALIZED (
    SELECT a.s, a.t, a.f, CASE WHEN w.stream IS NULL THEN 'none' WHEN w.removed THEN 'removed' ELSE 'added' END AS was,
           CASE WHEN a.k <> 'auto' THEN a.k WHEN EXISTS (
               SELECT FROM file x JOIN file_detail d ON d.file = x.id
               WHERE x.stream = a.s AND d.fields -> 'keywords' ? a.t) OR EXISTS (
               SELECT FROM side_file x JOIN file_detail d ON d.file = x.side
               WHERE x.stream = a.s AND d.fields -> 'keywords' ? a.t) THEN 'removed' ELSE 'none' END AS becomes
    FROM asked a LEFT JOIN work_tag w ON w.stream = a.s AND w.tag = a.t
), changed AS MATERIALIZED (
    SELECT * FROM wanted WHERE was <> becomes
), put AS (
    INSERT INTO work_tag (stream, tag, folded, removed)
    SELECT s, t, f, becomes = 'removed' FROM changed WHERE becomes <> 'none'
    ON CONFLICT (stream, tag) DO UPDATE SET removed = excluded.removed
), dropped AS (
    DELETE FROM work_tag w USING changed c WHERE w.stream = c.s AND w.tag = c.t AND c.becomes = 'none'
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM changed) WHERE EXISTS (SELECT FROM changed) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', c.s::text,
           CASE WHEN becomes = 'added' OR (becomes = 'none' AND was = 'removed') THEN 'tagged' ELSE 'untagged' END,
           jsonb_build_object('tag', c.t, 'was', c.was, 'is', c.becomes)
    FROM changed c, numbered n
)
SELECT s FROM changed;

-- name: work_ratings
-- Ratings of one person. $1: [{s, x, w}] stream, 0-5 or null for none, and whose rating it is when another than the
-- actor says it (a side file).
WITH asked AS MATERIALIZED (
    SELECT DISTINCT ON (1) coalesce(l.stream, e.s) AS s, e.x, coalesce(e.w, $4::text) AS whose
    FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, x real, w text) LEFT JOIN stream_alias l ON l.old = e.s
), changed AS MATERIALIZED (
    SELECT e.s, e.x, e.whose, w.rating AS was FROM asked e
    LEFT JOIN work_actor w ON w.stream = e.s AND w.actor = e.whose
    WHERE w.rating IS DISTINCT FROM e.x
), put AS (
    INSERT INTO work_actor (stream, actor, rating) SELECT s, whose, x FROM changed
    ON CONFLICT (stream, actor) DO UPDATE SET rating = excluded.rating
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM changed) WHERE EXISTS (SELECT FROM changed) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', c.s::text, 'rated',
           jsonb_build_object('rating', c.x, 'was', c.was)
           || CASE WHEN c.whose <> $4::text THEN jsonb_build_object('whose', c.whose) ELSE '{}' END
    FROM changed c, numbered n
)
SELECT s FROM changed;

-- name: work_stars
-- Stars of one person. $1: [{s, t}] stream, since when in nanoseconds or null for none.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT ON (1) coalesce(l.stream, e.s) AS s, e.t
    FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, t bigint) LEFT JOIN stream_alias l ON l.old = e.s
), changed AS MATERIALIZED (
    SELECT e.s, e.t, w.starred_ns AS was FROM asked e
    LEFT JOIN work_actor w ON w.stream = e.s AND w.actor = $4::text
    WHERE (w.starred_ns IS NULL) <> (e.t IS NULL)
), put AS (
    INSERT INTO work_actor (stream, actor, starred_ns) SELECT s, $4::text, t FROM changed
    ON CONFLICT (stream, actor) DO UPDATE SET starred_ns = excluded.starred_ns
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM changed) WHERE EXISTS (SELECT FROM changed) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', c.s::text, 'starred',
           jsonb_build_object('starred_ns', c.t, 'was', c.was)
    FROM changed c, numbered n
)
SELECT s FROM changed;

-- name: work_fields
-- Fields set by a person, for all. $1: [{s, n, v, f}] stream, name, value or null for none, folded.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT ON (1, e.n) coalesce(l.stream, e.s) AS s, e.n, e.v, e.f
    FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, n text, v text, f text) LEFT JOIN stream_alias l ON l.old = e.s
), changed AS MATERIALIZED (
    SELECT e.s, e.n, e.v, e.f, w.value AS was FROM asked e
    LEFT JOIN work_field w ON w.stream = e.s AND w.name = e.n
    WHERE w.value IS DISTINCT FROM e.v
), put AS (
    INSERT INTO work_field (stream, name, value, folded) SELECT s, n, v, f FROM changed WHERE v IS NOT NULL
    ON CONFLICT (stream, name) DO UPDATE SET value = excluded.value, folded = excluded.folded
), dropped AS (
    DELETE FROM work_field w USING changed c WHERE w.stream = c.s AND w.name = c.n AND c.v IS NULL
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM changed) WHERE EXISTS (SELECT FROM changed) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', c.s::text, 'set',
           jsonb_build_object('field', c.n, 'value', c.v, 'was', c.was)
    FROM changed c, numbered n
)
SELECT s FROM changed;

-- name: work_plays
-- Plays of one person, counted on; each line of a request once. $1: [{s, c, t, i}] stream, how often (negative: taken
-- back), when, number of the line.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT ON (1, e.i) coalesce(l.stream, e.s) AS s, e.c, e.t, e.i
    FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, c integer, t bigint, i integer) LEFT JOIN stream_alias l ON l.old = e.s
), done AS MATERIALIZED (
    SELECT coalesce((SELECT l.stream FROM stream_alias l WHERE l.old = x.target::uuid)::text, x.target) AS target,
           (x.value ->> 'i')::integer AS i
    FROM event x WHERE x.op_id = $5::uuid AND x.action = 'played'
), changed AS MATERIALIZED (
    SELECT e.s, e.c, e.t, e.i, w.played_ns AS was FROM asked e
    LEFT JOIN work_actor w ON w.stream = e.s AND w.actor = $4::text
    WHERE NOT EXISTS (SELECT FROM done d WHERE d.target = e.s::text AND d.i = e.i)
), put AS (
    INSERT INTO work_actor AS w (stream, actor, plays, played_ns)
    SELECT s, $4::text, greatest(0, sum(c)), max(t) FROM changed GROUP BY s
    ON CONFLICT (stream, actor) DO UPDATE SET plays = greatest(0, w.plays + (SELECT sum(c) FROM changed WHERE s = w.stream)),
        played_ns = CASE WHEN (SELECT sum(c) FROM changed WHERE s = w.stream) < 0 THEN excluded.played_ns
                         ELSE greatest(w.played_ns, excluded.played_ns) END
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM changed) WHERE EXISTS (SELECT FROM changed) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', c.s::text, 'played',
           jsonb_build_object('count', c.c, 'played_ns', c.t, 'i', c.i, 'was_ns', c.was)
    FROM changed c, numbered n
)
SELECT s FROM changed;

-- name: work_bookmarks
-- Bookmarks of one person. $1: [{s, b}] stream, {position, comment, at_ns} or null for none.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT ON (1) coalesce(l.stream, e.s) AS s, e.b
    FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, b jsonb) LEFT JOIN stream_alias l ON l.old = e.s
), changed AS MATERIALIZED (
    SELECT e.s, e.b, w.bookmark AS was FROM asked e
    LEFT JOIN work_actor w ON w.stream = e.s AND w.actor = $4::text
    WHERE w.bookmark IS DISTINCT FROM e.b
), put AS (
    INSERT INTO work_actor (stream, actor, bookmark) SELECT s, $4::text, b FROM changed
    ON CONFLICT (stream, actor) DO UPDATE SET bookmark = excluded.bookmark
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM changed) WHERE EXISTS (SELECT FROM changed) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', c.s::text,
           CASE WHEN c.b IS NULL THEN 'unbookmarked' ELSE 'bookmarked' END,
           jsonb_build_object('bookmark', c.b, 'was', c.was)
    FROM changed c, numbered n
)
SELECT s FROM changed;

-- name: work_of_streams
-- What people made of items: tags and fields of all, the rest of one person. $1 json list of streams, $2 actor.
SELECT w.stream,
       (SELECT jsonb_object_agg(t.tag, t.removed) FROM work_tag t WHERE t.stream = w.stream),
       (SELECT jsonb_object_agg(f.name, f.value) FROM work_field f WHERE f.stream = w.stream),
       a.rating, a.starred_ns, a.plays, a.played_ns,
       (SELECT jsonb_agg(DISTINCT jsonb_build_array(c.kind, c.name)) FROM collection_entry e
        JOIN collection c ON c.id = e.collection WHERE e.stream = w.stream AND c.actor IN ('', $2::text)),
       a.bookmark
FROM work w LEFT JOIN work_actor a ON a.stream = w.stream AND a.actor = $2::text
WHERE w.stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb));

-- name: successors
-- Items that took the place of items without a file. $1 json list of streams.
WITH RECURSIVE line(asked, stream, depth) AS (
    SELECT value::uuid, value::uuid, 0 FROM jsonb_array_elements_text($1::jsonb)
    UNION ALL
    SELECT l.asked, n.new, l.depth + 1 FROM line l JOIN lineage n ON n.old = l.stream AND n.state = 'accepted'
    WHERE l.depth < 64
)
SELECT DISTINCT ON (asked) asked, stream FROM line
WHERE stream <> asked AND EXISTS (SELECT FROM file f WHERE f.stream = line.stream AND f.missing_since_ns IS NULL)
ORDER BY asked, depth DESC;

-- name: collection_by_name
-- A collection by kind, whose, and name.
SELECT id, name, created_ns, query FROM collection WHERE kind = $1::text AND actor IN ('', $2::text) AND name = $3::text
ORDER BY actor DESC LIMIT 1;

-- name: collections
-- All collections that an actor sees, with how many entries they have and the question of those that are one. $1 actor,
-- $2 kind or ''.
SELECT c.id, c.kind, c.name, c.actor, c.created_ns, (SELECT count(*) FROM collection_entry e WHERE e.collection = c.id), c.query
FROM collection c WHERE c.actor IN ('', $1::text) AND ($2::text = '' OR c.kind = $2::text) ORDER BY c.kind, c.folded, c.id;

-- name: live_in_order
-- What ids stand for today, in the order asked: 16 bytes each in one value, zeros for an id that nobody knows. $1 json list
-- of ids.
SELECT coalesce(string_agg(uuid_send(coalesce(a.stream, s.id, '00000000-0000-0000-0000-000000000000')), ''::bytea
                           ORDER BY e.ordinality), ''::bytea)
FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY e
LEFT JOIN stream_alias a ON a.old = e.value::uuid LEFT JOIN stream s ON s.id = e.value::uuid;

-- name: collection_items
-- The items of a collection in order, each as what it is today: 16 bytes each in one value. $1 collection.
SELECT coalesce(string_agg(uuid_send(coalesce(a.stream, e.stream)), ''::bytea ORDER BY e.place), ''::bytea)
FROM collection_entry e LEFT JOIN stream_alias a ON a.old = e.stream WHERE e.collection = $1::uuid;

-- name: hold_collection
-- Nobody else changes what is in a collection until this transaction ends; who is doing so is waited for. $1 collection.
SELECT id FROM collection WHERE id = $1::uuid FOR UPDATE;

-- name: set_entries
-- These items instead of all that a collection holds: one event of what went, one of what came. $1 collection, $6 json list
-- of streams. The primary key is deferrable: it is looked at when old and new places have changed.
WITH wanted AS MATERIALIZED (
    SELECT e.ordinality - 1 AS place, coalesce(l.stream, e.value::uuid) AS stream
    FROM jsonb_array_elements_text($6::jsonb) WITH ORDINALITY e LEFT JOIN stream_alias l ON l.old = e.value::uuid
), compared AS MATERIALIZED (
    SELECT (SELECT jsonb_agg(stream ORDER BY place) FROM collection_entry WHERE collection = $1::uuid) AS was,
           (SELECT jsonb_agg(stream ORDER BY place) FROM wanted) AS becomes
), fresh AS MATERIALIZED (
    SELECT was, becomes FROM compared WHERE was IS DISTINCT FROM becomes
), gone AS (
    DELETE FROM collection_entry WHERE collection = $1::uuid AND EXISTS (SELECT FROM fresh)
), put AS (
    INSERT INTO collection_entry (collection, place, stream)
    SELECT $1::uuid, place, stream FROM wanted WHERE EXISTS (SELECT FROM fresh)
), numbered AS (
    UPDATE feed SET last = last + (SELECT (was IS NOT NULL)::integer + (becomes IS NOT NULL)::integer FROM fresh)
    WHERE EXISTS (SELECT FROM fresh) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last - t.behind, $2::bigint, $3::uuid, $4::text, $5::uuid, 'collection', $1::uuid::text, t.action,
       jsonb_build_object('place', 0, 'items', t.items, 'line', 'set')
FROM numbered n, fresh f CROSS JOIN LATERAL (
    SELECT 'uncollected' AS action, f.was AS items, (f.becomes IS NOT NULL)::integer AS behind WHERE f.was IS NOT NULL
    UNION ALL SELECT 'collected', f.becomes, 0 WHERE f.becomes IS NOT NULL) t;

-- name: collection_entries
-- The items of a collection in order.
SELECT stream FROM collection_entry WHERE collection = $1::uuid ORDER BY place;

-- name: make_collection
-- A new collection. $1 id, $6 kind, $7 name, $8 folded, $9 the question that it is, null: it holds what is put into it.
WITH made AS (
    INSERT INTO collection (id, name, folded, kind, actor, created_ns, query)
    VALUES ($1::uuid, $7::text, $8::text, $6::text, $4::text, $2::bigint, $9::text)
    ON CONFLICT DO NOTHING RETURNING id
), numbered AS (
    UPDATE feed SET last = last + 1 WHERE EXISTS (SELECT FROM made) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last, $2::bigint, $3::uuid, $4::text, $5::uuid, 'collection', m.id::text, 'created',
       jsonb_strip_nulls(jsonb_build_object('name', $7::text, 'kind', $6::text, 'query', $9::text))
FROM made m, numbered n;

-- name: requery_collection
-- Another question of a collection that is one. $1 collection, $6 the question.
WITH changed AS (
    UPDATE collection c SET query = $6::text FROM collection b
    WHERE c.id = $1::uuid AND b.id = c.id AND c.query <> $6::text RETURNING c.id, b.query AS was
), numbered AS (
    UPDATE feed SET last = last + 1 WHERE EXISTS (SELECT FROM changed) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last, $2::bigint, $3::uuid, $4::text, $5::uuid, 'collection', r.id::text, 'requeried',
       jsonb_build_object('query', $6::text, 'was', r.was)
FROM changed r, numbered n;

-- name: insert_entries
-- Items into a collection at a place; those behind it make room. $1 collection, $6 place, $7 json list of streams; done
-- once for an operation.
WITH fresh AS MATERIALIZED (
    SELECT 1 WHERE NOT EXISTS (SELECT FROM event x WHERE x.op_id = $5::uuid AND x.target = $1::uuid::text AND x.action = 'collected'
                               AND x.value ->> 'line' = $8::text)
), room AS (
    UPDATE collection_entry SET place = place + jsonb_array_length($7::jsonb)
    WHERE collection = $1::uuid AND place >= $6::integer AND EXISTS (SELECT FROM fresh)
), put AS (
    INSERT INTO collection_entry (collection, place, stream)
    SELECT $1::uuid, $6::integer + e.ordinality - 1, coalesce(l.stream, e.value::uuid)
    FROM jsonb_array_elements_text($7::jsonb) WITH ORDINALITY e LEFT JOIN stream_alias l ON l.old = e.value::uuid
    WHERE EXISTS (SELECT FROM fresh)
    RETURNING place
), numbered AS (
    UPDATE feed SET last = last + 1 WHERE EXISTS (SELECT FROM put) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last, $2::bigint, $3::uuid, $4::text, $5::uuid, 'collection', $1::uuid::text, 'collected',
       jsonb_build_object('place', $6::integer, 'items', $7::jsonb, 'line', $8::text)
FROM numbered n;

-- name: remove_entries
-- Items out of a collection: $7 of them from a place on. $1 collection, $6 place, $8 line; once for an operation.
WITH gone AS (
    DELETE FROM collection_entry WHERE collection = $1::uuid AND place >= $6::integer AND place < $6::integer + $7::integer
    AND NOT EXISTS (SELECT FROM event x WHERE x.op_id = $5::uuid AND x.target = $1::uuid::text AND x.action = 'uncollected'
                    AND x.value ->> 'line' = $8::text)
    RETURNING place, stream
), numbered AS (
    UPDATE feed SET last = last + 1 WHERE EXISTS (SELECT FROM gone) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last, $2::bigint, $3::uuid, $4::text, $5::uuid, 'collection', $1::uuid::text, 'uncollected',
       jsonb_build_object('place', $6::integer, 'items', (SELECT jsonb_agg(stream ORDER BY place) FROM gone), 'line', $8::text)
FROM numbered n;

-- name: close_ranks
-- Places count from 0 without a gap. $1 collection.
UPDATE collection_entry c SET place = o.rank FROM (
    SELECT place, row_number() OVER (ORDER BY place) - 1 AS rank FROM collection_entry WHERE collection = $1::uuid
) o WHERE c.collection = $1::uuid AND c.place = o.place AND c.place <> o.rank;

-- name: rename_collection
-- A new name. $1 collection, $6 name, $7 folded.
WITH renamed AS (
    UPDATE collection c SET name = $6::text, folded = $7::text FROM collection b
    WHERE c.id = $1::uuid AND b.id = c.id AND c.name <> $6::text RETURNING c.id, b.name AS was
), numbered AS (
    UPDATE feed SET last = last + 1 WHERE EXISTS (SELECT FROM renamed) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last, $2::bigint, $3::uuid, $4::text, $5::uuid, 'collection', r.id::text, 'renamed',
       jsonb_build_object('name', $6::text, 'was', r.was)
FROM renamed r, numbered n;

-- name: delete_collection
-- A collection goes; the event says what it held, or asked. $1 collection.
WITH held AS MATERIALIZED (
    SELECT coalesce(jsonb_agg(stream ORDER BY place), '[]') AS items FROM collection_entry WHERE collection = $1::uuid
), gone AS (
    DELETE FROM collection WHERE id = $1::uuid RETURNING id, name, kind, query
), numbered AS (
    UPDATE feed SET last = last + 1 WHERE EXISTS (SELECT FROM gone) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last, $2::bigint, $3::uuid, $4::text, $5::uuid, 'collection', g.id::text, 'deleted',
       jsonb_strip_nulls(jsonb_build_object('name', g.name, 'kind', g.kind, 'items', h.items, 'query', g.query))
FROM gone g, held h, numbered n;

-- name: feed_state
-- The feed's epoch, its last number, and up to where what was merely seen is gone.
SELECT epoch, last, compacted FROM feed;

-- name: feed_page
-- The feed's epoch, last number and horizon, and events after a number, in order, each with the stream that its target
-- was merged into: in one snapshot and one round trip. One row without an event (seq null) when there is none. $1 number.
-- How many is no parameter: with one, each question was planned anew, which took longer than to answer it.
SELECT f.epoch, f.last, f.compacted,
       e.seq, e.at_ns, e.host, e.actor, e.op_id, e.target_kind, e.target, e.action, e.value, (
           SELECT a.stream FROM stream_alias a
           WHERE a.old = CASE WHEN e.target_kind = 'stream' AND e.target <> '' THEN e.target::uuid END)
FROM feed f LEFT JOIN LATERAL (
    SELECT * FROM event WHERE seq > $1::bigint ORDER BY seq LIMIT 500) e ON true
ORDER BY e.seq;

-- name: feed_few
-- The same, a few.
SELECT f.epoch, f.last, f.compacted,
       e.seq, e.at_ns, e.host, e.actor, e.op_id, e.target_kind, e.target, e.action, e.value, (
           SELECT a.stream FROM stream_alias a
           WHERE a.old = CASE WHEN e.target_kind = 'stream' AND e.target <> '' THEN e.target::uuid END)
FROM feed f LEFT JOIN LATERAL (
    SELECT * FROM event WHERE seq > $1::bigint ORDER BY seq LIMIT 16) e ON true
ORDER BY e.seq;

-- name: live_streams
-- What stream ids of events stand for today. $1 json list of ids.
SELECT old, stream FROM stream_alias WHERE old IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb));

-- name: work_after
-- Events of persons after a number: what is written to work/*.ndjson. $1 host or null for all, $2 number, $3 json list of
-- actions, $4 most.
SELECT e.seq, e.at_ns, e.host, e.actor, e.op_id, e.target_kind, e.target, e.action, e.value,
       (SELECT jsonb_agg(jsonb_build_array(k.grade, k.algorithm, encode(k.value, 'hex')) ORDER BY k.grade, k.algorithm, k.value)
        FROM stream_key k WHERE k.stream = CASE WHEN e.target_kind = 'stream' THEN coalesce(
            (SELECT a.stream FROM stream_alias a WHERE a.old = e.target::uuid), e.target::uuid) END)
FROM event e WHERE e.seq > $2::bigint AND ($1::uuid IS NULL OR e.host = $1::uuid)
  AND e.action IN (SELECT value FROM jsonb_array_elements_text($3::jsonb)) ORDER BY e.seq LIMIT $4::integer;

-- name: places_of_targets
-- The names of streams, present ones first: for the log of a person's work. $1 json list of ids.
SELECT e.value, f.id, f.dir, f.name FROM jsonb_array_elements_text($1::jsonb) e
LEFT JOIN stream_alias a ON a.old = e.value::uuid
JOIN file f ON f.stream = coalesce(a.stream, e.value::uuid)
ORDER BY f.missing_since_ns NULLS FIRST, f.id;

-- name: compact_feed
-- What was merely seen goes, up to a number; of queues, what was queued before what is queued now. $1 number, $2 json list of the actions that stay.
WITH gone AS (
    DELETE FROM event e WHERE seq <= $1::bigint
    AND (action NOT IN (SELECT value FROM jsonb_array_elements_text($2::jsonb))
         OR (target_kind = 'queue' AND EXISTS (
             SELECT FROM event o WHERE o.target_kind = 'queue' AND o.target = e.target AND o.seq > e.seq AND o.value ? 'items')))
    RETURNING seq
)
UPDATE feed SET compacted = greatest(compacted, $1::bigint) RETURNING (SELECT count(*) FROM gone);

-- name: operations
-- The last operations of persons, newest first. $1 actor or null for all, $2 json list of actions, $3 most.
SELECT e.op_id, min(e.at_ns), min(e.actor), count(*), min(o.command), bool_or(o.undone_by IS NOT NULL), max(e.seq),
       min(e.action), min(e.value ->> 'tag')
FROM event e LEFT JOIN operation o ON o.id = e.op_id
WHERE e.op_id IS NOT NULL AND ($1::text IS NULL OR e.actor = $1::text)
  AND e.action IN (SELECT value FROM jsonb_array_elements_text($2::jsonb))
GROUP BY e.op_id ORDER BY max(e.seq) DESC LIMIT $3::integer;

-- name: events_of_operation
-- What an operation did, last first.
SELECT seq, actor, target_kind, target, action, value FROM event WHERE op_id = $1::uuid ORDER BY seq DESC;

-- name: mark_undone
-- An operation was taken back by another.
UPDATE operation SET undone_by = $2::uuid WHERE id = $1::uuid;

-- name: events_of_target
-- Everything that happened to an item and to those that were merged into it. $1 stream, $2 most.
SELECT e.seq, e.at_ns, e.host, e.actor, e.op_id, e.target_kind, e.target, e.action, e.value FROM event e
WHERE e.target IN (SELECT $1::uuid::text UNION SELECT old::text FROM stream_alias WHERE stream = $1::uuid)
ORDER BY e.seq DESC LIMIT $2::integer;

-- name: revisions_of
-- What stood before: where an item was, and what was at the names it has. $1 stream.
SELECT stream, path, size, mtime_ns, until_ns, why FROM revision
WHERE stream = $1::uuid OR file IN (SELECT id FROM file WHERE stream = $1::uuid) ORDER BY until_ns, id;

-- name: lineage_of
-- What an item came from and what came of it. $1 stream.
SELECT old, new, relation, state, at_ns FROM lineage WHERE old = $1::uuid OR new = $1::uuid ORDER BY at_ns;

-- name: keys_of_streams
-- What proves which payloads items are. $1 json list of ids.
SELECT e.value, jsonb_agg(jsonb_build_array(k.grade, k.algorithm, encode(k.value, 'hex')) ORDER BY k.grade, k.algorithm, k.value)
FROM jsonb_array_elements_text($1::jsonb) e
LEFT JOIN stream_alias a ON a.old = e.value::uuid
JOIN stream_key k ON k.stream = coalesce(a.stream, e.value::uuid)
GROUP BY e.value;

-- name: count_events
-- How many things an operation changed.
SELECT count(*) FROM event WHERE op_id = $1::uuid;
