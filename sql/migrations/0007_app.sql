-- What the applications of persons need: persons, keys and sessions; queues and bookmarks; previews; stars of albums and artists.

-- ------------------------------------------------------------------ persons

-- ------------------------------------------------------------------ queues and bookmarks

-- ------------------------------------------------------------------ previews
-- They are files in the data folder of each host (docs/decisions/0018-previews-are-files.md).

-- ------------------------------------------------------------------ walking through the library
