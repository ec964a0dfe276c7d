-- Albums, artists and genres summed up for walking through the library (mediad/index/walking), and what persons make of
-- albums and artists.

-- name: stale_albums
-- What is to be summed up anew, oldest first. $1 most.
SELECT s.meta, s.mark, m.kind, m.name
FROM (SELECT meta, mark FROM stale_album ORDER BY mark LIMIT $1::integer) s
LEFT JOIN LATERAL (SELECT kind, name FROM meta WHERE id = s.meta OFFSET 0) m ON true
ORDER BY s.mark;

-- name: few_stale_albums
-- How many are to be summed up; no more than $1 are counted.
SELECT count(*) FROM (SELECT FROM stale_album LIMIT $1::integer) s;

-- name: songs_of_albums, by key
-- The songs of albums, and loose songs themselves, each by its first file, present ones first. What is no song's any more
-- has no row. The array: album, album_artists, album_artist_credit, album_artist_sort, mb_album_artist_ids, artists,
-- artist_credit, artist_sort, mb_artist_ids, compilation, genres, mb_release_id, album_sort, disc_number, track_number.
-- $1 json list of metas.
SELECT DISTINCT ON (a.id, f.stream) a.id, f.stream, f.missing_since_ns IS NOT NULL, f.first_seen_ns, f.name, r.duration, r.date,
       jsonb_build_array(d.fields -> 'album', d.fields -> 'album_artists', d.fields -> 'album_artist_credit',
           d.fields -> 'album_artist_sort', d.fields -> 'mb_album_artist_ids', d.fields -> 'artists',
           d.fields -> 'artist_credit', d.fields -> 'artist_sort', d.fields -> 'mb_artist_ids', d.fields -> 'compilation',
           d.fields -> 'genres', d.fields -> 'mb_release_id', d.fields -> 'album_sort', d.fields -> 'disc_number',
           d.fields -> 'track_number')
FROM (SELECT value::uuid AS id FROM jsonb_array_elements_text($1::jsonb)) a
CROSS JOIN LATERAL (
    SELECT l.parent AS song FROM meta_link l WHERE l.child = a.id AND l.role = 'album'
    UNION ALL
    SELECT m.id FROM meta m WHERE m.id = a.id AND m.kind = 'song'
    AND NOT EXISTS (SELECT FROM meta_link l WHERE l.parent = m.id AND l.role = 'album')
    OFFSET 0
) s
CROSS JOIN LATERAL (SELECT sm.stream FROM stream_meta sm WHERE sm.meta = s.song OFFSET 0) m
CROSS JOIN LATERAL (
    -- of a stream with several songs' tags those files that say so
    SELECT f.id, f.stream, f.missing_since_ns, f.first_seen_ns, f.name FROM file f
    WHERE f.stream = m.stream AND EXISTS (SELECT FROM file_meta x WHERE x.file = f.id AND x.meta = s.song) OFFSET 0
) f
CROSS JOIN LATERAL (SELECT r.duration, r.date FROM reading r WHERE r.file = f.id AND r.kind = 'audio' OFFSET 0) r
CROSS JOIN LATERAL (SELECT d.fields FROM file_detail d WHERE d.file = f.id OFFSET 0) d
ORDER BY a.id, f.stream, f.missing_since_ns NULLS FIRST, f.id;

-- name: links_of_streams, by key
-- Albums and artists of songs: (stream, meta, role, name). $1 json list of streams.
SELECT DISTINCT a.id, l.child, l.role, m.name
FROM (SELECT value::uuid AS id FROM jsonb_array_elements_text($1::jsonb)) a
CROSS JOIN LATERAL (SELECT sm.meta FROM stream_meta sm WHERE sm.stream = a.id OFFSET 0) sm
CROSS JOIN LATERAL (
    SELECT l.child, l.role FROM meta_link l WHERE l.parent = sm.meta AND l.role IN ('album', 'artist') OFFSET 0) l
