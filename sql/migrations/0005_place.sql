-- Keeps the place of the migration 0005 that another branch brings; this file goes when the two are merged.

SELECT;
