"""The query language: text -> syntax tree. No SQL, no I/O. The grammar: docs/query.md."""
