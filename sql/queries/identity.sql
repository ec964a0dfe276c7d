-- Which stream a name belongs to, and what becomes of streams.

-- name: identity_candidates, by key
-- Streams that have the fingerprints just read; looked for among the first 24 of each, for there may be thousands of equal
-- files, and told once however many files of the batch have it. $1: [{f, v}] file and fingerprint in hex. Three kinds of
-- rows: (null, fingerprint, a stream that has it, how many present names, worked, alone, created, those of its names that
-- files of the batch have); (file, fingerprint, its stream) of the files that share theirs with another stream; (file,
-- null) of those whose own stream has another fingerprint.
WITH asked AS MATERIALIZED (
    SELECT f.id AS file, f.stream, f.name, decode(e.v, 'hex') AS value
    FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, v text) JOIN file f ON f.id = e.f
), valued AS MATERIALIZED (
    SELECT value, array_agg(name) AS names FROM asked GROUP BY value
), held AS MATERIALIZED (
    SELECT v.value, v.names, k.stream FROM valued v CROSS JOIN LATERAL (
        SELECT DISTINCT k.stream FROM (
            SELECT k.stream FROM stream_key k WHERE k.value = v.value AND k.grade = 1 LIMIT 24
        ) k
    ) k
)
SELECT NULL::bigint, h.value, h.stream,
       (SELECT count(*) FROM file o WHERE o.stream = h.stream AND o.missing_since_ns IS NULL),
       (SELECT count(*) FROM work w WHERE w.stream = h.stream) > 0, s.alone, s.created_ns,
       ARRAY(SELECT o.name FROM file o WHERE o.stream = h.stream AND o.name = ANY (h.names))
FROM held h JOIN stream s ON s.id = h.stream
UNION ALL
SELECT a.file, a.value, a.stream, 0, false, false, 0, NULL FROM asked a
WHERE a.value IN (SELECT h.value FROM held h)
UNION ALL
SELECT a.file, NULL, NULL, 0, false, false, 0, NULL FROM asked a
WHERE (SELECT true FROM stream_key k WHERE k.stream = a.stream AND k.grade = 1 AND k.value <> a.value LIMIT 1);

-- name: identity_own, by key
-- The streams that names have now, and what was known of the files. $1: [{f, v}] file and fingerprint in hex. No EXISTS
-- among what is selected, here and in other statements by key: the planner may answer it from a hash of the whole table.
WITH asked AS MATERIALIZED (
    SELECT e.f AS file, decode(e.v, 'hex') AS value FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, v text)
)
SELECT a.file, f.stream,
       CASE WHEN (SELECT true FROM stream_key k WHERE k.stream = f.stream AND k.grade = 1 LIMIT 1)
            THEN (SELECT true FROM stream_key k WHERE k.stream = f.stream AND k.value = a.value LIMIT 1) IS NOT NULL END,
       (SELECT count(*) FROM file o WHERE o.stream = f.stream AND o.id <> f.id AND o.missing_since_ns IS NULL),
       (SELECT true FROM work w WHERE w.stream = f.stream) IS NOT NULL, s.alone, f.dir, f.name, coalesce(r.size, f.size), coalesce(r.mtime_ns, f.mtime_ns), r.kind,
       d.fields
FROM asked a JOIN file f ON f.id = a.file JOIN stream s ON s.id = f.stream
LEFT JOIN reading r ON r.file = f.id LEFT JOIN file_detail d ON d.file = f.id;

-- name: last_places, by key
-- Where streams without a present file were last: the name that went missing last. $1 json list of streams.
SELECT DISTINCT ON (stream) stream, id, dir, name FROM file
WHERE stream IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb)) AND missing_since_ns IS NOT NULL
ORDER BY stream, missing_since_ns DESC, id;

