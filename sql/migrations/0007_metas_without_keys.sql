-- Links to metas are no foreign keys any more: five look-ups and row locks a file of a first scan, for rows that only
-- `rebuild_readings` deletes, with all links (docs/decisions/0016).
ALTER TABLE file_meta DROP CONSTRAINT file_meta_meta_fkey;
ALTER TABLE stream_meta DROP CONSTRAINT stream_meta_meta_fkey;
ALTER TABLE meta_link DROP CONSTRAINT meta_link_parent_fkey, DROP CONSTRAINT meta_link_child_fkey;
