-- The schema of mediadb as it is today: read this, not the migrations. A test proves that both lead to the same place.
-- Why it looks like this: docs/architecture.md; the decisions it follows: docs/decisions/.
--
-- Conventions: names of files are bytea (POSIX names are bytes); times of files are bigint nanoseconds since the Unix
-- epoch; ids that people see are uuid, minted by the daemon (version 7); ids that stay inside are bigint.

CREATE SCHEMA IF NOT EXISTS mediadb;
SET search_path TO mediadb, pg_catalog;

-- ------------------------------------------------------------------ who and where

-- A machine with a daemon. `epoch` rises at every start of its daemon: a daemon that lost its lock without noticing
-- writes under an old epoch and is refused by fence().
CREATE TABLE host (
    id        uuid PRIMARY KEY,
    name      text NOT NULL,
    epoch     bigint NOT NULL DEFAULT 0,
    seen_ns   bigint NOT NULL
);

-- A file system, known by its own UUID wherever it is plugged in.
CREATE TABLE volume (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid      text NOT NULL UNIQUE,
    fs_type   text NOT NULL
);

-- Where a host sees a volume. `fs_root` is the folder of the file system that is mounted (bind mounts: not "/").
CREATE TABLE mount (
    host      uuid NOT NULL REFERENCES host ON DELETE CASCADE,
    volume    bigint NOT NULL REFERENCES volume ON DELETE CASCADE,
    fs_root   bytea NOT NULL,
    path      bytea NOT NULL,
    seen_ns   bigint NOT NULL,
    PRIMARY KEY (host, volume)
);

-- A folder (or one file: only_name) that a person added. `path` is the path in the volume, absolute there.
CREATE TABLE root (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    volume       bigint NOT NULL REFERENCES volume,
    path         bytea NOT NULL,
    only_name    bytea NOT NULL DEFAULT '',
    owner        uuid NOT NULL REFERENCES host,
    watched      boolean NOT NULL,
    cross_mounts boolean NOT NULL,
    exclude      text[] NOT NULL,
    added_ns     bigint NOT NULL,
    scanned_ns   bigint,
    frozen       text                        -- why nothing of it is marked missing (settled 26); null: it is not
);
-- sha256: a path may be longer than a btree entry (2,704 bytes).
CREATE UNIQUE INDEX root_place ON root (volume, sha256(path), only_name);

-- A folder. The top of a root has no parent and an empty name. `digest` stands for everything a walk saw in it
-- (index/scan): equal digest, nothing to compare. A renamed folder is one row.
CREATE TABLE dir (
    id        bigint PRIMARY KEY,
    root      bigint NOT NULL REFERENCES root ON DELETE CASCADE,
    parent    bigint REFERENCES dir ON DELETE CASCADE,
    name      bytea NOT NULL,
    digest    bytea,
    problem   text,
    inode     bigint,                          -- by which a renamed folder is known; of file systems whose inodes last
    mtime_ns  bigint,                          -- its own, when it was listed and had come to rest: for quick walks
    folded    text COLLATE "C",                -- its name as questions ask for it
    seen      boolean GENERATED ALWAYS AS (digest IS NOT NULL OR inode IS NOT NULL OR mtime_ns IS NOT NULL) STORED,
    UNIQUE NULLS NOT DISTINCT (root, parent, name)
);
-- With `seen`: the folders in a folder are counted by the index alone.
CREATE INDEX dir_parent ON dir (parent, seen);
CREATE INDEX dir_unfolded ON dir (id) WHERE folded IS NULL AND parent IS NOT NULL;
CREATE SEQUENCE dir_id;

-- ------------------------------------------------------------------ what it is

-- The item: a payload. Its id is minted when a name is first listed and never reused.
CREATE TABLE stream (
    id         uuid PRIMARY KEY,
    created_ns bigint NOT NULL,
    alone      boolean NOT NULL DEFAULT false  -- parted from its equals by a person (split): it is never merged again
);

-- An id that was merged into another stays valid for ever.
CREATE TABLE stream_alias (
    old        uuid PRIMARY KEY,
    stream     uuid NOT NULL REFERENCES stream
);
CREATE INDEX stream_alias_stream ON stream_alias (stream);

