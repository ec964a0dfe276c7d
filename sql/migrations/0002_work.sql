-- Identity over moves and edits, what a person made, and the feed that tells of both.

ALTER TABLE dir ADD COLUMN inode bigint;
ALTER TABLE dir ADD COLUMN mtime_ns bigint;
ALTER TABLE reading ADD COLUMN size bigint;
ALTER TABLE reading ADD COLUMN mtime_ns bigint;
ALTER TABLE root ADD COLUMN frozen text;
ALTER TABLE stream ADD COLUMN alone boolean NOT NULL DEFAULT false;
ALTER TABLE feed ADD COLUMN compacted bigint NOT NULL DEFAULT 0;
ALTER TABLE operation ADD COLUMN undone_by uuid;

CREATE INDEX stream_alias_stream ON stream_alias (stream);
CREATE INDEX event_operation ON event (op_id) WHERE op_id IS NOT NULL;

CREATE TABLE revision (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file       bigint,
    stream     uuid NOT NULL,
    path       bytea NOT NULL,
    size       bigint NOT NULL,
    mtime_ns   bigint NOT NULL,
    until_ns   bigint NOT NULL,
    why        text NOT NULL
);
CREATE INDEX revision_file ON revision (file);
CREATE INDEX revision_stream ON revision (stream);

CREATE TABLE lineage (
    old        uuid NOT NULL,
    new        uuid NOT NULL,
    relation   text NOT NULL,
    state      text NOT NULL,
    at_ns      bigint NOT NULL,
    PRIMARY KEY (old, new)
);
CREATE INDEX lineage_new ON lineage (new);

CREATE TABLE doubt (
    stream     uuid PRIMARY KEY REFERENCES stream ON DELETE CASCADE,
    at_ns      bigint NOT NULL,
    tries      smallint NOT NULL DEFAULT 0
);

CREATE TABLE verification (
    host       uuid PRIMARY KEY,
    after      bigint NOT NULL,
    at_ns      bigint NOT NULL
);

CREATE INDEX checksum_sha256 ON checksum (sha256) WHERE sha256 IS NOT NULL;

CREATE TABLE work (
    stream     uuid PRIMARY KEY,
    first_ns   bigint NOT NULL
);

CREATE TABLE work_tag (
    stream     uuid NOT NULL,
    tag        text NOT NULL,
    folded     text COLLATE "C" NOT NULL,
    removed    boolean NOT NULL,
    PRIMARY KEY (stream, tag)
);
CREATE INDEX work_tag_folded ON work_tag (folded);

CREATE TABLE work_actor (
    stream     uuid NOT NULL,
    actor      text NOT NULL,
    rating     real,
    starred_ns bigint,
    plays      integer NOT NULL DEFAULT 0,
    played_ns  bigint,
    PRIMARY KEY (stream, actor)
);
CREATE INDEX work_actor_rating ON work_actor (actor, rating) WHERE rating IS NOT NULL;
CREATE INDEX work_actor_starred ON work_actor (actor) WHERE starred_ns IS NOT NULL;

CREATE TABLE work_field (
    stream     uuid NOT NULL,
    name       text NOT NULL,
    value      text NOT NULL,
    folded     text COLLATE "C" NOT NULL,
    PRIMARY KEY (stream, name)
);
CREATE INDEX work_field_folded ON work_field (name, folded);

CREATE TABLE collection (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    folded     text COLLATE "C" NOT NULL,
    kind       text NOT NULL,
    actor      text NOT NULL,
    created_ns bigint NOT NULL
);
CREATE UNIQUE INDEX collection_name ON collection (kind, actor, name);

CREATE TABLE collection_entry (
    collection uuid NOT NULL REFERENCES collection ON DELETE CASCADE,
    place      integer NOT NULL,
    stream     uuid NOT NULL,
    PRIMARY KEY (collection, place) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX collection_entry_stream ON collection_entry (stream);

CREATE FUNCTION tell_feed() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    PERFORM pg_notify('mediadb_feed', '');
    RETURN NULL;
END $$;
CREATE TRIGGER feed_told AFTER UPDATE ON feed FOR EACH STATEMENT EXECUTE FUNCTION tell_feed();

CREATE FUNCTION work_of(of_stream uuid) RETURNS jsonb LANGUAGE sql STABLE
    SET search_path = mediadb, pg_catalog AS $$
SELECT jsonb_strip_nulls(jsonb_build_object(
    'tags', (SELECT jsonb_object_agg(tag, removed) FROM work_tag WHERE stream = of_stream),
    'fields', (SELECT jsonb_object_agg(name, value) FROM work_field WHERE stream = of_stream),
    'actors', (SELECT jsonb_object_agg(actor, jsonb_strip_nulls(jsonb_build_object(
                   'rating', rating, 'starred_ns', starred_ns, 'plays', nullif(plays, 0), 'played_ns', played_ns)))
               FROM work_actor WHERE stream = of_stream)))
$$;

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
