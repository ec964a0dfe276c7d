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
-- be there to be compared (decision 0016). In no export and no log.
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

-- ------------------------------------------------------------------ walking through the library
