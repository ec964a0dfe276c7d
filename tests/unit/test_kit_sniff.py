"""Content detection on heads made here, byte by byte after the specifications."""

from __future__ import annotations

import os
import zipfile
from io import BytesIO

import pytest

from mediad_handlers.kit.file import File
from mediad_handlers.kit.sniff import recognise, sniff


def open_bytes(content: bytes, name: bytes = b"x") -> File:
    fd = os.memfd_create("sniff")
    os.write(fd, content)
    return File(fd, name, own=True)


def pack_zip(names: list[str], first: bytes = b"") -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        if first:
            archive.writestr("mimetype", first)
        for name in names:
            archive.writestr(name, "x" * 100)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "format"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(20), b"x.mp3", "jpeg"),
        (b"fLaC\0\0\0\x22", b"x", "flac"),
        (b"ID3\4\0\0\0\0\0\0fLaC", b"x.mp3", "flac"),
        (b"ID3\3\0\0\0\0\0\1\0\xff\xfb\x90\x64" + bytes(20), b"x", "mp3"),
        (b"\xff\xfb\x90\x64" + bytes(400), b"x", "mp3"),
        (b"\xff\xf1\x50\x80" + bytes(400), b"x", "aac"),
        (b"RIFF\x24\0\0\0WAVEfmt ", b"x", "wav"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", b"x", "webp"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0", b"x", "m4a"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isom", b"x.m4a", "m4a"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isom", b"x", "mp4"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", b"x", "heic"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", b"x", "avif"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", b"x", "webm"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", b"x", "mkv"),
        (b"II*\0\x10\0\0\0CR\2\0", b"x", "cr2"),
        (b"II*\0\x08\0\0\0", b"x.nef", "nef"),
        (b"OggS\0\2" + bytes(22) + b"OpusHead\1", b"x", "opus"),
        (b"OggS\0\2" + bytes(22) + b"\x80theora", b"x", "ogv"),
        (b"%PDF-1.7\n", b"x.docx", "pdf"),
        (pack_zip(["[Content_Types].xml", "word/document.xml"]), b"x", "docx"),
        (pack_zip(["_rels/.rels", "xl/workbook.xml", "[Content_Types].xml"]), b"x", "xlsx"),
        (pack_zip(["content.opf"], b"application/epub+zip"), b"x", "epub"),
        (pack_zip(["content.xml"], b"application/vnd.oasis.opendocument.text"), b"x", "odt"),
        (pack_zip(["a", "b"]), b"x", "zip"),
    ],
)
def test_formats(content: bytes, name: bytes, format: str) -> None:
    with open_bytes(content, name) as file:
        found = recognise(file)
    assert found is not None
    assert found.format == format


@pytest.mark.parametrize("content", [b"", b"\0", b"hello", b"\xff\xff\xff\xff", b"PK", b"RIFF", bytes(70000)])
def test_nothing_is_made_up(content: bytes) -> None:
    with open_bytes(content) as file:
        assert sniff(file) is None
