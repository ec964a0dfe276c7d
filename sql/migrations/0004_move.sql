-- Moving, copying, linking files: the journal (mediad/moves). A step is stored before it is done; at the next start
-- what was begun is finished or rolled back by looking at the disk.

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
