-- What the applications of persons need: persons, keys and sessions; queues and bookmarks; previews; stars of albums and artists.

-- ------------------------------------------------------------------ persons

-- A person whom the applications let in. The name is the actor of what the person does; `folded` (casefold) is what is
-- unique and asked for. The password is kept as scrypt (RFC 7914) with its parameters, never itself.
CREATE TABLE person (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    folded     text COLLATE "C" NOT NULL UNIQUE,
    role       text NOT NULL,                  -- read write organise admin
    scrypt     jsonb NOT NULL,                 -- {n, r, p, salt, hash}, the last two in hex
    created_ns bigint NOT NULL,
    seen_ns    bigint                          -- exact to an hour
);

-- A secret of one device of a person: API key, and password of OpenSubsonic, whose token is md5(secret + salt): it must
-- be there to be compared (decision 0017). In no export and no log.
CREATE TABLE api_key (
    id         uuid PRIMARY KEY,
    person     uuid NOT NULL REFERENCES person ON DELETE CASCADE,
    name       text NOT NULL,
    secret     text NOT NULL,                  -- 160 random bits in base32
    digest     bytea NOT NULL UNIQUE,          -- its SHA-256, by which it is found
    created_ns bigint NOT NULL,
    used_ns    bigint                          -- exact to an hour
);
CREATE INDEX api_key_person ON api_key (person);

-- A browser that is logged in. Of its secret (256 random bits) only the SHA-256 is known here.
CREATE TABLE session (
    id         uuid PRIMARY KEY,
    person     uuid NOT NULL REFERENCES person ON DELETE CASCADE,
    digest     bytea NOT NULL UNIQUE,
    client     text NOT NULL,
    created_ns bigint NOT NULL,
    used_ns    bigint NOT NULL,                -- exact to an hour
    expires_ns bigint NOT NULL                 -- moves on with it
);
CREATE INDEX session_person ON session (person);
CREATE INDEX session_expires ON session (expires_ns);

-- ------------------------------------------------------------------ queues and bookmarks

-- What an actor is about to hear, and where in it: the same in every player. `entries` are item ids as they were when they
-- were queued; what they stand for today is looked up.
CREATE TABLE queue (
    actor      text PRIMARY KEY,
    entries    uuid[] NOT NULL,
    current    integer NOT NULL,               -- from 0
    position   double precision NOT NULL,      -- seconds
    client     text NOT NULL,
    changed_ns bigint NOT NULL,
    told_ns    bigint NOT NULL                 -- of the last event: a position alone is told seldom
);

-- Where in an item a person wants to go on: {position (seconds), comment, at_ns}.
ALTER TABLE work_actor ADD COLUMN bookmark jsonb;
CREATE INDEX work_actor_bookmark ON work_actor (actor) WHERE bookmark IS NOT NULL;

CREATE OR REPLACE FUNCTION work_of(of_stream uuid) RETURNS jsonb LANGUAGE sql STABLE
    SET search_path = mediadb, pg_catalog AS $$
SELECT jsonb_strip_nulls(jsonb_build_object(
    'tags', (SELECT jsonb_object_agg(tag, removed) FROM work_tag WHERE stream = of_stream),
    'fields', (SELECT jsonb_object_agg(name, value) FROM work_field WHERE stream = of_stream),
    'actors', (SELECT jsonb_object_agg(actor, jsonb_strip_nulls(jsonb_build_object(
                   'rating', rating, 'starred_ns', starred_ns, 'plays', nullif(plays, 0), 'played_ns', played_ns,
                   'bookmark', bookmark)))
               FROM work_actor WHERE stream = of_stream)))
$$;

-- ------------------------------------------------------------------ previews
-- They are files in the data folder of each host (docs/decisions/0018-previews-are-files.md).

-- ------------------------------------------------------------------ walking through the library

-- What the walk through the library shows of an album, summed up (mediad/index/albums): of its present songs, or of the
-- missing ones when there is no other (missing). `loose`: a song without an album: it counts for its artists and genres
-- and is not listed. No foreign keys: what a row gave to artists and genres is taken back before it goes.
CREATE TABLE album (
    meta       uuid PRIMARY KEY,
    name       text NOT NULL,
    sort       text COLLATE "C" NOT NULL,      -- folded; by which it stands in lists
    words      tsvector NOT NULL,              -- of its folded name
    credit     text NOT NULL,                  -- its artist as printed
    credit_sort text COLLATE "C" NOT NULL,
    songs      integer NOT NULL,
    duration   double precision NOT NULL,      -- seconds
    year       integer,
    genres     text[] NOT NULL,
    created_ns bigint NOT NULL,                -- when its first song came
    cover      uuid NOT NULL,                  -- the stream of its first song
    compilation boolean NOT NULL,
    musicbrainz_id uuid,
    loose      boolean NOT NULL,
    missing    boolean NOT NULL
);
CREATE INDEX album_sort ON album (sort, meta) WHERE NOT loose AND NOT missing;
CREATE INDEX album_credit ON album (credit_sort, sort, meta) WHERE NOT loose AND NOT missing;
CREATE INDEX album_created ON album (created_ns, meta) WHERE NOT loose AND NOT missing;
-- Albums without a year come last, whichever way they are asked for.
CREATE INDEX album_year ON album ((coalesce(year, 99999)), sort, meta) WHERE NOT loose AND NOT missing;
CREATE INDEX album_year_down ON album ((coalesce(year, -1)), sort, meta) WHERE NOT loose AND NOT missing;
CREATE INDEX album_words ON album USING gin (words);