-- What proves which payload a stream is. grade: 1 fingerprint, 2 track, 3 checksum (sha256). Not unique by value:
-- equal keys make candidates, decisions are events.
CREATE TABLE stream_key (
    stream     uuid NOT NULL REFERENCES stream ON DELETE CASCADE,
    grade      smallint NOT NULL,
    algorithm  text NOT NULL,
    value      bytea NOT NULL,                 -- its digest covers the algorithm's name
    PRIMARY KEY (stream, value)
);
CREATE INDEX stream_key_value ON stream_key (value);

-- A name in a tree and its stat. It owns nothing a person made. What a walk writes, nothing else: reading a file adds
-- rows elsewhere and leaves this one alone, so that the first scan of a library only inserts.
CREATE TABLE file (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dir              bigint NOT NULL REFERENCES dir ON DELETE CASCADE,
    name             bytea NOT NULL,
    type             text NOT NULL,            -- f l p s c b
    kind_guess       text NOT NULL,            -- by extension, until it was read
    stream           uuid NOT NULL REFERENCES stream,
    size             bigint NOT NULL,
    mtime_ns         bigint NOT NULL,
    ctime_ns         bigint NOT NULL,
    inode            bigint NOT NULL,          -- the 64 bits as a signed number
    mode             integer NOT NULL,
    nlink            bigint NOT NULL,
    target           bytea,                    -- of a symbolic link
    first_seen_ns    bigint NOT NULL,
    missing_since_ns bigint,
    UNIQUE (dir, name)
);
CREATE INDEX file_stream ON file (stream);
CREATE INDEX file_inode ON file (inode);
-- Files are added in the order of time: a few kilobytes say where on disk a week lies.
CREATE INDEX file_seen ON file USING brin (first_seen_ns) WITH (pages_per_range = 32);
CREATE INDEX file_side ON file (dir) WHERE lower(right(encode(name, 'escape'), 4)) = '.xmp';
CREATE INDEX file_missing ON file (missing_since_ns) WHERE missing_since_ns IS NOT NULL;
CREATE INDEX file_absent ON file (dir) WHERE missing_since_ns IS NOT NULL;

-- The rows of a file in reading, file_detail, file_text, todo and file_meta are no foreign keys: who inserts them holds
-- the file's row (docs/decisions/0016), and they go with it. Planned by key, for the plan is kept while they grow.
CREATE FUNCTION drop_of_files() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    DELETE FROM reading r USING gone g WHERE r.file = g.id;
    DELETE FROM file_detail d USING gone g WHERE d.file = g.id;
    DELETE FROM file_text t USING gone g WHERE t.file = g.id;
    DELETE FROM todo t USING gone g WHERE t.file = g.id;
    DELETE FROM file_meta m USING gone g WHERE m.file = g.id;
    RETURN NULL;
END $$;
CREATE TRIGGER file_gone AFTER DELETE ON file REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION drop_of_files();

-- What a handler read of a file, hot columns: what lists show and sort by.
CREATE TABLE reading (
    file             bigint PRIMARY KEY,
    state            text NOT NULL,            -- read failed parked
    problem_code     text,
    problem          text,
    handler          text,
    handler_version  integer,
    kind             text NOT NULL,
    format           text,
    title            text,
    artist           text,
    album            text,
    duration         double precision,
    width            integer,
    height           integer,
    date             text,
    size             bigint,                   -- the stat it was read at: of what stood there when it has changed since
    mtime_ns         bigint
);
-- Lists in these orders are gone through from any place on (mediad/store/pages has the same expressions); what has no
-- such value comes behind, by another statement. Of a text the first 200 characters count.
CREATE INDEX reading_date ON reading (date COLLATE "C", file) WHERE date IS NOT NULL;
CREATE INDEX reading_title ON reading ((left(regexp_replace(normalize(lower(left(title, 200)), NFKD),
    E'[\u0300-\u036f]', '', 'g'), 200) COLLATE "C"), file) WHERE title IS NOT NULL;
CREATE INDEX reading_artist ON reading ((left(regexp_replace(normalize(lower(left(artist, 200)), NFKD),
    E'[\u0300-\u036f]', '', 'g'), 200) COLLATE "C"), file) WHERE artist IS NOT NULL;
CREATE INDEX reading_album ON reading ((left(regexp_replace(normalize(lower(left(album, 200)), NFKD),
    E'[\u0300-\u036f]', '', 'g'), 200) COLLATE "C"), file) WHERE album IS NOT NULL;
