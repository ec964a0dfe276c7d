-- XMP side files kept in step with what persons say: which files, what both sides say, what they agreed on.

-- name: side_cursor
-- How far this host has looked through the feed. $1 host.
SELECT epoch, seq FROM side_cursor WHERE host = $1::uuid;

-- name: put_side_cursor
-- This host has looked through the feed up to a number. $1 host, $2 epoch, $3 number.
INSERT INTO side_cursor (host, epoch, seq) VALUES ($1::uuid, $2::uuid, $3::bigint)
ON CONFLICT (host) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq;

-- name: side_events
-- A page of the feed, and which of its events may have made a side file and a person's values differ. $1 after this
-- number, $2 most, $3 json list of actions.
SELECT seq, target_kind = 'stream' AND action IN (SELECT value FROM jsonb_array_elements_text($3::jsonb)), target,
       CASE WHEN target = '' THEN value -> 'items' END
FROM event WHERE seq > $1::bigint ORDER BY seq LIMIT $2::integer;

-- name: side_enqueue_files
-- Media files to be looked at, whatever happened to them. $1 json list of files, $2 now.
INSERT INTO side_todo (file, since_ns, not_before_ns)
SELECT f.id, $2::bigint, $2::bigint FROM file f WHERE f.id IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))
ON CONFLICT (file) DO UPDATE SET since_ns = excluded.since_ns, not_before_ns = excluded.not_before_ns, tries = 0;

-- name: side_enqueue
-- Media files to be looked at: those of these streams that have work or a side file, and those that a side file among
-- these streams lies beside. A side file that is as this daemon wrote or read it last is no news. $1 json list of
-- streams, $2 json list of roots, $3 now, $4 not before. The limits keep the planner from looking at every file first,
-- whatever it believes of tables not yet analysed.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT coalesce(a.stream, e.value::uuid) AS stream FROM jsonb_array_elements_text($1::jsonb) e
    LEFT JOIN stream_alias a ON a.old = e.value::uuid
), named AS MATERIALIZED (
    SELECT f.id, f.dir, f.name, f.stream, f.inode, f.size, f.mtime_ns,
           lower(right(encode(f.name, 'escape'), 4)) = '.xmp' AS side
    FROM asked a
    CROSS JOIN LATERAL (SELECT * FROM file o WHERE o.stream = a.stream LIMIT 100000) f
    CROSS JOIN LATERAL (SELECT o.root FROM dir o WHERE o.id = f.dir LIMIT 1) d
    WHERE f.missing_since_ns IS NULL AND f.type = 'f'
      AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($2::jsonb))
), beside AS MATERIALIZED (
    SELECT n.*, substring(n.name FROM 1 FOR length(n.name) - 4) AS stem FROM named n WHERE n.side
), main AS (
    SELECT n.id FROM named n
    LEFT JOIN LATERAL (SELECT true AS found FROM work o WHERE o.stream = n.stream LIMIT 1) w ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM side_file o WHERE o.main = n.id LIMIT 1) v ON true
    WHERE NOT n.side AND (w.found OR v.found)
    UNION
    SELECT m.id FROM beside b
    CROSS JOIN LATERAL (
        (SELECT o.id, o.name FROM file o WHERE o.dir = b.dir AND o.name = b.stem
           AND o.type = 'f' AND o.missing_since_ns IS NULL LIMIT 1)
        UNION ALL
        (SELECT o.id, o.name FROM file o WHERE o.dir = b.dir AND o.name > b.stem || '.'::bytea AND o.name < b.stem || '/'::bytea
           AND o.type = 'f' AND o.missing_since_ns IS NULL LIMIT 1000)
    ) m
    LEFT JOIN LATERAL (
        SELECT true AS found FROM side_sync o WHERE o.file = m.id AND o.name = b.name
          AND (o.inode, o.size, o.mtime_ns) = (b.inode, b.size, b.mtime_ns) LIMIT 1
    ) y ON true
    WHERE lower(right(encode(m.name, 'escape'), 4)) <> '.xmp' AND y.found IS NULL
)
INSERT INTO side_todo (file, since_ns, not_before_ns) SELECT id, $3::bigint, $4::bigint FROM main
ON CONFLICT (file) DO UPDATE SET since_ns = excluded.since_ns, not_before_ns = excluded.not_before_ns, tries = 0;