-- Whose an album is (place: from 0), and who else is on its songs (place null): on how many.
CREATE TABLE album_artist (
    album      uuid NOT NULL,
    artist     uuid NOT NULL,
    place      integer,
    songs      integer NOT NULL,
    PRIMARY KEY (album, artist)
);
-- Without the album: planned on the empty table, an album's rows were looked up by going through all of (artist, album).
CREATE INDEX album_artist_artist ON album_artist (artist);

-- Artists, with what present albums and loose songs give them. owned: albums and loose songs that are theirs.
CREATE TABLE artist (
    meta       uuid PRIMARY KEY,
    name       text NOT NULL,
    sort_name  text NOT NULL,                  -- as the tags have it; empty: none
    sort       text COLLATE "C" NOT NULL,
    words      tsvector NOT NULL,
    musicbrainz_id uuid,
    albums     integer NOT NULL,
    owned      integer NOT NULL,
    songs      integer NOT NULL,
    listed     boolean GENERATED ALWAYS AS (owned > 0) STORED,
    heard      boolean GENERATED ALWAYS AS (songs > 0) STORED
) WITH (fillfactor = 80);
-- By columns of their own: a count that an index names would make each change of it an entry in every index.
CREATE INDEX artist_sort ON artist (sort, meta) WHERE listed;
CREATE INDEX artist_sort_all ON artist (sort, meta) WHERE heard;
CREATE INDEX artist_words ON artist USING gin (words);

-- Genres by their folded names, with what present albums and loose songs give them.
CREATE TABLE album_genre (
    album      uuid NOT NULL,
    genre      text COLLATE "C" NOT NULL,
    songs      integer NOT NULL,
    PRIMARY KEY (album, genre)
);
CREATE INDEX album_genre_genre ON album_genre (genre);
CREATE TABLE genre (
    folded     text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL,                  -- as it was first seen
    words      tsvector NOT NULL,
    songs      integer NOT NULL,
    albums     integer NOT NULL
) WITH (fillfactor = 50);

-- How often each person played an album's songs, and when last.
CREATE TABLE album_actor (
    album      uuid NOT NULL,
    actor      text NOT NULL,
    plays      bigint NOT NULL,
    played_ns  bigint NOT NULL,
    PRIMARY KEY (album, actor)
);
CREATE INDEX album_actor_plays ON album_actor (actor, plays, album);
CREATE INDEX album_actor_played ON album_actor (actor, played_ns, album);

-- Albums, loose songs and artists of which something changed. Triggers put them here in the transaction of the change;
-- `mark` rises with each: what changed while it was summed up stays here.
CREATE TABLE stale_album (
    meta       uuid PRIMARY KEY,
    mark       bigint NOT NULL DEFAULT nextval('stale_mark')
);
CREATE INDEX stale_album_mark ON stale_album (mark);

-- What a person made of an album or artist. Without foreign keys, as all work.
CREATE TABLE work_meta (
    meta       uuid NOT NULL,
    actor      text NOT NULL,
    rating     real,
    starred_ns bigint,
    PRIMARY KEY (meta, actor)
);
CREATE INDEX work_meta_rating ON work_meta (actor, rating, meta) WHERE rating IS NOT NULL;
CREATE INDEX work_meta_starred ON work_meta (actor, starred_ns, meta) WHERE starred_ns IS NOT NULL;

-- The songs that such an album or artist has had: by them it is known again under another name (settled 8).
CREATE TABLE work_meta_song (
    meta       uuid NOT NULL,
    stream     uuid NOT NULL,
    PRIMARY KEY (meta, stream)
);

-- An id whose album or artist lives on in another.
CREATE TABLE meta_alias (
    old        uuid PRIMARY KEY,
    meta       uuid NOT NULL
);

-- Puts metas into stale_album, those that this transaction has put there already only once: nobody has seen them yet. The
-- array is not to be empty.
CREATE FUNCTION note_metas(of_metas uuid[]) RETURNS void LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO stale_album (meta)
    SELECT DISTINCT e.meta FROM unnest(of_metas) e(meta)
    WHERE NOT EXISTS (SELECT FROM stale_album s WHERE s.meta = e.meta AND s.xmin = pg_current_xact_id()::xid OFFSET 0)
    ORDER BY 1
    ON CONFLICT (meta) DO UPDATE SET mark = nextval('stale_mark');
END $$;