-- name: join_moved, by key
-- Names that turned out to be files of known streams, moved there: each joins its stream; the name it had before, which
-- is missing, goes, and stays known as a revision. $1: [{f, t, o, p, v}] t the stream, o the old name's file, p its path
-- in hex, v the event's value, $2 now, $3 host.
WITH entry AS MATERIALIZED (
    SELECT e.f, e.t, e.o, decode(e.p, 'hex') AS path, e.v
    FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, t uuid, o bigint, p text, v jsonb)
), joined AS (
    UPDATE file f SET stream = e.t FROM entry e WHERE f.id = e.f AND f.stream <> e.t
    RETURNING f.id, e.t, e.o, e.path, e.v
), left_behind AS (
    DELETE FROM file f USING joined j WHERE f.id = j.o AND f.missing_since_ns IS NOT NULL
    RETURNING f.id, f.stream, f.size, f.mtime_ns, j.path
), kept AS (
    INSERT INTO revision (file, stream, path, size, mtime_ns, until_ns, why)
    SELECT j.id, l.stream, l.path, l.size, l.mtime_ns, $2::bigint, 'moved' FROM left_behind l JOIN joined j ON j.o = l.id
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM joined) WHERE EXISTS (SELECT FROM joined) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', j.t::text, 'moved', j.v
FROM joined j, numbered n;

-- name: alias_streams
-- Ids of streams that live on in another: valid for ever. Those that have a name left stay. $1: [{s, t}] s in t.
WITH entry AS MATERIALIZED (
    SELECT e.s, e.t FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, t uuid)
    WHERE e.s <> e.t AND NOT EXISTS (SELECT FROM file f WHERE f.stream = e.s)
      AND EXISTS (SELECT FROM stream s WHERE s.id = e.s)
), known AS (
    INSERT INTO stream_alias (old, stream) SELECT s, t FROM entry ON CONFLICT (old) DO UPDATE SET stream = excluded.stream
), forwarded AS (
    UPDATE stream_alias a SET stream = e.t FROM entry e WHERE a.stream = e.s AND a.old <> e.s
), keys AS (
    INSERT INTO stream_key (stream, grade, algorithm, value)
    SELECT e.t, k.grade, k.algorithm, k.value FROM entry e JOIN stream_key k ON k.stream = e.s ON CONFLICT DO NOTHING
), came AS (
    UPDATE lineage l SET new = e.t FROM entry e
    WHERE l.new = e.s AND l.old <> e.t AND NOT EXISTS (SELECT FROM lineage x WHERE x.old = l.old AND x.new = e.t)
), went AS (
    UPDATE lineage l SET old = e.t FROM entry e
    WHERE l.old = e.s AND l.new NOT IN (SELECT s FROM entry UNION SELECT t FROM entry)
      AND NOT EXISTS (SELECT FROM lineage x WHERE x.old = e.t AND x.new = l.new)
), metas AS (
    INSERT INTO stream_meta (stream, meta) SELECT e.t, m.meta FROM entry e JOIN stream_meta m ON m.stream = e.s
    ON CONFLICT DO NOTHING
)
DELETE FROM stream d USING entry e WHERE d.id = e.s;

-- name: lock_streams
-- Streams that are to be merged: who is doing something to one of them is waited for, so that it is merged, too.
-- $1: [{s, t}].
SELECT id FROM stream WHERE id IN (SELECT unnest(ARRAY[e.s, e.t]) FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, t uuid))
ORDER BY id FOR UPDATE;