CREATE INDEX reading_trouble ON reading (state) WHERE state <> 'read';

-- Everything else a file said: cold, read only when asked.
CREATE TABLE file_detail (
    file       bigint PRIMARY KEY,
    fields     jsonb NOT NULL,
    tags       jsonb NOT NULL,
    sources    jsonb NOT NULL,
    warnings   jsonb NOT NULL
);
-- Pictures that name each other in their XMP (index/offers); few do, and only they are in these.
CREATE INDEX file_detail_document ON file_detail ((fields ->> 'document_id')) WHERE fields ? 'document_id';
CREATE INDEX file_detail_original ON file_detail ((fields ->> 'original_document_id')) WHERE fields ? 'original_document_id';
CREATE INDEX file_detail_derived ON file_detail USING gin ((tags -> 'XMP-xmpMM:DerivedFrom'))
    WHERE tags ? 'XMP-xmpMM:DerivedFrom';

-- The text index: one row a file with everything that questions ask of it (mediad/query/lexemes): words of its name and
-- folders, words of its values, each also with its field, numbers and dates as digits, what its side files say and what
-- people said. One inverted index answers all of it, and combinations. Files that were not read yet have it in `todo`.
CREATE TABLE file_text (
    file       bigint PRIMARY KEY,
    words      tsvector NOT NULL
);
ALTER TABLE file_text ALTER COLUMN words SET STATISTICS 300;
-- A pending list is read at every question: it stays short.
CREATE INDEX file_text_words ON file_text USING gin (words) WITH (gin_pending_list_limit = 1024);
-- A row lies on disk about where its number says: of a span of files only what lies there is looked at.
CREATE INDEX file_text_place ON file_text USING brin (file) WITH (pages_per_range = 32, autosummarize = on);

-- Each word that is in the index, for questions that know its end or its middle. `grams`: its three letters from each
-- letter on, the last ones filled up with spaces: what is in the middle begins with one of them.
CREATE TABLE word (
    word       text COLLATE "C" PRIMARY KEY,
    reversed   text COLLATE "C" NOT NULL,
    grams      tsvector NOT NULL
);
CREATE INDEX word_reversed ON word (reversed);
CREATE INDEX word_grams ON word USING gin (grams);

-- Files whose row in the text index does not say what people or side files say now (index/reindex). Triggers put them
-- here in the transaction of the change. `mark` rises with each change: what changed while a row was made stays here.
CREATE SEQUENCE stale_mark;
CREATE TABLE stale_text (
    file       bigint PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    mark       bigint NOT NULL DEFAULT nextval('stale_mark')
);
CREATE INDEX stale_text_mark ON stale_text (mark);

-- Songs, albums, artists, photos, films, documents. `digest` is what makes two mentions the same one (index/metas).
CREATE TABLE meta (
    id         uuid PRIMARY KEY,
    kind       text NOT NULL,
    digest     bytea NOT NULL,
    name       text NOT NULL,
    folded     text COLLATE "C" NOT NULL,
    reversed   text COLLATE "C" NOT NULL,
    UNIQUE (kind, digest)
);
CREATE INDEX meta_folded ON meta (kind, folded);

-- A meta has sub-metas: a song has an album and artists. Links to metas are no foreign keys: who deletes metas
-- deletes their links (docs/decisions/0016).
CREATE TABLE meta_link (
    parent     uuid NOT NULL,
    child      uuid NOT NULL,
    role       text NOT NULL,
    PRIMARY KEY (parent, child, role)
);
CREATE INDEX meta_link_child ON meta_link (child);

CREATE TABLE file_meta (
    file       bigint NOT NULL,
    meta       uuid NOT NULL,
    PRIMARY KEY (file, meta)
);

CREATE TABLE stream_meta (
    stream     uuid NOT NULL REFERENCES stream ON DELETE CASCADE,
    meta       uuid NOT NULL,
    PRIMARY KEY (stream, meta)
);
CREATE INDEX stream_meta_meta ON stream_meta (meta);

