"""The life of a file: listed by a walk (scan), read by a handler (reader), stored (ingest); the roots it lies in."""
