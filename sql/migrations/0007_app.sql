-- What the applications of persons need: persons, keys and sessions; queues and bookmarks; previews; stars of albums and artists.

-- ------------------------------------------------------------------ persons

-- ------------------------------------------------------------------ queues and bookmarks

-- ------------------------------------------------------------------ previews

-- ------------------------------------------------------------------ walking through the library
