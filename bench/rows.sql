-- Synthetic rows of a library, straight into the tables (bench/rows.py). What a file is follows from its number, which is
-- its id too: $1 is the first, $2 the last. 100 files: 43 MP3, 8 FLAC, 4 Opus, 25 JPEG, 5 other pictures, 5 films, 6 documents, 4 of
-- no kind. Twelve files a folder, folders three levels deep; a file's folder is number / 12.

-- name: fill_place
-- Volume, mount and root on this host; not watched and walked already, so that a daemon leaves it alone. $1 path.
WITH place AS (
    INSERT INTO volume (uuid, fs_type) VALUES ('bench-' || encode($1::bytea, 'hex'), 'bench') RETURNING id
), seen AS (
    INSERT INTO mount (host, volume, fs_root, path, seen_ns) SELECT h.id, place.id, '/', $1::bytea, 1 FROM host h, place
)
INSERT INTO root (volume, path, owner, watched, cross_mounts, exclude, added_ns, scanned_ns)
SELECT place.id, '/', h.id, false, false, '{}', 1, 1 FROM host h, place RETURNING id;

-- name: fill_dirs
-- The top of the root $1, and $2 folders below it as a tree of artist, album; their ids begin behind $3.
INSERT INTO dir (id, root, parent, name)
SELECT $3::bigint, $1::bigint, NULL, ''::bytea
UNION ALL
SELECT $3::bigint + n, $1::bigint, CASE WHEN n % 10 = 1 THEN $3::bigint ELSE $3::bigint + n - (n + 9) % 10 END,
       convert_to(CASE WHEN n % 10 = 1 THEN 'Artist ' || n ELSE 'Album ' || n || ' (' || 1960 + n % 60 || ')' END, 'UTF8')
FROM generate_series(1, $2::bigint) n;

-- name: fill_streams
-- One item a file; the ids are version 7 in shape, in the order of the numbers.
INSERT INTO stream (id, created_ns)
SELECT (lpad(to_hex(1750000000000 + n), 12, '0') || '7' || left(md5(n::text), 3) || '8' || right(md5(n::text), 15))::uuid, n
FROM generate_series($1::bigint, $2::bigint) n;

-- name: fill_files
-- Names and stats. $3 the folder before the first, $4 how many folders.
INSERT INTO file (id, dir, name, type, kind_guess, stream, size, mtime_ns, ctime_ns, inode, mode, nlink, first_seen_ns)
OVERRIDING SYSTEM VALUE
SELECT n, $3::bigint + 1 + n / 12 % $4::bigint, convert_to(
           CASE WHEN m < 55 THEN lpad((n % 12 + 1)::text, 2, '0') || ' - Song ' || n ELSE 'IMG_' || n END ||
           (ARRAY['.mp3', '.flac', '.opus', '.jpg', '.png', '.mp4', '.pdf', '.bin'])[w], 'UTF8'),
       'f', k, (lpad(to_hex(1750000000000 + n), 12, '0') || '7' || left(md5(n::text), 3) || '8' || right(md5(n::text), 15))::uuid,
       50000 + n * 7919 % 8000000, 1700000000000000000 + n * 1000003, 1700000000000000000 + n * 1000003, n, 33188, 1, 1
FROM (SELECT n, n % 100 AS m, k, w FROM generate_series($1::bigint, $2::bigint) n
      CROSS JOIN LATERAL (SELECT width_bucket(n % 100, ARRAY[0, 43, 51, 55, 80, 85, 90, 96]) AS w) a
      CROSS JOIN LATERAL (SELECT (ARRAY['audio', 'audio', 'audio', 'image', 'image', 'video', 'document', 'other'])[w] AS k) b) x;

-- name: fill_readings
-- The hot half of what was read.
INSERT INTO reading (file, state, handler, handler_version, kind, format, title, artist, album, duration, width, height, date)
SELECT n, 'read', CASE k WHEN 'other' THEN 'file' ELSE k END, 1, k,
       (ARRAY['mp3', 'flac', 'ogg', 'jpeg', 'png', 'mp4', 'pdf', NULL])[w],
       CASE k WHEN 'audio' THEN 'Song ' || n WHEN 'document' THEN 'Letter ' || n END,
       CASE k WHEN 'audio' THEN 'Artist ' || n / 120 END, CASE k WHEN 'audio' THEN 'Album ' || n / 12 END,
       CASE WHEN k IN ('audio', 'video') THEN 60 + n % 400 END, CASE WHEN k IN ('image', 'video') THEN 4000 END,
       CASE WHEN k IN ('image', 'video') THEN 3000 END, (1960 + n % 60)::text