-- Checksums, computed when asked, never twice for the same stat.
CREATE TABLE checksum (
    volume     bigint NOT NULL REFERENCES volume ON DELETE CASCADE,
    inode      bigint NOT NULL,
    size       bigint NOT NULL,
    mtime_ns   bigint NOT NULL,
    ctime_ns   bigint NOT NULL,
    scope      text NOT NULL,                  -- file stream
    algorithm  text NOT NULL,                  -- scope stream: which bytes count
    md5        bytea,
    sha1       bytea,
    sha256     bytea,
    at_ns      bigint NOT NULL,
    PRIMARY KEY (volume, inode, size, mtime_ns, scope)
);
CREATE INDEX checksum_sha256 ON checksum (sha256) WHERE sha256 IS NOT NULL;

-- XMP side files and what they are beside, in both styles: photo.jpg.xmp and photo.xmp (docs/work.md).
CREATE VIEW side_file AS
SELECT m.id AS main, m.stream, s.id AS side FROM file m
CROSS JOIN LATERAL (
    SELECT decode(regexp_replace(encode(m.name, 'escape'), '\.[^.]*$', ''), 'escape') AS stem
) x
CROSS JOIN LATERAL unnest(ARRAY[
    m.name || '.xmp'::bytea, m.name || '.XMP'::bytea, x.stem || '.xmp'::bytea, x.stem || '.XMP'::bytea]) AS n(name)
CROSS JOIN LATERAL (
    SELECT f.id FROM file f
    WHERE f.dir = m.dir AND f.name = n.name AND f.id <> m.id AND f.missing_since_ns IS NULL LIMIT 1
) s
WHERE m.type = 'f';

-- What a media file's side file and the person's values agreed on last: the third side of their merge (settled 12). It
-- holds for that stream only. `name`, `inode`, `size`, `mtime_ns`: the side file as it was then; our own writing is no
-- change of another program's.
CREATE TABLE side_sync (
    file       bigint PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    stream     uuid NOT NULL,
    name       bytea NOT NULL,                 -- in the media file's folder
    state      jsonb NOT NULL,                 -- tags, rating, title, description (index/sidemerge)
    inode      bigint NOT NULL,
    size       bigint NOT NULL,
    mtime_ns   bigint NOT NULL,
    at_ns      bigint NOT NULL
);
CREATE INDEX side_sync_stream ON side_sync (stream);

-- Media files whose side file is to be merged once nothing more happens to them (not_before_ns). problem: why it could
-- not be done the last time.
CREATE TABLE side_todo (
    file       bigint PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    since_ns   bigint NOT NULL,
    not_before_ns bigint NOT NULL,
    tries      smallint NOT NULL DEFAULT 0,
    problem_code text,
    problem    text
);
CREATE INDEX side_todo_due ON side_todo (not_before_ns);

-- Up to which number of the feed a host has looked for media files to put into side_todo.
CREATE TABLE side_cursor (
    host       uuid PRIMARY KEY REFERENCES host ON DELETE CASCADE,
    epoch      uuid NOT NULL,
    seq        bigint NOT NULL
);

-- ------------------------------------------------------------------ the words inside

-- What was extracted of a file's text (op `text` of its handler), at which stat and by what; or why nothing could be:
-- problem_code, `unsupported` where there are no words. Nothing is tried again until one of these differs.
CREATE TABLE content (
    file       bigint PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    size       bigint NOT NULL,                -- the stat it was extracted at
    mtime_ns   bigint NOT NULL,
    handler    text,
    handler_version integer,
    rule       smallint NOT NULL,              -- of folding (WORDS_RULE of mediadb_contract.fold); 0: not all stored yet
    bytes      bigint NOT NULL,                -- of text, as UTF-8; 0: there are no words in it
    truncated  boolean NOT NULL,               -- the limit cut it
    problem_code text,
    problem    text,
    at_ns      bigint NOT NULL
);

-- Its folded words with their positions. A tsvector ends at 1 MiB, its positions at 16,383 and at 256 of one lexeme: a
-- longer text has several, and neighbours share 15 words, so that phrases are whole in one of them (docs/text.md).
CREATE TABLE content_words (
    file       bigint NOT NULL REFERENCES content ON DELETE CASCADE,
    part       integer NOT NULL,               -- from 0
    words      tsvector NOT NULL,
    PRIMARY KEY (file, part)
);
CREATE INDEX content_words_words ON content_words USING gin (words);