CROSS JOIN LATERAL (SELECT m.name FROM meta m WHERE m.id = l.child OFFSET 0) m;

-- name: plays_of_streams, by key
-- Who played these songs. $1 json list of streams.
SELECT w.stream, w.actor, w.plays, w.played_ns
FROM (SELECT value::uuid AS id FROM jsonb_array_elements_text($1::jsonb)) a
CROSS JOIN LATERAL (
    SELECT w.stream, w.actor, w.plays, w.played_ns FROM work_actor w WHERE w.stream = a.id AND w.plays > 0 OFFSET 0) w;

-- name: lock_albums
-- One at a time sums up: two that take back what an album gave would take it twice.
SELECT pg_advisory_xact_lock(hashtext('mediadb album'));

-- name: take_back_albums, by key
-- Albums go, with what they gave to artists and genres. Row by row from the albums asked for (LATERAL, ctid), for a plan
-- made while the tables were empty went through all of each. $1 json list of metas.
WITH asked AS MATERIALIZED (
    SELECT a.row, a.meta, NOT a.loose AS listed, NOT a.missing AS counts
    FROM (SELECT value::uuid AS id FROM jsonb_array_elements_text($1::jsonb)) e
    CROSS JOIN LATERAL (SELECT ctid AS row, meta, loose, missing FROM album WHERE meta = e.id OFFSET 0) a
), whose AS MATERIALIZED (
    SELECT x.row, x.artist, x.place, x.songs, a.listed, a.counts FROM asked a
    CROSS JOIN LATERAL (SELECT ctid AS row, artist, place, songs FROM album_artist WHERE album = a.meta OFFSET 0) x
), which AS MATERIALIZED (
    SELECT x.row, x.genre, x.songs, a.listed, a.counts FROM asked a
    CROSS JOIN LATERAL (SELECT ctid AS row, genre, songs FROM album_genre WHERE album = a.meta OFFSET 0) x
), of_artists AS (
    UPDATE artist t SET albums = t.albums - g.albums, owned = t.owned - g.owned, songs = t.songs - g.songs
    FROM (
        SELECT o.row, count(*) FILTER (WHERE w.place IS NOT NULL AND w.listed) AS albums, count(w.place) AS owned,
               sum(w.songs) AS songs
        FROM whose w CROSS JOIN LATERAL (SELECT ctid AS row FROM artist WHERE meta = w.artist OFFSET 0) o
        WHERE w.counts GROUP BY o.row
    ) g WHERE t.ctid = g.row
), of_genres AS (
    UPDATE genre t SET albums = t.albums - g.albums, songs = t.songs - g.songs
    FROM (
        SELECT o.row, count(*) FILTER (WHERE w.listed) AS albums, sum(w.songs) AS songs
        FROM which w CROSS JOIN LATERAL (SELECT ctid AS row FROM genre WHERE folded = w.genre OFFSET 0) o
        WHERE w.counts GROUP BY o.row
    ) g WHERE t.ctid = g.row
), artists AS (
    DELETE FROM album_artist WHERE ctid = ANY (ARRAY(SELECT row FROM whose))
), genres AS (
    DELETE FROM album_genre WHERE ctid = ANY (ARRAY(SELECT row FROM which))
), actors AS (
    DELETE FROM album_actor WHERE ctid = ANY (ARRAY(
        SELECT x.row FROM asked a
        CROSS JOIN LATERAL (SELECT ctid AS row FROM album_actor WHERE album = a.meta OFFSET 0) x))
)
DELETE FROM album WHERE ctid = ANY (ARRAY(SELECT row FROM asked));

-- name: put_albums, by key
-- Albums as they are now. $1: [{u, n, so, w, cr, cs, c, d, y, g, t, v, k, mb, l, x}].
INSERT INTO album (meta, name, sort, words, credit, credit_sort, songs, duration, year, genres, created_ns, cover,
                   compilation, musicbrainz_id, loose, missing)
