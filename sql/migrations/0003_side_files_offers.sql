-- XMP side files kept in step: what was last equal on both sides, and what is to be looked at; offers of lineage.

CREATE TABLE side_sync (
    file       bigint PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    stream     uuid NOT NULL,
    name       bytea NOT NULL,
    state      jsonb NOT NULL,
    inode      bigint NOT NULL,
    size       bigint NOT NULL,
    mtime_ns   bigint NOT NULL,
    at_ns      bigint NOT NULL
);
CREATE INDEX side_sync_stream ON side_sync (stream);

CREATE TABLE side_todo (
    file       bigint PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    since_ns   bigint NOT NULL,
    not_before_ns bigint NOT NULL,
    tries      smallint NOT NULL DEFAULT 0,
    problem_code text,
    problem    text
);
CREATE INDEX side_todo_due ON side_todo (not_before_ns);

CREATE TABLE side_cursor (
    host       uuid PRIMARY KEY REFERENCES host ON DELETE CASCADE,
    epoch      uuid NOT NULL,
    seq        bigint NOT NULL
);

-- Which pictures name which other in their XMP: what offers of lineage are looked up by.

CREATE INDEX file_detail_document ON file_detail ((fields ->> 'document_id')) WHERE fields ? 'document_id';
CREATE INDEX file_detail_original ON file_detail ((fields ->> 'original_document_id')) WHERE fields ? 'original_document_id';
CREATE INDEX file_detail_derived ON file_detail USING gin ((tags -> 'XMP-xmpMM:DerivedFrom'))
    WHERE tags ? 'XMP-xmpMM:DerivedFrom';