-- Files whose text is to be extracted. asked: a person waits for it; all others wait until nothing is to be read.
CREATE TABLE content_todo (
    file       bigint PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    since_ns   bigint NOT NULL,
    not_before_ns bigint NOT NULL,
    tries      smallint NOT NULL DEFAULT 0,
    asked      boolean NOT NULL DEFAULT false
);
CREATE INDEX content_todo_due ON content_todo (asked DESC, not_before_ns, file);

-- Up to which number of the feed a host has looked for files to put into content_todo, and by which rule of its
-- configuration. swept: up to which file all were looked at for a new rule, null when they were.
CREATE TABLE content_cursor (
    host       uuid PRIMARY KEY REFERENCES host ON DELETE CASCADE,
    epoch      uuid NOT NULL,
    seq        bigint NOT NULL,
    rule       text NOT NULL,
    swept      bigint
);

-- ------------------------------------------------------------------ what a person made

-- Streams that a person has done something with. What was done is the events; the tables below are what they amount to.
-- They refer to streams without foreign keys: a person's work outlives the records of files and streams.
CREATE TABLE work (
    stream     uuid PRIMARY KEY,
    first_ns   bigint NOT NULL
);

-- Tags beyond those in the file: added, or removed though the file has them (settled 12). Shared by all.
CREATE TABLE work_tag (
    stream     uuid NOT NULL,
    tag        text NOT NULL,
    folded     text COLLATE "C" NOT NULL,
    removed    boolean NOT NULL,
    PRIMARY KEY (stream, tag)
);
CREATE INDEX work_tag_folded ON work_tag (folded);

-- What is each person's own: rating 0-5, a star since when, plays, a bookmark.
CREATE TABLE work_actor (
    stream     uuid NOT NULL,
    actor      text NOT NULL,
    rating     real,
    starred_ns bigint,
    plays      integer NOT NULL DEFAULT 0,
    played_ns  bigint,
    bookmark   jsonb,                          -- where to go on: {position (seconds), comment, at_ns}
    PRIMARY KEY (stream, actor)
);
CREATE INDEX work_actor_rating ON work_actor (actor, rating) WHERE rating IS NOT NULL;
CREATE INDEX work_actor_starred ON work_actor (actor) WHERE starred_ns IS NOT NULL;
CREATE INDEX work_actor_bookmark ON work_actor (actor) WHERE bookmark IS NOT NULL;

-- Any other field that a person set: title, purchase_date, account, any name. Shared by all.
CREATE TABLE work_field (
    stream     uuid NOT NULL,
    name       text NOT NULL,
    value      text NOT NULL,
    folded     text COLLATE "C" NOT NULL,
    PRIMARY KEY (stream, name)
);
CREATE INDEX work_field_folded ON work_field (name, folded);

-- What a person made of a stream, in one value: {tags: {tag: removed}, fields: {name: value}, actors: {actor: {...}}}.
CREATE FUNCTION work_of(of_stream uuid) RETURNS jsonb LANGUAGE sql STABLE
    SET search_path = mediadb, pg_catalog AS $$
SELECT jsonb_strip_nulls(jsonb_build_object(
    'tags', (SELECT jsonb_object_agg(tag, removed) FROM work_tag WHERE stream = of_stream),
    'fields', (SELECT jsonb_object_agg(name, value) FROM work_field WHERE stream = of_stream),
    'actors', (SELECT jsonb_object_agg(actor, jsonb_strip_nulls(jsonb_build_object(
                   'rating', rating, 'starred_ns', starred_ns, 'plays', nullif(plays, 0), 'played_ns', played_ns,
                   'bookmark', bookmark)))
               FROM work_actor WHERE stream = of_stream)))
$$;

-- Collections and playlists: ordered lists with repeats. kind: collection playlist. `place` counts from 0 without gap.
CREATE TABLE collection (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    folded     text COLLATE "C" NOT NULL,
    kind       text NOT NULL,
    actor      text NOT NULL,
    created_ns bigint NOT NULL,
    query      text                            -- it holds what this finds; null: what was put into it
);
CREATE UNIQUE INDEX collection_name ON collection (kind, actor, name);