SELECT u, n, so, array_to_tsvector(array_remove(string_to_array(w, ' '), '')), cr, cs, c, d, y, g, t, v, k, mb, l, x
FROM jsonb_to_recordset($1::jsonb) AS e(u uuid, n text, so text, w text, cr text, cs text, c integer, d double precision,
    y integer, g text[], t bigint, v uuid, k boolean, mb uuid, l boolean, x boolean);

-- name: put_album_artists, by key
-- Whose they are and who is on them; counted where their songs are present. $1: [{u, g, p, c, n, s, so, w, mb}] album, the
-- artist's digest, place, songs, its name, sort name, folded for sorting, words, MusicBrainz id.
WITH entry AS MATERIALIZED (
    SELECT e.u, m.id AS artist, e.p, e.c, e.n, e.s, e.so, e.w, e.mb, NOT a.loose AS listed, NOT a.missing AS counts
    FROM jsonb_to_recordset($1::jsonb) AS e(u uuid, g text, p integer, c integer, n text, s text, so text, w text, mb uuid)
    -- Not kind = 'artist': from statistics of a time with few artists another index of meta looked as good as the key.
    CROSS JOIN LATERAL (
        SELECT id FROM meta WHERE kind = (SELECT 'artist'::text) AND digest = decode(e.g, 'hex') OFFSET 0) m
    CROSS JOIN LATERAL (SELECT loose, missing FROM album WHERE meta = e.u OFFSET 0) a
), put AS (
    INSERT INTO album_artist (album, artist, place, songs) SELECT u, artist, p, c FROM entry
)
INSERT INTO artist AS t (meta, name, sort_name, sort, words, musicbrainz_id, albums, owned, songs)
SELECT artist, (array_agg(n))[1], (array_agg(s ORDER BY s DESC))[1], (array_agg(so ORDER BY s DESC))[1],
       array_to_tsvector(array_remove(string_to_array((array_agg(w))[1], ' '), '')), (array_agg(mb))[1],
       count(*) FILTER (WHERE counts AND listed AND p IS NOT NULL), count(p) FILTER (WHERE counts),
       coalesce(sum(c) FILTER (WHERE counts), 0)
FROM entry GROUP BY artist ORDER BY artist
ON CONFLICT (meta) DO UPDATE SET albums = t.albums + excluded.albums, owned = t.owned + excluded.owned,
    songs = t.songs + excluded.songs, musicbrainz_id = coalesce(t.musicbrainz_id, excluded.musicbrainz_id),
    name = CASE WHEN excluded.owned > 0 THEN excluded.name ELSE t.name END,
    sort_name = CASE WHEN excluded.sort_name <> '' THEN excluded.sort_name ELSE t.sort_name END,
    sort = CASE WHEN excluded.sort_name <> '' THEN excluded.sort ELSE t.sort END;

-- name: put_album_genres, by key
-- Their genres. $1: [{u, f, n, c}] album, folded, name, songs.
WITH entry AS MATERIALIZED (
    SELECT e.u, e.f, e.n, e.c, NOT a.loose AS listed, NOT a.missing AS counts
    FROM jsonb_to_recordset($1::jsonb) AS e(u uuid, f text, n text, c integer)
    CROSS JOIN LATERAL (SELECT loose, missing FROM album WHERE meta = e.u OFFSET 0) a
), put AS (
    INSERT INTO album_genre (album, genre, songs) SELECT u, f, c FROM entry
)
INSERT INTO genre AS t (folded, name, words, songs, albums)
SELECT f, min(n), array_to_tsvector(array_remove(string_to_array(f, ' '), '')), coalesce(sum(c) FILTER (WHERE counts), 0),
       count(*) FILTER (WHERE counts AND listed)
