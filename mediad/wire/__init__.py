"""The wire without I/O: sessions of both roles, and the conversion of errors, paths and ids. Rules: proto/README.md."""