FROM (SELECT n, w, (ARRAY['audio', 'audio', 'audio', 'image', 'image', 'video', 'document', 'other'])[w] AS k
      FROM generate_series($1::bigint, $2::bigint) n
      CROSS JOIN LATERAL (SELECT width_bucket(n % 100, ARRAY[0, 43, 51, 55, 80, 85, 90, 96]) AS w) a) x;

-- name: fill_details
-- The cold half, some 900 bytes of JSON as a tagged song or a camera's picture has it; one in 20 has keywords.
INSERT INTO file_detail (file, fields, tags, sources, warnings)
SELECT n,
       CASE WHEN n % 100 < 55 THEN jsonb_build_object(
           'title', 'Song ' || n, 'artists', jsonb_build_array('Artist ' || n / 120), 'album', 'Album ' || n / 12,
           'album_artists', jsonb_build_array('Artist ' || n / 120), 'track_number', n % 12 + 1, 'track_total', 12,
           'genres', jsonb_build_array('Genre ' || n % 40), 'date', (1960 + n % 60)::text, 'duration', 60 + n % 400,
           'bit_rate', 192000, 'sample_rate', 44100, 'channels', 2, 'codec', 'MP3')
       ELSE jsonb_build_object(
           'width', 4000, 'height', 3000, 'date_taken', (1960 + n % 60) || '-05-06T07:08:09', 'camera_make', 'Maker',
           'camera_model', 'Model ' || n % 30, 'iso', 100 * (1 + n % 32), 'f_number', 2.8, 'exposure_time', 0.008,
           'focal_length', 50, 'gps_latitude', 48.1 + n % 100 / 100.0, 'gps_longitude', 11.5, 'orientation', 1) END
       || CASE WHEN n % 20 = 0 THEN jsonb_build_object('keywords', jsonb_build_array('Word ' || n % 1000)) ELSE '{}' END,
       jsonb_build_object('ID3v2.4:TENC', jsonb_build_array('encoder 3.1'), 'ID3v2.4:TXXX:Comment',
                          jsonb_build_array('What the file carries beside: ' || md5(n::text))),
       jsonb_build_object('title', 'ID3v2.4:TIT2', 'artists', 'ID3v2.4:TPE1', 'album', 'ID3v2.4:TALB',
                          'track_number', 'ID3v2.4:TRCK', 'date', 'ID3v2.4:TDRC', 'genres', 'ID3v2.4:TCON'), '[]'
FROM generate_series($1::bigint, $2::bigint) n;

-- name: fill_keys
-- A fingerprint an item, as at first sight.
INSERT INTO stream_key (stream, grade, algorithm, value)
SELECT (lpad(to_hex(1750000000000 + n), 12, '0') || '7' || left(md5(n::text), 3) || '8' || right(md5(n::text), 15))::uuid,
       1, CASE WHEN n % 100 < 43 THEN 'mp3-frames/1' ELSE 'whole/1' END, decode(md5('key' || n), 'hex')
FROM generate_series($1::bigint, $2::bigint) n;

-- name: fill_take_dirs
-- As many ids of folders, $1, and one for the top: returns the first.
SELECT setval('dir_id', nextval('dir_id') + $1::bigint) - $1::bigint;

-- name: fill_first
-- The number behind the last file.
SELECT coalesce(max(id), 0) + 1 FROM file;

-- name: fill_end
-- The daemon's own files get the ids that follow.
SELECT setval(pg_get_serial_sequence('mediadb.file', 'id'), max(id)) FROM file;

-- name: fill_sample
-- Items spread evenly: of every $2th file from $1 on.
SELECT stream::text FROM file WHERE id >= $1::bigint AND id % $2::bigint = 0 ORDER BY id;