FROM entry GROUP BY f ORDER BY f
ON CONFLICT (folded) DO UPDATE SET songs = t.songs + excluded.songs, albums = t.albums + excluded.albums;

-- name: put_album_actors
-- Who played them. $1: [{u, a, c, t}] album, actor, how often, when last.
INSERT INTO album_actor (album, actor, plays, played_ns)
SELECT u, a, c, t FROM jsonb_to_recordset($1::jsonb) AS e(u uuid, a text, c bigint, t bigint);

-- name: fresh_albums, by key
-- They are summed up, unless something changed meanwhile. $1: [{u, m}] meta, mark.
DELETE FROM stale_album s USING jsonb_to_recordset($1::jsonb) AS e(u uuid, m bigint) WHERE s.meta = e.u AND s.mark = e.m;

-- ------------------------------------------------------------------ work on metas

-- name: live_metas, by key
-- The albums and artists that ids stand for today, in the order asked. $1 json list of ids.
SELECT e.ordinality, m.id, m.kind FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY e
LEFT JOIN meta_alias l ON l.old = e.value::uuid LEFT JOIN meta m ON m.id = coalesce(l.meta, e.value::uuid)
ORDER BY e.ordinality;

-- name: hold_metas
-- Nobody merges these metas into others until this transaction ends. $1 json list.
SELECT m.id FROM meta m WHERE m.id IN (
    SELECT coalesce(l.meta, e.value::uuid) FROM jsonb_array_elements_text($1::jsonb) e
    LEFT JOIN meta_alias l ON l.old = e.value::uuid)
ORDER BY m.id FOR KEY SHARE;

-- name: meta_ratings
-- Ratings of albums and artists of one person. $1: [{s, x}] meta, 0-5 or null for none; $2 now, $3 host, $4 actor, $5 operation.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT ON (1) coalesce(l.meta, e.s) AS s, e.x
    FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, x real) LEFT JOIN meta_alias l ON l.old = e.s
), changed AS MATERIALIZED (
    SELECT e.s, e.x, w.rating AS was FROM asked e LEFT JOIN work_meta w ON w.meta = e.s AND w.actor = $4::text
    WHERE w.rating IS DISTINCT FROM e.x
), put AS (
    INSERT INTO work_meta (meta, actor, rating) SELECT s, $4::text, x FROM changed
    ON CONFLICT (meta, actor) DO UPDATE SET rating = excluded.rating
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM changed) WHERE EXISTS (SELECT FROM changed) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'meta', c.s::text, 'rated',
           jsonb_build_object('rating', c.x, 'was', c.was)
    FROM changed c, numbered n
)
SELECT s FROM changed;

-- name: meta_stars
-- Stars of albums and artists of one person. $1: [{s, t}] meta, since when in nanoseconds or null for none; the rest as above.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT ON (1) coalesce(l.meta, e.s) AS s, e.t
    FROM jsonb_to_recordset($1::jsonb) AS e(s uuid, t bigint) LEFT JOIN meta_alias l ON l.old = e.s
), changed AS MATERIALIZED (
    SELECT e.s, e.t, w.starred_ns AS was FROM asked e LEFT JOIN work_meta w ON w.meta = e.s AND w.actor = $4::text
    WHERE (w.starred_ns IS NULL) <> (e.t IS NULL)
), put AS (
    INSERT INTO work_meta (meta, actor, starred_ns) SELECT s, $4::text, t FROM changed
    ON CONFLICT (meta, actor) DO UPDATE SET starred_ns = excluded.starred_ns
), numbered AS (
    UPDATE feed SET last = last + (SELECT count(*) FROM changed) WHERE EXISTS (SELECT FROM changed) RETURNING last
), told AS (
    INSERT INTO event (seq, at_ns, host, actor, op_id, target_kind, target, action, value)
    SELECT n.last - row_number() OVER () + 1, $2::bigint, $3::uuid, $4::text, $5::uuid, 'meta', c.s::text, 'starred',
           jsonb_build_object('starred_ns', c.t, 'was', c.was)
    FROM changed c, numbered n
)
SELECT s FROM changed;

