"""XMP side files: a packet alone in a file (Adobe XMP part 3 section 1.2), for the picture beside it."""

from __future__ import annotations

from mediad_handlers.image.blocks import Blocks, finish, map_blocks
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.xmp import MAX_PACKET

MARKS = (b"<?xpacket", b"<x:xmpmeta", b":xmpmeta", b"<rdf:RDF", b":RDF", b"\0x\0m\0p\0m\0e\0t\0a")


def is_xmp(head: bytes) -> bool:
    """Whether a file begins as an XMP packet: its processing instruction, x:xmpmeta or rdf:RDF, in UTF-8 or UTF-16."""
    start = head[:2048]
    return start.lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n\0")[:1] == b"<" and any(mark in start for mark in MARKS)


def read_sidecar(file: File) -> Record:
    """The fields of a side file. Raises HandlerError `corrupt` for what is no XMP, `limit` beyond MAX_PACKET bytes."""
    if file.size > MAX_PACKET:
        raise HandlerError("limit", f"XMP file of more than {MAX_PACKET} bytes")
    packet = file.read(0, file.size)
    record = Record("other", "xmp", "application/rdf+xml")
    blocks = Blocks()
    blocks.add_xmp(record, packet)
    if blocks.xmp is None:
        raise HandlerError("corrupt", record.warnings.pop())
    map_blocks(record, blocks)
    finish(record)
    return record