CREATE TABLE collection_entry (
    collection uuid NOT NULL REFERENCES collection ON DELETE CASCADE,
    place      integer NOT NULL,
    stream     uuid NOT NULL,
    PRIMARY KEY (collection, place) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX collection_entry_stream ON collection_entry (stream);

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

-- ------------------------------------------------------------------ work and history

-- What stood at a path before: written when a name gets another payload, moves away, or is taken over.
CREATE TABLE revision (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file       bigint,
    stream     uuid NOT NULL,
    path       bytea NOT NULL,                 -- absolute, as the host that saw it has it
    size       bigint NOT NULL,
    mtime_ns   bigint NOT NULL,
    until_ns   bigint NOT NULL,
    why        text NOT NULL                   -- succeeded moved replaced
);
CREATE INDEX revision_file ON revision (file);
CREATE INDEX revision_stream ON revision (stream);

-- One payload takes the place of another. relation: succeeded (at the same path), replaces, edit. state: accepted (the
-- work was carried over), offered (a person may), detached (taken back), dismissed (a person says that it is none).
CREATE TABLE lineage (
    old        uuid NOT NULL,
    new        uuid NOT NULL,
    relation   text NOT NULL,
    state      text NOT NULL,
    at_ns      bigint NOT NULL,
    PRIMARY KEY (old, new)
);
CREATE INDEX lineage_new ON lineage (new);

-- How far the verification of a host's files has come: it goes on there.
CREATE TABLE verification (
    host       uuid PRIMARY KEY,
    after      bigint NOT NULL,
    at_ns      bigint NOT NULL
);

-- Streams whose checksum is wanted, at idle priority: only it can tell whether two payloads are one.
CREATE TABLE doubt (
    stream     uuid PRIMARY KEY REFERENCES stream ON DELETE CASCADE,
    at_ns      bigint NOT NULL,
    tries      smallint NOT NULL DEFAULT 0
);

-- Files listed and not read yet, with the words they are found by until then (null: file_text has them).
-- `attempts` counts the times a file was in hand when the daemon died.
CREATE TABLE todo (
    file       bigint PRIMARY KEY,
    root       bigint NOT NULL REFERENCES root ON DELETE CASCADE,
    attempts   smallint NOT NULL DEFAULT 0,
    not_before_ns bigint NOT NULL DEFAULT 0,
    words      tsvector
);
CREATE INDEX todo_root ON todo (root, file);
-- After a handler's version was raised the queue holds every file: the few that are found by it are in this, for going
-- through them. Written so that no planner takes it for a way to look words up.
CREATE INDEX todo_listed ON todo (file) WHERE coalesce(words IS NOT NULL, false);
CREATE INDEX todo_words ON todo USING gin (words) WITH (gin_pending_list_limit = 1024);

-- What a lane of a host's reader has in hand, written before the files are parsed: after a crash these are suspects.
CREATE TABLE flight (
    host       uuid NOT NULL REFERENCES host ON DELETE CASCADE,
    lane       integer NOT NULL,
    files      bigint[] NOT NULL,
    PRIMARY KEY (host, lane)
);

-- The counter that numbers events in the order of their commits, and the epoch that a restored backup changes.
CREATE TABLE feed (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch      uuid NOT NULL DEFAULT gen_random_uuid(),
    last       bigint NOT NULL DEFAULT 0,
    compacted  bigint NOT NULL DEFAULT 0       -- what was merely seen is gone up to this number
);
INSERT INTO feed DEFAULT VALUES;

-- Append-only: what was seen and what a person did.
CREATE TABLE event (
    seq         bigint PRIMARY KEY,
    at_ns       bigint NOT NULL,
    host        uuid NOT NULL,
    actor       text NOT NULL,
    op_id       uuid,
    target_kind text NOT NULL,                 -- stream meta collection queue root
    target      text NOT NULL,                 -- the id as text; of a queue its actor
    action      text NOT NULL,
    value       jsonb NOT NULL
);
CREATE INDEX event_target ON event (target, seq);
CREATE INDEX event_operation ON event (op_id) WHERE op_id IS NOT NULL;

-- Wakes who follows the feed, in every daemon of the database.
CREATE FUNCTION tell_feed() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    PERFORM pg_notify('mediadb_feed', '');
    RETURN NULL;
END $$;
CREATE TRIGGER feed_told AFTER UPDATE ON feed FOR EACH STATEMENT EXECUTE FUNCTION tell_feed();

-- Requests that change something, by the id their client made: sent again, they are done once.
CREATE TABLE operation (
    id          uuid PRIMARY KEY,
    host        uuid NOT NULL,
    actor       text NOT NULL,
    command     text NOT NULL,
    digest      bytea NOT NULL,                -- of the request: another request under the same id is a conflict
    started_ns  bigint NOT NULL,
    finished_ns bigint,
    reply       bytea,
    undone_by   uuid                           -- the operation that took it back
);

-- Moving, copying, linking files: the journal (mediad/moves). A step is stored before it is done; at the next start what
-- was begun is finished or rolled back by looking at the disk.
CREATE TABLE move (
    operation   uuid NOT NULL,
    number      integer NOT NULL,
    host        uuid NOT NULL REFERENCES host ON DELETE CASCADE,
    unit        integer NOT NULL,              -- files that go together: all or none
    action      text NOT NULL,                 -- move copy hardlink symlink reflink drop remove mkdir rmdir
    state       text NOT NULL,                 -- planned copied placed done aborted attention undone
    file        bigint,
    stream      uuid,
    from_root   bigint,
    from_path   bytea,                         -- below the root's top
    to_root     bigint,
    to_path     bytea,
    inode       bigint,                        -- what stood at the source: identity, with size and mtime
    size        bigint,
    mtime_ns    bigint,
    mode        integer,                       -- of a folder that was removed
    to_inode    bigint,                        -- what was made at the destination
    to_mtime_ns bigint,
    sha256      bytea,                         -- of a copy, as it was read back
    code        text,
    problem     text,
    at_ns       bigint NOT NULL,
    undoes      uuid,                          -- the operation, and the step of it, that this one takes back
    undoes_step integer,
    PRIMARY KEY (operation, number)
);
CREATE INDEX move_open ON move (host) WHERE state IN ('planned', 'copied', 'placed');

-- What archives outside the library hold (mediad/moves/archiver): which item, where in the archive, when it was last seen
-- to be whole there.
CREATE TABLE stored (
    archive     text NOT NULL,                 -- the destination's id in its index: a UUID version 5
    sha1        bytea NOT NULL,
    stream      uuid NOT NULL,
    folder      bytea NOT NULL,                -- of the archive, absolute, on the host that wrote it
    path        bytea NOT NULL,                -- below it
    host        uuid NOT NULL,
    stored_ns   bigint NOT NULL,
    verified_ns bigint NOT NULL,
    verdict     text NOT NULL,                 -- ok, or the code of mediad/moves/structure/archive
    PRIMARY KEY (archive, sha1, stream)
);
CREATE INDEX stored_stream ON stored (stream);

-- Refuses a daemon whose epoch is over: SQLSTATE MD001.
CREATE FUNCTION fence(host_id uuid, host_epoch bigint) RETURNS void LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    PERFORM 1 FROM host WHERE id = host_id AND epoch = host_epoch FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another daemon of host % has taken over', host_id USING ERRCODE = 'MD001';
    END IF;
END $$;

-- ------------------------------------------------------------------ the text index is kept true

-- The files that an XMP side file of this name is beside: photo.jpg.xmp and photo.xmp beside photo.jpg.
CREATE FUNCTION side_mains(of_dir bigint, of_name bytea) RETURNS SETOF bigint LANGUAGE sql STABLE
    SET search_path = mediadb, pg_catalog AS $$
SELECT f.id FROM file f WHERE f.dir = of_dir AND f.name <> of_name AND f.type = 'f'
AND (f.name = substring(of_name from 1 for greatest(length(of_name) - 4, 0))
     OR (f.name > substring(of_name from 1 for greatest(length(of_name) - 4, 0)) || '.'::bytea
         AND f.name < substring(of_name from 1 for greatest(length(of_name) - 4, 0)) || '/'::bytea
         AND position('.'::bytea in substring(f.name from greatest(length(of_name) - 2, 1))) = 0))
$$;

-- Words that the text index meets for the first time.
CREATE FUNCTION note_words() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    INSERT INTO word (word, reversed, grams)
    SELECT n.l, reverse(n.l), (SELECT array_to_tsvector(array_agg(DISTINCT substr(n.l || '  ', i, 3)))
                               FROM generate_series(1, length(n.l)) i)
    FROM (
        SELECT DISTINCT l COLLATE "C" AS l FROM fresh f, unnest(tsvector_to_array(f.words)) l
        WHERE f.words IS NOT NULL AND l COLLATE "C" >= '0'
    ) n
    WHERE NOT EXISTS (SELECT FROM word w WHERE w.word = n.l)
    ORDER BY n.l
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- A row of the text index was written from the file alone: what people and side files say is to be added. Whoever adds it
-- says so by mediadb.reindexing.
CREATE FUNCTION note_stale() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    IF current_setting('mediadb.reindexing', true) = 'on' THEN
        RETURN NULL;
    END IF;
    INSERT INTO stale_text (file)
    SELECT n.file FROM fresh n JOIN file f ON f.id = n.file JOIN work w ON w.stream = f.stream
    UNION
    SELECT v.main FROM fresh n JOIN file f ON f.id = n.file
    JOIN side_file v ON v.main = f.id
    WHERE EXISTS (SELECT FROM file s WHERE s.dir = f.dir AND lower(right(encode(s.name, 'escape'), 4)) = '.xmp')
    UNION
    SELECT m FROM fresh n JOIN file f ON f.id = n.file CROSS JOIN LATERAL side_mains(f.dir, f.name) m
    WHERE lower(right(encode(f.name, 'escape'), 4)) = '.xmp'
    ON CONFLICT (file) DO UPDATE SET mark = nextval('stale_mark');
    RETURN NULL;
END $$;

-- People said something of these streams.
CREATE FUNCTION note_work() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    INSERT INTO stale_text (file)
    SELECT f.id FROM file f WHERE f.stream IN (SELECT c.stream FROM changed c)
    ON CONFLICT (file) DO UPDATE SET mark = nextval('stale_mark');
    RETURN NULL;
END $$;

-- A file is of another item now.
CREATE FUNCTION note_stream() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    IF EXISTS (SELECT FROM work WHERE stream IN (OLD.stream, NEW.stream)) THEN
        INSERT INTO stale_text (file) VALUES (NEW.id)
        ON CONFLICT (file) DO UPDATE SET mark = nextval('stale_mark');
    END IF;
    RETURN NULL;
END $$;

-- A side file came, went, or has another name.
CREATE FUNCTION note_side() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    INSERT INTO stale_text (file)
    SELECT m FROM side_mains(OLD.dir, OLD.name) m
    UNION SELECT m FROM side_mains(NEW.dir, NEW.name) m
    ON CONFLICT (file) DO UPDATE SET mark = nextval('stale_mark');
    RETURN NULL;
END $$;

CREATE TRIGGER text_words_new AFTER INSERT ON file_text REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_words();
CREATE TRIGGER text_words AFTER UPDATE ON file_text REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_words();
CREATE TRIGGER text_stale_new AFTER INSERT ON file_text REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_stale();
CREATE TRIGGER text_stale AFTER UPDATE ON file_text REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_stale();
CREATE TRIGGER todo_words_new AFTER INSERT ON todo REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_words();
CREATE TRIGGER todo_words AFTER UPDATE ON todo REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_words();
CREATE TRIGGER tag_new AFTER INSERT ON work_tag REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_work();
CREATE TRIGGER tag_changed AFTER UPDATE ON work_tag REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_work();
CREATE TRIGGER tag_gone AFTER DELETE ON work_tag REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_work();
CREATE TRIGGER field_new AFTER INSERT ON work_field REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_work();
CREATE TRIGGER field_changed AFTER UPDATE ON work_field REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_work();
CREATE TRIGGER field_gone AFTER DELETE ON work_field REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_work();
CREATE TRIGGER stream_changed AFTER UPDATE OF stream ON file FOR EACH ROW
    WHEN (OLD.stream <> NEW.stream) EXECUTE FUNCTION note_stream();
CREATE TRIGGER side_moved AFTER UPDATE OF dir, name, missing_since_ns ON file FOR EACH ROW
    WHEN (lower(right(encode(OLD.name, 'escape'), 4)) = '.xmp' OR lower(right(encode(NEW.name, 'escape'), 4)) = '.xmp')
    EXECUTE FUNCTION note_side();
CREATE TRIGGER side_gone AFTER DELETE ON file FOR EACH ROW
    WHEN (lower(right(encode(OLD.name, 'escape'), 4)) = '.xmp') EXECUTE FUNCTION note_side();

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