-- name: keep_songs, by key
-- The songs that albums and artists have now are remembered with those they had, where somebody made something of them.
-- $1 json list of metas.
INSERT INTO work_meta_song (meta, stream)
SELECT m.id, x.stream FROM (
    SELECT DISTINCT coalesce(l.meta, e.value::uuid) AS id FROM jsonb_array_elements_text($1::jsonb) e
    LEFT JOIN meta_alias l ON l.old = e.value::uuid
) a JOIN meta m ON m.id = a.id
CROSS JOIN LATERAL (
    SELECT sm.stream FROM meta_link l JOIN stream_meta sm ON sm.meta = l.parent
    WHERE l.child = m.id AND l.role IN ('album', 'artist')
    UNION
    SELECT sm.stream FROM album_artist x JOIN meta_link l ON l.child = x.album AND l.role = 'album'
    JOIN stream_meta sm ON sm.meta = l.parent WHERE x.artist = m.id AND x.place IS NOT NULL
) x
WHERE m.kind IN ('album', 'artist') AND EXISTS (SELECT FROM work_meta w WHERE w.meta = m.id)
ON CONFLICT DO NOTHING;

-- name: worked_metas, by key
-- Of albums, loose songs and artists those that somebody made something of, and such artists of them. $1 json list.
-- Row by row from those asked for: joined the other way round it read all of album_artist.
WITH asked AS MATERIALIZED (
    SELECT value::uuid AS id FROM jsonb_array_elements_text($1::jsonb)
), every AS MATERIALIZED (
    SELECT id FROM asked
    UNION
    SELECT x.artist FROM asked e CROSS JOIN LATERAL (SELECT artist FROM album_artist WHERE album = e.id OFFSET 0) x
)
SELECT w.meta FROM every a CROSS JOIN LATERAL (SELECT meta FROM work_meta WHERE meta = a.id LIMIT 1) w;

-- name: is_worked_meta
-- Whether somebody made something of an album or artist. $1 meta.
SELECT EXISTS (SELECT FROM work_meta WHERE meta = $1::uuid);

-- name: where_songs_went, by key
-- Under which albums or artists the songs are now that these have had: (meta, kind, the other, how many of them, how
-- many of them are under any). $1 json list of metas.
WITH had AS MATERIALIZED (
    SELECT DISTINCT m.id, m.kind, coalesce(l.stream, s.stream) AS stream
    FROM jsonb_array_elements_text($1::jsonb) e JOIN meta m ON m.id = e.value::uuid
    JOIN work_meta_song s ON s.meta = m.id LEFT JOIN stream_alias l ON l.old = s.stream
), now AS MATERIALIZED (
    SELECT h.id, h.kind, h.stream, x.other FROM had h CROSS JOIN LATERAL (
        SELECT l.child AS other FROM stream_meta sm JOIN meta_link l ON l.parent = sm.meta
        WHERE sm.stream = h.stream AND l.role = h.kind
        UNION
        SELECT x.artist FROM stream_meta sm JOIN meta_link l ON l.parent = sm.meta AND l.role = 'album'
        JOIN album_artist x ON x.album = l.child AND x.place IS NOT NULL
        WHERE sm.stream = h.stream AND h.kind = 'artist'
    ) x WHERE EXISTS (SELECT FROM file f WHERE f.stream = h.stream)
)
SELECT n.id, n.kind, n.other, count(*), (SELECT count(DISTINCT stream) FROM now a WHERE a.id = n.id),
       (SELECT name FROM meta WHERE id = n.other)
FROM now n GROUP BY n.id, n.kind, n.other;

