"""Archives in the format of recentralized/structure, version v1: docs/archive.md.

`uri`, `ids`, `moment`, `gojson`: the parts of the format. `layout`: where a thing lies. `meta`, `index`: its two
documents. `archive`: reading and verifying one. `restore`: which file goes where. `exif`: values as ExifTool prints
them."""
