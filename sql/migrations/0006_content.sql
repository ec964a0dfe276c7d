-- The words inside documents, lyrics and subtitles, and the queue of files whose text is to be extracted.

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