-- name: trade_links
-- Two metas trade their places: what hung on one hangs on the other. $1, $2 the two. All are gone before any comes back
-- (ORDER BY), for one that has both keeps both.
WITH gone AS (
    DELETE FROM meta_link l WHERE l.child IN ($1::uuid, $2::uuid) OR l.parent IN ($1::uuid, $2::uuid)
    RETURNING l.parent, l.child, l.role
), all_gone AS MATERIALIZED (
    SELECT CASE parent WHEN $1::uuid THEN $2::uuid WHEN $2::uuid THEN $1::uuid ELSE parent END AS parent,
           CASE child WHEN $1::uuid THEN $2::uuid WHEN $2::uuid THEN $1::uuid ELSE child END AS child, role
    FROM gone ORDER BY 1, 2, 3
)
INSERT INTO meta_link (parent, child, role) SELECT parent, child, role FROM all_gone ORDER BY 1, 2, 3;

-- name: step_meta_aside
-- Before two trade their names: the digest of one is nobody's for a moment. $1 the one, $2 a digest nobody has.
UPDATE meta SET digest = $2::bytea WHERE id = $1::uuid;

-- name: trade_names
-- The first gets what the second was called, and how it is told from others. $1 the one, $2 digest, $3 name, $4 folded,
-- $5 reversed.
UPDATE meta SET digest = $2::bytea, name = $3::text, folded = $4::text, reversed = $5::text WHERE id = $1::uuid;

-- name: trade_artists
-- The names of two artists as lists show them are traded; what their albums give them follows. $1, $2 the two.
UPDATE artist t SET name = o.name, sort_name = o.sort_name, sort = o.sort, words = o.words, musicbrainz_id = o.musicbrainz_id
FROM artist o
WHERE (t.meta = $1::uuid AND o.meta = $2::uuid) OR (t.meta = $2::uuid AND o.meta = $1::uuid);

-- name: stale_albums_of
-- The albums of these artists are to be summed up anew. $1 json list of artists.
INSERT INTO stale_album (meta) SELECT DISTINCT x.album FROM album_artist x
WHERE x.artist IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb)) ORDER BY 1
ON CONFLICT (meta) DO UPDATE SET mark = nextval('stale_mark');

-- name: names_of_metas
-- What metas are called and told from others by. $1 json list.
SELECT id, kind, digest, name, folded, reversed FROM meta
WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb));

-- name: tell_regrouped
-- An album or artist lives on under another name. $1 meta, $2 now, $3 host, $4 the event's value.
WITH numbered AS (
    UPDATE feed SET last = last + 1 RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
SELECT n.last, $2::bigint, $3::uuid, '', 'meta', $1::uuid::text, 'regrouped', $4::jsonb FROM numbered n;

-- name: restart_songs
-- What an album or artist is known again by begins anew. $1 json list of metas.
DELETE FROM work_meta_song WHERE meta IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb));

-- name: merge_meta
-- What persons made of one album or artist goes to another, where they say nothing of it; its id stands for the other's
-- from now on. $1 from, $2 to, $3 now, $4 host.
WITH theirs AS MATERIALIZED (
    DELETE FROM work_meta WHERE meta = $1::uuid RETURNING actor, rating, starred_ns
), put AS (
    INSERT INTO work_meta AS w (meta, actor, rating, starred_ns)
    SELECT $2::uuid, actor, rating, starred_ns FROM theirs
    ON CONFLICT (meta, actor) DO UPDATE SET rating = coalesce(w.rating, excluded.rating),
        starred_ns = coalesce(w.starred_ns, excluded.starred_ns)
), known AS (
    INSERT INTO meta_alias (old, meta) VALUES ($1::uuid, $2::uuid) ON CONFLICT (old) DO UPDATE SET meta = excluded.meta
), forwarded AS (
    UPDATE meta_alias SET meta = $2::uuid WHERE meta = $1::uuid
), songs AS (
    INSERT INTO work_meta_song (meta, stream) SELECT $2::uuid, stream FROM work_meta_song WHERE meta = $1::uuid
    ON CONFLICT DO NOTHING
), numbered AS (
    UPDATE feed SET last = last + 1 RETURNING last
)
INSERT INTO event (seq, at_ns, host, actor, target_kind, target, action, value)
SELECT n.last, $3::bigint, $4::uuid, '', 'meta', $2::uuid::text, 'merged', jsonb_build_object('was', $1::uuid, 'work', (
    SELECT coalesce(jsonb_object_agg(actor, jsonb_strip_nulls(jsonb_build_object('rating', rating, 'starred_ns', starred_ns))), '{}')
    FROM theirs))