-- name: side_take
-- The next media files that are due in these roots. $1 json list of roots, $2 now, $3 most.
SELECT t.file, t.since_ns, t.tries FROM side_todo t JOIN file f ON f.id = t.file JOIN dir d ON d.id = f.dir
WHERE t.not_before_ns <= $2::bigint AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))
ORDER BY t.not_before_ns, t.file LIMIT $3::integer;

-- name: side_due
-- When the next media file of these roots is due. $1 json list of roots.
SELECT min(t.not_before_ns) FROM side_todo t JOIN file f ON f.id = t.file JOIN dir d ON d.id = f.dir
WHERE d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb));

-- name: side_done
-- A media file was looked at: unless something happened to it since. $1 file, $2 since.
DELETE FROM side_todo WHERE file = $1::bigint AND since_ns <= $2::bigint;

-- name: side_put_off
-- It could not be done: again later. $1 file, $2 not before, $3 code, $4 message.
UPDATE side_todo SET not_before_ns = $2::bigint, tries = least(tries + 1, 1000)::smallint, problem_code = $3::text,
    problem = $4::text
WHERE file = $1::bigint;

-- name: side_waiting
-- What waits in these roots, with why. $1 json list of roots, $2 most.
SELECT t.file, f.stream, f.dir, f.name, t.since_ns, t.problem_code, t.problem
FROM side_todo t JOIN file f ON f.id = t.file JOIN dir d ON d.id = f.dir
WHERE d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($1::jsonb))
ORDER BY t.since_ns, t.file LIMIT $2::integer;

-- name: side_facts
-- What the merge of a media file's side file takes: the file, what it and the side file agreed on, what persons say and
-- when each of it was said last, the keywords in the files themselves, the names beside it that begin as its does. $1 file.
SELECT f.stream, f.dir, f.name, f.inode, d.root, f.missing_since_ns IS NULL AND f.type = 'f',
       r.file IS NOT NULL AND NOT EXISTS (SELECT FROM todo t WHERE t.file = f.id), coalesce(r.state = 'read', false),
       y.name, y.state, y.inode, y.size, y.mtime_ns, y.stream IS NOT NULL AND coalesce(
           (SELECT a.stream FROM stream_alias a WHERE a.old = y.stream), y.stream) = f.stream,
       (SELECT jsonb_object_agg(t.tag, t.removed) FROM work_tag t WHERE t.stream = f.stream),
       (SELECT jsonb_object_agg(w.name, w.value) FROM work_field w
        WHERE w.stream = f.stream AND w.name IN ('title', 'description')),
       (SELECT jsonb_object_agg(a.actor, a.rating) FROM work_actor a WHERE a.stream = f.stream AND a.rating IS NOT NULL),
       (SELECT jsonb_agg(DISTINCT k) FROM file o JOIN file_detail t ON t.file = o.id
        CROSS JOIN LATERAL jsonb_array_elements_text(t.fields -> 'keywords') k
        WHERE o.stream = f.stream AND o.missing_since_ns IS NULL AND jsonb_typeof(t.fields -> 'keywords') = 'array'),
       (SELECT jsonb_agg(jsonb_build_array(l.field, l.at_ns, l.whose)) FROM (
            SELECT DISTINCT ON (e.field) e.field, e.at_ns, e.whose FROM (
                SELECT CASE v.action WHEN 'set' THEN v.value ->> 'field' ELSE 'rating' END AS field, v.at_ns,
                       coalesce(v.value ->> 'whose', v.actor) AS whose, v.seq
                FROM event v
                WHERE v.target IN (SELECT f.stream::text UNION SELECT a.old::text FROM stream_alias a WHERE a.stream = f.stream)
                  AND v.action IN ('set', 'rated')) e
            ORDER BY e.field, e.seq DESC) l),
       (SELECT w.first_ns FROM work w WHERE w.stream = f.stream),
       (SELECT jsonb_agg(encode(o.name, 'hex')) FROM file o
        WHERE o.dir = f.dir AND o.id <> f.id AND o.type = 'f' AND o.missing_since_ns IS NULL
          AND o.name > decode(regexp_replace(encode(f.name, 'escape'), '\.[^.]*$', ''), 'escape') || '.'::bytea
          AND o.name < decode(regexp_replace(encode(f.name, 'escape'), '\.[^.]*$', ''), 'escape') || '/'::bytea)