-- name: merge_work
-- What a person made of one stream is added to another: where both say something of the same thing, the other keeps
-- its own; of two bookmarks the later stays. Plays that a stream inherited from the one it goes to, at first or second hand, are not counted twice.
-- $1: [{s, t}] s into t.
WITH RECURSIVE entry AS MATERIALIZED (
    SELECT DISTINCT e.s, e.t FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, t uuid) JOIN work w ON w.stream = e.s
    WHERE e.s <> e.t
), came AS (
    SELECT e.s, e.t, f.live AS source, v.value -> 'work' -> 'actors' AS actors
    FROM entry e JOIN event v ON v.target = e.s::text AND v.action = 'inherited'
    CROSS JOIN LATERAL (SELECT coalesce((SELECT a.stream FROM stream_alias a WHERE a.old = (v.value ->> 'from')::uuid),
                                        (v.value ->> 'from')::uuid) AS live) f
    UNION
    SELECT c.s, c.t, f.live, c.actors
    FROM came c JOIN event v ON v.target = c.source::text AND v.action = 'inherited'
    CROSS JOIN LATERAL (SELECT coalesce((SELECT a.stream FROM stream_alias a WHERE a.old = (v.value ->> 'from')::uuid),
                                        (v.value ->> 'from')::uuid) AS live) f
    WHERE c.source <> c.t
), marked AS (
    INSERT INTO work (stream, first_ns) SELECT e.t, w.first_ns FROM entry e JOIN work w ON w.stream = e.s
    ON CONFLICT DO NOTHING
), tags AS (
    INSERT INTO work_tag (stream, tag, folded, removed)
    SELECT e.t, w.tag, w.folded, w.removed FROM entry e JOIN work_tag w ON w.stream = e.s ON CONFLICT DO NOTHING
), fields AS (
    INSERT INTO work_field (stream, name, value, folded)
    SELECT e.t, w.name, w.value, w.folded FROM entry e JOIN work_field w ON w.stream = e.s ON CONFLICT DO NOTHING
), entries AS (
    UPDATE collection_entry c SET stream = e.t FROM entry e WHERE c.stream = e.s
), own AS (
    SELECT e.t, w.actor, w.rating, w.starred_ns, w.played_ns, w.bookmark,
           greatest(w.plays - coalesce((SELECT max((c.actors -> w.actor ->> 'plays')::integer) FROM came c
                                        WHERE c.s = e.s AND c.t = e.t AND c.source = e.t), 0), 0) AS plays
    FROM entry e JOIN work_actor w ON w.stream = e.s
)
INSERT INTO work_actor AS a (stream, actor, rating, starred_ns, plays, played_ns, bookmark)
SELECT t, actor, max(rating), min(starred_ns), sum(plays)::integer, max(played_ns),
       (array_agg(bookmark ORDER BY (bookmark ->> 'at_ns')::bigint DESC NULLS LAST))[1]
FROM own GROUP BY t, actor
ON CONFLICT (stream, actor) DO UPDATE SET rating = coalesce(a.rating, excluded.rating),
    starred_ns = coalesce(a.starred_ns, excluded.starred_ns), plays = a.plays + excluded.plays,
    played_ns = greatest(a.played_ns, excluded.played_ns),
    bookmark = CASE WHEN coalesce((a.bookmark ->> 'at_ns')::bigint, 0) >= coalesce((excluded.bookmark ->> 'at_ns')::bigint, 0)
                    THEN a.bookmark ELSE excluded.bookmark END;

-- name: drop_work
-- The tables of a stream whose work went to another. $1 json list of streams.
WITH gone AS MATERIALIZED (
    SELECT value::uuid AS stream FROM jsonb_array_elements_text($1::jsonb)
), tags AS (
    DELETE FROM work_tag w USING gone g WHERE w.stream = g.stream
), fields AS (
    DELETE FROM work_field w USING gone g WHERE w.stream = g.stream
), actors AS (
    DELETE FROM work_actor w USING gone g WHERE w.stream = g.stream
)
DELETE FROM work w USING gone g WHERE w.stream = g.stream;

-- name: succeed, by key
-- A living path has a new payload, and work hung on the old one: the name gets a stream of its own, which succeeds the
-- old one. $1: [{f, s, t, p, z, m, k, v}] from stream s to t, p the path in hex, z and m size and mtime of what stood
-- there, k the lineage's state, v the event's value, $2 now, $3 host.
WITH entry AS MATERIALIZED (
    SELECT e.f, e.s, e.t, decode(e.p, 'hex') AS path, e.z, e.m, e.k, e.v
    FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, s uuid, t uuid, p text, z bigint, m bigint, k text, v jsonb)
), fresh AS (
    INSERT INTO stream (id, created_ns) SELECT t, $2::bigint FROM entry ON CONFLICT DO NOTHING RETURNING id
), joined AS (
    UPDATE file f SET stream = e.t FROM entry e JOIN fresh n ON n.id = e.t WHERE f.id = e.f
    RETURNING f.id, e.s, e.t, e.path, e.z, e.m, e.k, e.v
), kept AS (
    INSERT INTO revision (file, stream, path, size, mtime_ns, until_ns, why)
    SELECT id, s, path, z, m, $2::bigint, 'succeeded' FROM joined
), line AS (
    INSERT INTO lineage (old, new, relation, state, at_ns) SELECT s, t, 'succeeded', k, $2::bigint FROM joined
    ON CONFLICT DO NOTHING
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM joined) WHERE EXISTS (SELECT FROM joined) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', j.t::text, 'succeeded', j.v
FROM joined j, numbered n;

