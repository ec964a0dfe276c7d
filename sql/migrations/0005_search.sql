-- One inverted index answers words, values, numbers and dates (mediad/query/lexemes): the dictionary of values goes, the
-- dictionary of words comes, and what must be indexed anew is marked by triggers, so that no statement can forget it.

DROP TABLE value;
ALTER TABLE file_text DROP COLUMN folded, DROP COLUMN reversed, DROP COLUMN value_ids;
-- A pending list that is read at every question stays short.
ALTER INDEX file_text_words SET (gin_pending_list_limit = 1024);
ALTER INDEX todo_words SET (gin_pending_list_limit = 1024);
ALTER TABLE file_text ALTER COLUMN words SET STATISTICS 300;
-- After a handler's version was raised the queue holds every file: the few that are found by it are in this, for going
-- through them. Written so that no planner takes it for a way to look words up.
CREATE INDEX todo_listed ON todo (file) WHERE coalesce(words IS NOT NULL, false);

-- Timelines: what has no date comes behind, by another statement.
CREATE INDEX reading_date ON reading (date COLLATE "C") WHERE date IS NOT NULL;

ALTER TABLE dir ADD COLUMN folded text COLLATE "C";

CREATE INDEX file_seen ON file USING brin (first_seen_ns) WITH (pages_per_range = 32);
CREATE INDEX file_side ON file (dir) WHERE lower(right(encode(name, 'escape'), 4)) = '.xmp';

CREATE TABLE word (
    word       text COLLATE "C" PRIMARY KEY,
    reversed   text COLLATE "C" NOT NULL,
    grams      tsvector NOT NULL
);
CREATE INDEX word_reversed ON word (reversed);
CREATE INDEX word_grams ON word USING gin (grams);

-- A collection that is a saved question.
ALTER TABLE collection ADD COLUMN query text;

CREATE SEQUENCE stale_mark;
CREATE TABLE stale_text (
    file       bigint PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    mark       bigint NOT NULL DEFAULT nextval('stale_mark')
);
CREATE INDEX stale_text_mark ON stale_text (mark);

CREATE FUNCTION side_mains(of_dir bigint, of_name bytea) RETURNS SETOF bigint LANGUAGE sql STABLE
    SET search_path = mediadb, pg_catalog AS $$
SELECT f.id FROM file f WHERE f.dir = of_dir AND f.name <> of_name AND f.type = 'f'
AND (f.name = substring(of_name from 1 for greatest(length(of_name) - 4, 0))
     OR (f.name > substring(of_name from 1 for greatest(length(of_name) - 4, 0)) || '.'::bytea
         AND f.name < substring(of_name from 1 for greatest(length(of_name) - 4, 0)) || '/'::bytea
         AND position('.'::bytea in substring(f.name from greatest(length(of_name) - 2, 1))) = 0))
$$;

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

CREATE FUNCTION note_work() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    INSERT INTO stale_text (file)
    SELECT f.id FROM file f WHERE f.stream IN (SELECT c.stream FROM changed c)
    ON CONFLICT (file) DO UPDATE SET mark = nextval('stale_mark');
    RETURN NULL;
END $$;

CREATE FUNCTION note_stream() RETURNS trigger LANGUAGE plpgsql
    SET search_path = mediadb, pg_catalog AS $$
BEGIN
    IF EXISTS (SELECT FROM work WHERE stream IN (OLD.stream, NEW.stream)) THEN
        INSERT INTO stale_text (file) VALUES (NEW.id)
        ON CONFLICT (file) DO UPDATE SET mark = nextval('stale_mark');
    END IF;
    RETURN NULL;
END $$;

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

-- Everything is indexed anew, while questions are answered from what is there.
INSERT INTO stale_text (file) SELECT id FROM file;