FROM numbered n;

-- name: stale_metas
-- These are to be looked at again. $1 json list of metas.
INSERT INTO stale_album (meta) SELECT DISTINCT value::uuid FROM jsonb_array_elements_text($1::jsonb) ORDER BY 1
ON CONFLICT (meta) DO UPDATE SET mark = nextval('stale_mark');

-- name: facts_of_metas, by key
-- What albums and artists are found again by: kind, digest in hex, name, MusicBrainz id. $1 json list of ids.
SELECT e.value, m.kind, encode(m.digest, 'hex'), coalesce(a.name, t.name, m.name), coalesce(a.musicbrainz_id, t.musicbrainz_id)
FROM jsonb_array_elements_text($1::jsonb) e
LEFT JOIN meta_alias l ON l.old = e.value::uuid JOIN meta m ON m.id = coalesce(l.meta, e.value::uuid)
LEFT JOIN album a ON a.meta = m.id LEFT JOIN artist t ON t.meta = m.id;

-- name: meta_by_digest
-- The album or artist that is told from others by this. $1 kind, $2 digest.
SELECT id FROM meta WHERE kind = $1::text AND digest = $2::bytea;

-- name: restore_meta
-- One that is not there yet; its songs find it when they are read. $1 id, $2 kind, $3 digest, $4 name, $5 folded, $6 reversed.
INSERT INTO meta (id, kind, digest, name, folded, reversed)
VALUES ($1::uuid, $2::text, $3::bytea, $4::text, $5::text, $6::text) ON CONFLICT DO NOTHING;

-- name: alias_meta
-- An id that stands for another. $1 old, $2 meta.
INSERT INTO meta_alias (old, meta) VALUES ($1::uuid, $2::uuid) ON CONFLICT (old) DO UPDATE SET meta = excluded.meta;

-- name: events_to_fold_meta
-- What persons did to an album or artist and to those that live on in it, in order: (actor, action, value). $1 meta, $2 json list of actions.
SELECT e.actor, e.action, e.value FROM event e
WHERE e.target_kind = 'meta'
  AND e.target IN (SELECT $1::uuid::text UNION SELECT old::text FROM meta_alias WHERE meta = $1::uuid)
  AND e.action IN (SELECT value FROM jsonb_array_elements_text($2::jsonb)) ORDER BY e.seq;

-- name: drop_work_meta
-- The tables of an album or artist, before they are folded anew. $1 meta.
DELETE FROM work_meta WHERE meta = $1::uuid;

-- name: put_work_meta
-- What all events on it amount to. $1 meta, $2: [{a, x, s}] actor, rating, star.
INSERT INTO work_meta (meta, actor, rating, starred_ns)
SELECT $1::uuid, a, x, s FROM jsonb_to_recordset($2::jsonb) AS e(a text, x real, s bigint);

-- name: events_of_meta
-- Everything that happened to an album or artist and to those that live on in it, last first. $1 meta, $2 most.
SELECT e.seq, e.at_ns, e.host, e.actor, e.op_id, e.target_kind, e.target, e.action, e.value FROM event e
WHERE e.target IN (SELECT $1::uuid::text UNION SELECT old::text FROM meta_alias WHERE meta = $1::uuid)
ORDER BY e.seq DESC LIMIT $2::integer;