-- name: rewrite, by key
-- A living path has a new payload, and nothing hung on the old one: the stream goes on with new keys. $1: [{f, p, z, m,
-- v}] p the path in hex, z and m size and mtime of what stood there, v the event's value, $2 now, $3 host.
WITH entry AS MATERIALIZED (
    SELECT e.f, decode(e.p, 'hex') AS path, e.z, e.m, e.v
    FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, p text, z bigint, m bigint, v jsonb)
), keys AS (
    DELETE FROM stream_key k USING file f, entry e WHERE f.id = e.f AND k.stream = f.stream
    RETURNING f.id, f.stream, e.z, e.m, e.path, e.v
), once AS (
    SELECT DISTINCT id, stream, z, m, path, v FROM keys
), kept AS (
    INSERT INTO revision (file, stream, path, size, mtime_ns, until_ns, why)
    SELECT id, stream, path, z, m, $2::bigint, 'succeeded' FROM once
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM once) WHERE EXISTS (SELECT FROM once) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', o.stream::text, 'succeeded', o.v
FROM once o, numbered n;

-- name: lost_pairs
-- Streams that just lost their last name, and those that have the same fingerprint and came a short while before: a file
-- that was copied and then removed has moved. $1 json list of streams, $2 seen after.
SELECT l.stream, o.stream, EXISTS (SELECT FROM work w WHERE w.stream = l.stream) OR ls.created_ns < $2::bigint,
       EXISTS (SELECT FROM work w WHERE w.stream = o.stream), max(f.size), (array_agg(f.name))[1], min(f.id), min(s.created_ns)
FROM (SELECT DISTINCT value::uuid AS stream FROM jsonb_array_elements_text($1::jsonb)) l
JOIN stream ls ON ls.id = l.stream AND NOT ls.alone
JOIN stream_key k ON k.stream = l.stream AND k.grade = 1
CROSS JOIN LATERAL (SELECT o.stream FROM stream_key o WHERE o.value = k.value AND o.stream <> k.stream LIMIT 24) o
JOIN stream s ON s.id = o.stream AND NOT s.alone AND s.created_ns > $2::bigint
JOIN file f ON f.stream = o.stream AND f.missing_since_ns IS NULL
WHERE NOT EXISTS (SELECT FROM file p WHERE p.stream = l.stream AND p.missing_since_ns IS NULL)
GROUP BY l.stream, o.stream, ls.created_ns;

-- name: orphans
-- Streams with a person's work and without a file, whose fingerprint a present file has: what became of their file was
-- not seen, because the copy was away, or the daemon was. $1 most. Asked after every walk: stream by stream (LIMIT 1), for
-- a plan that looks at every file first costs more than the walk.
SELECT w.stream FROM work w
WHERE (SELECT true FROM file p WHERE p.stream = w.stream AND p.missing_since_ns IS NULL LIMIT 1) IS NULL
  AND (SELECT true FROM stream_key k
       CROSS JOIN LATERAL (SELECT stream FROM stream_key o WHERE o.value = k.value AND o.stream <> k.stream OFFSET 0) o
       CROSS JOIN LATERAL (
           SELECT id FROM file f WHERE f.stream = o.stream AND f.missing_since_ns IS NULL LIMIT 1) f
       WHERE k.stream = w.stream AND k.grade = 1 LIMIT 1)
LIMIT $1::integer;