-- Puts the albums and loose songs of these songs into stale_album. By index, however small the tables were when it was
-- planned.
CREATE FUNCTION note_songs(of_songs uuid[]) RETURNS void LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    metas uuid[];
BEGIN
    SELECT array_agg(DISTINCT coalesce(l.child, s.song)) INTO metas FROM unnest(of_songs) s(song)
    CROSS JOIN LATERAL (SELECT m.kind FROM meta m WHERE m.id = s.song OFFSET 0) m
    LEFT JOIN LATERAL (SELECT l.child FROM meta_link l WHERE l.parent = s.song AND l.role = 'album' OFFSET 0) l ON true
    WHERE m.kind = 'song';
    IF metas IS NOT NULL THEN
        PERFORM note_metas(metas);
    END IF;
END $$;

-- The same of the songs that are these streams.
CREATE FUNCTION note_streams(of_streams uuid[]) RETURNS void LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    songs uuid[];
BEGIN
    SELECT array_agg(DISTINCT sm.meta) INTO songs FROM unnest(of_streams) s(stream)
    CROSS JOIN LATERAL (SELECT x.meta FROM stream_meta x WHERE x.stream = s.stream OFFSET 0) sm;
    IF songs IS NOT NULL THEN
        PERFORM note_songs(songs);
    END IF;
END $$;

-- Files have other metas.
CREATE FUNCTION note_file_metas() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
DECLARE
    songs uuid[];
BEGIN
    SELECT array_agg(DISTINCT c.meta) INTO songs FROM changed c;
    IF songs IS NOT NULL THEN
        PERFORM note_songs(songs);
    END IF;
    RETURN NULL;
END $$;

-- Songs have come to albums, or left them; artists that somebody made something of have lost a song or an album.
CREATE FUNCTION note_links() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    metas uuid[];
BEGIN
    SELECT array_agg(x.meta) INTO metas FROM (
        SELECT child FROM changed WHERE role = 'album'
        UNION SELECT c.parent FROM changed c WHERE c.role = 'album'
            AND (TG_OP = 'DELETE' OR EXISTS (SELECT FROM album a WHERE a.meta = c.parent))
        UNION SELECT c.child FROM changed c WHERE c.role <> 'album' AND EXISTS (SELECT FROM work_meta w WHERE w.meta = c.child)
    ) x(meta);
    IF metas IS NOT NULL THEN
        PERFORM note_metas(metas);
    END IF;
    RETURN NULL;
END $$;

-- Files went missing or came back, or are of another item. Hashed whatever the transaction is planned under: row by row a
-- batch is compared with itself.
CREATE FUNCTION note_files() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog SET enable_hashjoin = on AS $$
DECLARE
    streams uuid[];
BEGIN
    SELECT array_agg(DISTINCT x.stream) INTO streams FROM before b JOIN fresh n ON n.id = b.id
    CROSS JOIN LATERAL unnest(ARRAY[b.stream, n.stream]) x(stream)
    WHERE b.stream <> n.stream OR (b.missing_since_ns IS NULL) <> (n.missing_since_ns IS NULL);
    IF streams IS NOT NULL THEN
        PERFORM note_streams(streams);
    END IF;
    RETURN NULL;
END $$;

-- Somebody played songs, or what somebody played is counted elsewhere.
CREATE FUNCTION note_plays() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
DECLARE
    streams uuid[];
BEGIN
    SELECT array_agg(DISTINCT c.stream) INTO streams FROM changed c WHERE c.plays > 0 OR c.played_ns IS NOT NULL;
    IF streams IS NOT NULL THEN
        PERFORM note_streams(streams);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER album_songs_new AFTER INSERT ON file_meta REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_file_metas();
CREATE TRIGGER album_songs_gone AFTER DELETE ON file_meta REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_file_metas();
CREATE TRIGGER album_links_new AFTER INSERT ON meta_link REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_links();
CREATE TRIGGER album_links_gone AFTER DELETE ON meta_link REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_links();
CREATE TRIGGER album_files AFTER UPDATE ON file REFERENCING OLD TABLE AS before NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_files();
CREATE TRIGGER album_plays_new AFTER INSERT ON work_actor REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_plays();
CREATE TRIGGER album_plays AFTER UPDATE ON work_actor REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_plays();
CREATE TRIGGER album_plays_gone AFTER DELETE ON work_actor REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_plays();

-- How many folders and files are in a folder is counted by indexes alone.
ALTER TABLE dir ADD COLUMN seen boolean
    GENERATED ALWAYS AS (digest IS NOT NULL OR inode IS NOT NULL OR mtime_ns IS NOT NULL) STORED;
DROP INDEX dir_parent;
CREATE INDEX dir_parent ON dir (parent, seen);
CREATE INDEX file_absent ON file (dir) WHERE missing_since_ns IS NOT NULL;

-- Everything that was read before is summed up once, at the first start.
INSERT INTO stale_album (meta)
SELECT id FROM meta WHERE kind = 'album'
UNION ALL
SELECT m.id FROM meta m WHERE m.kind = 'song' AND NOT EXISTS (SELECT FROM meta_link l WHERE l.parent = m.id AND l.role = 'album');
