-- Nine foreign keys, each a look-up and a lock of a row for each row of a first scan (docs/decisions/0016): a file's rows
-- go with it by one trigger a statement, metas are deleted with their links by `rebuild_readings` alone.
ALTER TABLE file_meta DROP CONSTRAINT file_meta_meta_fkey, DROP CONSTRAINT file_meta_file_fkey;
ALTER TABLE stream_meta DROP CONSTRAINT stream_meta_meta_fkey;
ALTER TABLE meta_link DROP CONSTRAINT meta_link_parent_fkey, DROP CONSTRAINT meta_link_child_fkey;
ALTER TABLE reading DROP CONSTRAINT reading_file_fkey;
ALTER TABLE file_detail DROP CONSTRAINT file_detail_file_fkey;
ALTER TABLE file_text DROP CONSTRAINT file_text_file_fkey;
ALTER TABLE todo DROP CONSTRAINT todo_file_fkey;

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