-- name: put_doubts
-- Streams whose checksum is wanted: those that have none yet, or one that another stream has and that could not count
-- before. $1 json list of streams, $2 now.
INSERT INTO doubt (stream, at_ns)
SELECT s.id, $2::bigint FROM jsonb_array_elements_text($1::jsonb) e JOIN stream s ON s.id = e.value::uuid
WHERE NOT EXISTS (SELECT FROM stream_key k WHERE k.stream = s.id AND k.grade = 3 AND k.algorithm <> 'pcm-md5/1')
   OR EXISTS (SELECT FROM stream_key k JOIN stream_key o ON o.value = k.value AND o.grade = 3 AND o.stream <> k.stream
              WHERE k.stream = s.id AND k.grade = 3 AND k.algorithm <> 'pcm-md5/1')
ON CONFLICT (stream) DO UPDATE SET tries = 0;

-- name: take_doubts
-- The next streams whose checksum is wanted and that have a file in these roots. $1 json list of roots, $2 most.
SELECT DISTINCT ON (q.stream) q.stream, f.id FROM doubt q JOIN file f ON f.stream = q.stream AND f.missing_since_ns IS NULL
JOIN dir d ON d.id = f.dir
WHERE d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb)) AND q.tries < 3 AND f.type = 'f'
  AND NOT EXISTS (SELECT FROM todo t WHERE t.file = f.id)
ORDER BY q.stream, f.id LIMIT $2::integer;

-- name: end_doubt
-- It is known now. Returns the stream when it is not: its file was written to meanwhile.
WITH gone AS (
    DELETE FROM doubt d WHERE d.stream = $1::uuid AND EXISTS (
        SELECT FROM stream_key k WHERE k.stream = d.stream AND k.grade = 3 AND k.algorithm <> 'pcm-md5/1')
    RETURNING d.stream
)
SELECT d.stream FROM doubt d WHERE d.stream = $1::uuid AND NOT EXISTS (SELECT FROM gone);

-- name: doubt_again
-- A root was walked: what could not be read before may be there now. $1 root.
UPDATE doubt q SET tries = 0 WHERE q.tries > 0 AND EXISTS (
    SELECT FROM file f JOIN dir d ON d.id = f.dir WHERE f.stream = q.stream AND d.root = $1::bigint);

-- name: try_doubt
-- It could not be computed this time.
UPDATE doubt SET tries = tries + 1 WHERE stream = $1::uuid;

-- name: equal_streams
-- Streams that are this one: an equal checksum of the whole payload, or of all its audio and video tracks. Work is on
-- at least one side. $1 stream, $2 json list of algorithms that say less.
SELECT DISTINCT o.stream, s.created_ns, (SELECT f.name FROM file f WHERE f.stream = o.stream ORDER BY f.id LIMIT 1),
       (SELECT max(f.size) FROM file f WHERE f.stream = o.stream)
FROM stream_key k JOIN stream_key o ON o.value = k.value AND o.grade = 3 AND o.stream <> k.stream
JOIN stream s ON s.id = o.stream AND NOT s.alone JOIN stream own ON own.id = k.stream AND NOT own.alone
WHERE k.stream = $1::uuid AND k.grade = 3
  AND k.algorithm NOT IN (SELECT value FROM jsonb_array_elements_text($2::jsonb))
  AND EXISTS (SELECT FROM work w WHERE w.stream IN (k.stream, o.stream));

-- name: join_streams
-- All names of one stream go to another. $1: [{s, t, v}] v the event's value, $2 now, $3 host, $4 actor, $5 operation.
WITH entry AS MATERIALIZED (
    SELECT e.s, e.t, e.v FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, t uuid, v jsonb)
    WHERE e.s <> e.t AND EXISTS (SELECT FROM stream x WHERE x.id = e.s)
), moved AS (
    UPDATE file f SET stream = e.t FROM entry e WHERE f.stream = e.s
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM entry) WHERE EXISTS (SELECT FROM entry) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', e.t::text, 'merged', e.v
FROM entry e, numbered n;

-- name: track_candidates, by key
-- Streams with a person's work that have these first packets of a track: a remux, perhaps. $1: [{f, v}] file and track
-- key in hex.
SELECT DISTINCT f.stream, k.stream
FROM jsonb_to_recordset($1::jsonb) AS e(f bigint, v text) JOIN file f ON f.id = e.f
CROSS JOIN LATERAL (
    SELECT k.stream FROM stream_key k
    WHERE k.value = decode(e.v, 'hex') AND k.grade = 2 AND k.stream <> f.stream LIMIT 24) k
