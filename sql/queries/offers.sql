-- Which items may have taken the place of others, looked up for one item at a time: nothing of this runs in a walk.

-- name: offer_facts
-- What offers are made of: of each present or last file of items what it says, and what a person says instead. $1 json
-- list of streams.
SELECT f.stream, f.missing_since_ns IS NULL, r.kind, r.format, r.title, d.fields -> 'artists', r.artist, r.album, r.duration,
       coalesce(d.fields -> 'bit_rate', d.fields -> 'audio_bit_rate'), d.fields -> 'lossless',
       d.fields ->> 'document_id', d.fields ->> 'original_document_id', d.tags -> 'XMP-xmpMM:DerivedFrom', f.mtime_ns,
       (SELECT jsonb_object_agg(w.name, w.value) FROM work_field w
        WHERE w.stream = f.stream AND w.name IN ('title', 'artist', 'artists', 'album'))
FROM jsonb_array_elements_text($1::jsonb) e
CROSS JOIN LATERAL (SELECT * FROM file o WHERE o.stream = e.value::uuid AND o.type = 'f' LIMIT 64) f  -- name by name
CROSS JOIN LATERAL (SELECT * FROM reading o WHERE o.file = f.id AND o.state = 'read' LIMIT 1) r
CROSS JOIN LATERAL (SELECT * FROM file_detail o WHERE o.file = f.id LIMIT 1) d
ORDER BY f.stream, f.missing_since_ns NULLS FIRST, f.id;

-- name: offer_songs
-- Other items with this title and one of these artists, as their files or persons say: the text index has both. $1 stream,
-- $2 tsquery, $3 most.
SELECT DISTINCT f.stream FROM file_text t JOIN file f ON f.id = t.file
WHERE t.words @@ $2::tsquery AND f.stream <> $1::uuid LIMIT $3::integer;

-- name: offer_documents
-- Other items whose pictures have one of these ids as their own, their original's, or of what they derive from. $1
-- stream, $2 json list of ids, $3 most.
WITH found AS (
    SELECT file FROM file_detail WHERE fields ? 'document_id' AND fields ->> 'document_id' = ANY (ARRAY(SELECT jsonb_array_elements_text($2::jsonb)))
    UNION
    SELECT file FROM file_detail WHERE fields ? 'original_document_id' AND fields ->> 'original_document_id' = ANY (ARRAY(SELECT jsonb_array_elements_text($2::jsonb)))
    UNION
    SELECT file FROM file_detail WHERE tags ? 'XMP-xmpMM:DerivedFrom' AND tags -> 'XMP-xmpMM:DerivedFrom' ?| ARRAY(SELECT jsonb_array_elements_text($2::jsonb))
)
SELECT DISTINCT f.stream FROM found n JOIN file f ON f.id = n.file WHERE f.stream <> $1::uuid LIMIT $3::integer;

-- name: offer_settled
-- Of these pairs those about which something was said, or which have one payload. $1: [{a, b}].
SELECT e.a, e.b FROM jsonb_to_recordset($1::jsonb) AS e(a uuid, b uuid)
WHERE EXISTS (SELECT FROM lineage l WHERE (l.old, l.new) = (e.a, e.b) OR (l.old, l.new) = (e.b, e.a))
   OR EXISTS (SELECT FROM stream_key k JOIN stream_key o ON o.value = k.value AND o.grade = k.grade AND o.stream = e.b
              WHERE k.stream = e.a AND k.grade IN (1, 3) AND k.algorithm <> 'pcm-md5/1');

-- name: offers_stored
-- Successions that are offered since a file got another payload: of these items, or of all. $1 json list of streams or
-- null, $2 after this one, $3 most.
SELECT old, new, relation FROM lineage
WHERE state = 'offered' AND ($1::jsonb IS NULL OR new IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb))
                             OR old IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb)))
ORDER BY at_ns, old, new;

-- name: worked_streams
-- A page of the items that persons have said something of. $1 after this stream or null, $2 most.
SELECT w.stream FROM work w WHERE ($1::uuid IS NULL OR w.stream > $1::uuid) ORDER BY w.stream LIMIT $2::integer;