FROM file f JOIN dir d ON d.id = f.dir LEFT JOIN reading r ON r.file = f.id LEFT JOIN side_sync y ON y.file = f.id
WHERE f.id = $1::bigint;

-- name: put_side_sync
-- What a side file and the person's values agree on now. $1 file, $2 stream, $3 name of the side file, $4 state, $5 inode,
-- $6 size, $7 mtime, $8 now.
INSERT INTO side_sync (file, stream, name, state, inode, size, mtime_ns, at_ns)
SELECT f.id, $2::uuid, $3::bytea, $4::jsonb, $5::bigint, $6::bigint, $7::bigint, $8::bigint
FROM file f WHERE f.id = $1::bigint
ON CONFLICT (file) DO UPDATE SET stream = excluded.stream, name = excluded.name, state = excluded.state,
    inode = excluded.inode, size = excluded.size, mtime_ns = excluded.mtime_ns, at_ns = excluded.at_ns;

-- name: tell_conflict
-- The value that lost: both sides had changed a single value, and the person's was the later. $1: [{f, k, l}] field, what
-- was kept, what was lost; $2 now, $3 host, $4 actor, $5 operation, $6 stream. Once for an operation.
WITH fresh AS MATERIALIZED (
    SELECT e.f, e.k, e.l FROM jsonb_to_recordset($1::jsonb) AS e(f text, k jsonb, l jsonb)
    WHERE NOT EXISTS (SELECT FROM event x WHERE x.op_id = $5::uuid AND x.action = 'conflict' AND x.target = $6::uuid::text
                      AND x.value ->> 'field' = e.f)
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM fresh) WHERE EXISTS (SELECT FROM fresh) RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'stream', $6::uuid::text, 'conflict',
       jsonb_build_object('field', c.f, 'kept', c.k, 'lost', c.l)
FROM fresh c, numbered n;

-- name: side_mains
-- Media files of items. $1 json list of streams, $2 json list of roots.
SELECT f.id FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY e
CROSS JOIN LATERAL (SELECT * FROM file o WHERE o.stream = e.value::uuid LIMIT 100000) f
CROSS JOIN LATERAL (SELECT o.root FROM dir o WHERE o.id = f.dir LIMIT 1) d
WHERE f.missing_since_ns IS NULL AND f.type = 'f' AND lower(right(encode(f.name, 'escape'), 4)) <> '.xmp'
  AND d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($2::jsonb))
ORDER BY e.ordinality, f.id;

-- name: side_names
-- A page of the side files there are. $1 after this file, $2 most.
SELECT id FROM file
WHERE id > $1::bigint AND type = 'f' AND missing_since_ns IS NULL
  AND substring(name FROM length(name) - 3) IN ('.xmp'::bytea, '.XMP'::bytea)
ORDER BY id LIMIT $2::integer;

-- name: side_beside
-- Media files that these side files lie beside, without those that persons had said something of before a moment.
-- $1 json list of files, $2 json list of roots, $3 that moment.
SELECT DISTINCT m.id
FROM jsonb_array_elements_text($1::jsonb) e
CROSS JOIN LATERAL (
    SELECT o.dir, o.name, substring(o.name FROM 1 FOR length(o.name) - 4) AS stem FROM file o WHERE o.id = e.value::bigint LIMIT 1
) s
CROSS JOIN LATERAL (SELECT o.root FROM dir o WHERE o.id = s.dir LIMIT 1) d
CROSS JOIN LATERAL (
    (SELECT o.id, o.name, o.stream FROM file o WHERE o.dir = s.dir AND o.name = s.stem
       AND o.type = 'f' AND o.missing_since_ns IS NULL LIMIT 1)
    UNION ALL
    (SELECT o.id, o.name, o.stream FROM file o
     WHERE o.dir = s.dir AND o.name > s.stem || '.'::bytea AND o.name < s.stem || '/'::bytea
       AND o.type = 'f' AND o.missing_since_ns IS NULL LIMIT 1000)
) m
LEFT JOIN LATERAL (SELECT true AS found FROM work o WHERE o.stream = m.stream AND o.first_ns < $3::bigint LIMIT 1) w ON true
WHERE d.root IN (SELECT value::bigint FROM jsonb_array_elements_text($2::jsonb)) AND w.found IS NULL
  AND lower(right(encode(m.name, 'escape'), 4)) <> '.xmp'
ORDER BY m.id;