JOIN work w ON w.stream = k.stream
WHERE EXISTS (SELECT FROM work);

-- name: stream_age
-- When a stream was first seen, with a name and the size of its files.
SELECT created_ns, (SELECT f.name FROM file f WHERE f.stream = $1::uuid ORDER BY f.id LIMIT 1),
       (SELECT max(f.size) FROM file f WHERE f.stream = $1::uuid)
FROM stream WHERE id = $1::uuid;

-- name: inherit_work
-- The event that carries a person's work from one stream to another, with what it was. $1: [{s, t}] s into t, $2 now,
-- $3 host. What merge_work does to the tables, this says in the feed.
WITH entry AS MATERIALIZED (
    SELECT DISTINCT e.s, e.t FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, t uuid) JOIN work w ON w.stream = e.s
    WHERE NOT EXISTS (SELECT FROM work x WHERE x.stream = e.t)
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM entry) WHERE EXISTS (SELECT FROM entry) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, '', 'stream', e.t::text, 'inherited',
       jsonb_build_object('from', e.s, 'work', work_of(e.s))
FROM entry e, numbered n;

-- name: split_file
-- A file gets a stream of its own for good, with the keys it has. $1 file, $2 the new stream, $3 now, $4 host, $5 actor,
-- $6 operation, $7 the event's value.
WITH file_now AS (
    SELECT id, stream FROM file WHERE id = $1::bigint
), fresh AS (
    INSERT INTO stream (id, created_ns, alone) SELECT $2::uuid, $3::bigint, true FROM file_now
    ON CONFLICT DO NOTHING RETURNING id
), moved AS (
    UPDATE file f SET stream = n.id FROM fresh n, file_now o WHERE f.id = o.id RETURNING o.stream
), keys AS (
    INSERT INTO stream_key (stream, grade, algorithm, value)
    SELECT n.id, k.grade, k.algorithm, k.value FROM fresh n, moved m JOIN stream_key k ON k.stream = m.stream
    ON CONFLICT DO NOTHING
), numbered AS (
    UPDATE feed SET last = last + 1 WHERE EXISTS (SELECT FROM moved) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last, $3::bigint, $4::uuid, $5::text, $6::uuid, 'stream', $2::uuid::text, 'split', $7::jsonb FROM numbered n;

-- name: unsplit
-- A stream may be joined with its equals again.
UPDATE stream SET alone = false WHERE id = $1::uuid;

-- name: equal_prints
-- Streams with the fingerprint of this one, the oldest first.
SELECT DISTINCT s.id, s.created_ns FROM stream_key k JOIN stream_key o ON o.value = k.value AND o.stream <> k.stream
JOIN stream s ON s.id = o.stream AND NOT s.alone
WHERE k.stream = $1::uuid AND k.grade = 1 ORDER BY s.created_ns, s.id LIMIT 16;

-- name: put_lineage
-- One stream took the place of another. $1 old, $2 new, $3 relation, $4 state, $5 now.
INSERT INTO lineage (old, new, relation, state, at_ns) VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::bigint)
ON CONFLICT (old, new) DO UPDATE SET state = excluded.state, relation = excluded.relation, at_ns = excluded.at_ns;

-- name: lineage_to
-- What a stream may have come from, in a state. $1 new, $2 state.
SELECT old, relation FROM lineage WHERE new = $1::uuid AND state = $2::text ORDER BY at_ns DESC;

-- name: inherited_by
-- What a stream inherited from another. $1 stream, $2 from.
SELECT value -> 'work' FROM event WHERE target = $1::uuid::text AND action = 'inherited' AND value ->> 'from' = $2::uuid::text
ORDER BY seq DESC LIMIT 1;

-- name: tell
-- An event on a stream. $1 stream, $2 now, $3 host, $4 actor, $5 operation, $6 action, $7 value.
WITH numbered AS (UPDATE feed SET last = last + 1 RETURNING last)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', $1::uuid::text, $6::text, $7::jsonb FROM numbered n;
