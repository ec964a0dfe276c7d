"""ID3v2 frames: what taggers write (mutagen writes and reads it here), and what only the specifications and old taggers
know: unsynchronisation, compression, groups, extended headers, plain sizes, v2.2."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mutagen.id3 as m
import pytest

from mediad_handlers.audio import id3
from mediad_handlers.audio.id3frames import Form, read_tag
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File

PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 3
TEXTS = ["Blue", "été, Straße", "夜の川", "night \U0001f3b5"]
MBID = "b1d4c1e0-0000-4000-8000-000000000001"


def tag(frames: Iterable[Any], version: int, padding: int = 64) -> bytes:
    """A tag as mutagen writes it."""
    made = m.ID3()
    for frame in frames:
        made.add(frame)
    target = io.BytesIO()
    made.save(target, v2_version=version, v23_sep=None, padding=lambda info: padding)
    return target.getvalue()


def syncsafe(number: int) -> bytes:
    return bytes((number >> 21 & 127, number >> 14 & 127, number >> 7 & 127, number & 127))


def build(version: int, body: bytes, flags: int = 0) -> bytes:
    return b"ID3" + bytes((version, 0, flags)) + syncsafe(len(body)) + body


def frame3(name: bytes, data: bytes, flags: int = 0) -> bytes:
    return name + struct.pack(">IH", len(data), flags) + data


def frame4(name: bytes, data: bytes, flags: int = 0) -> bytes:
    return name + syncsafe(len(data)) + struct.pack(">H", flags) + data


def frame2(name: bytes, data: bytes) -> bytes:
    return name + struct.pack(">I", len(data))[1:] + data


def unsynchronise(data: bytes) -> bytes:
    """ID3v2.4.0 structure section 6.1."""
    out = bytearray()
    for place, byte in enumerate(data):
        out.append(byte)
        following = data[place + 1 : place + 2]
        if byte == 0xFF and (not following or following >= b"\xe0" or following == b"\0"):
            out.append(0)
    return bytes(out)


def read(data: bytes) -> Record:
    record = Record("audio", "mp3", "audio/mpeg")
    descriptor = os.memfd_create("tag")
    os.write(descriptor, data)
    with File(descriptor, b"tag.mp3", own=True) as file:
        assert id3.read_id3(record, file)
    return record


def many_frames(encoding: int) -> list[Any]:
    texts = [text for text in TEXTS if encoding or text.isascii()]
    return [
        m.TIT2(encoding, [texts[-1]]), m.TPE1(encoding, texts), m.TALB(encoding, [""]), m.TRCK(encoding, ["3/11"]),
        m.TDRC(encoding, ["2001-02-03T04:05:06", "1999"]), m.TCON(encoding, ["(17)Rock", "(4)(51)"]),
        m.TXXX(encoding, desc="MusicBrainz Album Id", text=[MBID]), m.TXXX(encoding, desc=texts[-1], text=texts),
        m.COMM(encoding, lang="eng", desc="", text=[texts[0]]), m.COMM(encoding, lang="deu", desc="x", text=texts),
        m.COMM(encoding, lang="eng", desc="iTunNORM", text=[" 00000A"]),
        m.USLT(encoding, lang="eng", desc="", text=texts[-1]), m.USLT(encoding, lang="fra", desc="d", text="la"),
        m.APIC(encoding, "image/jpeg", 3, texts[-1], PICTURE), m.APIC(encoding, "image/png", 4, "b", PICTURE[::-1]),
        m.UFID(owner="http://musicbrainz.org", data=MBID.encode()), m.PRIV(owner="PeakValue", data=b"\x01\x02\0\x03"),
        m.WOAR("http://a"), m.WOAR("http://b"), m.WCOP("http://c"), m.WXXX(encoding, desc="d", url="http://e"),
        m.POPM(email="a@b", rating=196, count=7), m.PCNT(count=99), m.PCST(value=1),
        m.TIPL(encoding, [["producer", "P"], ["odd", "O"]]), m.TMCL(encoding, [["guitar", "G"], ["", "H"]]),
        m.SYLT(encoding, lang="eng", format=2, type=1, desc="s", text=[("ab", 0), ("cd", 61230)]),
        m.RVA2(desc="t", channel=1, gain=-3.5, peak=0.9),
        m.CHAP(element_id="c2", start_time=1000, end_time=2000, sub_frames=[m.TIT2(encoding, ["Two"])]),
        m.CHAP(element_id="c1", start_time=0, end_time=1000, sub_frames=[]),
        m.GEOB(encoding, mime="a/b", filename="f", desc="g", data=b"12345"), m.MCDI(data=b"\0" * 100),
        m.ETCO(format=2, events=[(1, 100), (2, 200)]), m.USER(encoding, lang="eng", text="terms"),
        m.RVRB(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), m.EQU2(1, "e", [(100.0, 1.5), (200.0, -1.5)]), m.POSS(1, 5),
        m.OWNE(encoding, "USD1", "20200101", "seller"), m.LINK("TIT2", "u", b"dd"), m.SIGN(129, b"s"), m.SEEK(5),
        m.AENC("o", 1, 2, b"d"), m.ASPI(1, 2, 2, 8, [1, 2]), m.RVAD([1, -2]), m.RBUF(100), m.GRID("g", 129, b"y"),
        m.COMR(encoding, "1", "20200101", "c", 1, "s", "d"), m.ENCR("o", 129, b"z"), m.SYTC(1, b"abc"),
        m.MLLT(1, 2, 3, 4, 5, b"x"), m.CTOC("toc", 3, ["c1", "c2"], []),
    ]  # fmt: skip


def of_mutagen(frame: Any) -> Any:
    """What id3frames gives for a frame, made of mutagen's."""
    name = type(frame).__name__
    pairs = {
        "TXXX": lambda: (frame.desc, frame.text), "COMM": lambda: (frame.desc, frame.text),
        "USLT": lambda: (frame.desc, [frame.text]), "WXXX": lambda: (frame.desc, [frame.url]),
        "APIC": lambda: (frame.mime, int(frame.type), frame.desc, frame.data),
        "UFID": lambda: (frame.owner, frame.data),
        "PRIV": lambda: (frame.owner, frame.data), "POPM": lambda: (frame.email, frame.rating, frame.count),
        "PCNT": lambda: frame.count, "PCST": lambda: frame.value, "SYLT": lambda: (frame.format, frame.text),
        "RVA2": lambda: (frame.desc, frame.channel, frame.gain),
        "OWNE": lambda: frame.seller, "USER": lambda: frame.text,
    }  # fmt: skip
    if name in pairs:
        return pairs[name]()
    if hasattr(frame, "people"):
        return [tuple(pair) for pair in frame.people]
    if hasattr(frame, "url") and name[0] == "W":
        return frame.url
    if hasattr(frame, "data"):
        return frame.data
    return [str(one) for one in frame.text] if hasattr(frame, "text") else str(frame)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("encoding", [0, 1, 2, 3])
@pytest.mark.parametrize("padding", [0, 5, 64])
def test_what_a_tagger_writes_is_read_as_it_reads_it(version: int, encoding: int, padding: int) -> None:
    data = tag(many_frames(encoding), version, padding)
    theirs = m.ID3(io.BytesIO(data), translate=False)
    ours = read_tag(data[10:], Form(version, False))
    expected = [(type(one).__name__, of_mutagen(one)) for one in theirs.values() if type(one).__name__ != "CHAP"]
    assert [one for one in ours.frames.values() if one[0] != "CHAP"] == expected
    assert not ours.unknown
    chapters = {key: value[1] for key, value in ours.frames.items() if value[0] == "CHAP"}
    assert chapters["CHAP:c2"][:2] == (1000, 2000)
    assert chapters["CHAP:c2"][2].frames == {"TIT2": ("TIT2", ["Two"])}
    assert chapters["CHAP:c1"] == (0, 1000, ({}, []))


def test_fields_of_a_tag() -> None:
    record = read(tag(many_frames(3), 4))
    assert record.fields["artists"] == TEXTS
    assert record.fields["genres"] == ["Rock", "Disco", "Techno-Industrial"]
    assert record.fields["mb_release_id"] == record.fields["mb_recording_id"] == MBID
    assert record.fields["rating"] == 4.0
    assert record.fields["play_counter_file"] == 99
    assert record.fields["synced_lyrics"] == "[00:00.00]ab\n[01:01.23]cd"
    assert record.fields["volume_adjustment"] == -3.5
    # which picture a tagger writes first is its own affair (mutagen's versions differ): both are here
    assert sorted(one["type"] for one in record.fields["pictures"]) == ["back_cover", "front_cover"]
    assert record.fields["chapters"] == [
        {"start": 0.0, "end": 1.0}, {"start": 1.0, "end": 2.0, "title": "Two"},
    ]  # fmt: skip
    assert record.tags["ID3v2.4:COMM:iTunNORM"] == [" 00000A"]
    assert record.tags["ID3v2.4:CTOC"] == [
        "CTOC(element_id='toc', flags=<CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED: 3>, "
        "child_element_ids=['c1', 'c2'], sub_frames={})"
    ]


TITLE3, TITLE4 = frame3(b"TIT2", b"\0Title"), frame4(b"TIT2", b"\3Title")
COVER = b"\0image/jpeg\0\3d\0" + PICTURE
PACKED = zlib.compress(b"\3Packed")


@pytest.mark.parametrize(
    ("data", "field", "expected"),
    [
        (build(3, unsynchronise(frame3(b"TIT2", b"\1\xff\xfeT\0") + frame3(b"APIC", COVER)), 0x80), "title", "T"),
        (build(4, frame4(b"TIT2", unsynchronise(b"\1\xff\xfeT\0"), 2)), "title", "T"),
        (build(4, frame4(b"TIT2", unsynchronise(b"\1\xff\xfeT\0")), 0x80), "title", "T"),
        (build(3, frame3(b"TIT2", b"\1\xff\xfeT\0"), 0x80), "title", "T"),  # the flag, and plain data
        (build(4, frame4(b"TIT2", syncsafe(7) + PACKED, 9)), "title", "Packed"),
        (build(4, frame4(b"TIT2", PACKED, 8)), "title", "Packed"),  # without its data length
        (build(3, frame3(b"TIT2", struct.pack(">I", 7) + PACKED, 0x80)), "title", "Packed"),
        (build(3, frame3(b"TIT2", b"\x81\0Title", 0x20)), "title", "Title"),  # of a group
        (build(4, frame4(b"TIT2", b"\x81\0Title", 0x40)), "title", "Title"),
        (build(4, frame4(b"TIT2", syncsafe(6) + b"\3Title", 1)), "title", "Title"),
        (build(3, struct.pack(">I", 6) + bytes(6) + TITLE3, 0x40), "title", "Title"),  # extended header
        (build(4, syncsafe(6) + b"\1\0" + TITLE4, 0x40), "title", "Title"),
        (build(3, TITLE3, 0x40), "title", "Title"),  # the flag, and no extended header
        (build(3, frame3(b"TT2\0", b"\0Old")), "title", "Old"),  # a name of v2.2
        (build(2, frame2(b"TT2", b"\0Old") + frame2(b"XYZ", b"ab")), "title", "Old"),
        (build(3, frame3(b"XSOP", b"\0Sorted")), "artist_sort", "Sorted"),
        (build(3, frame3(b"TIT2", b"\1" + "Title".encode("utf-16-le"))), "title", "Title"),  # no BOM
        (build(3, frame3(b"TIT2", b"\1\xff\xfeT\0i")), "title", "Ti"),  # half a character
        (build(4, frame4(b"TIT2", b"\2\0T\0i\0\0")), "title", "Ti"),
        (build(3, frame3(b"TPE1", b"\0A\0B\0\0\0")), "artists", ["A", "B"]),
        (build(4, frame4(b"TDRC", b"\0002001 - 2")), "date_released", "2001"),
        (build(4, frame4(b"TDRC", b"\0002001.2.3")), "date_released", "2001-02-03"),
        (build(4, frame4(b"TIT2", b"\3a") + frame4(b"TIT2", b"\3b\0a")), "title", "a"),
        (build(4, frame4(b"UFID", b"o\0a") + frame4(b"TIT2", b"\7x") + TITLE4), "title", "Title"),  # junk before it
        (build(4, TITLE4 + frame4(b"APIC", COVER))[:-300], "title", "Title"),  # a download that broke off
    ],
)
def test_forms_that_few_taggers_write(data: bytes, field: str, expected: Any) -> None:
    record = read(data)
    assert record.fields[field] == expected
    assert record.warnings == []


def test_a_picture_within_unsynchronised_data_is_the_picture() -> None:
    for data in (
        build(3, unsynchronise(frame3(b"APIC", COVER)), 0x80),
        build(4, frame4(b"APIC", syncsafe(len(COVER)) + unsynchronise(COVER), 3)),
    ):
        assert read(data).fields["pictures"][0]["size"] == len(PICTURE)


def test_sizes_that_are_plain_numbers_in_v24() -> None:
    long = b"TPE1" + struct.pack(">IH", 301, 0) + b"\3" + b"p" * 300
    body = TITLE4 + long + b"APIC" + struct.pack(">IH", len(COVER), 0) + COVER + frame4(b"TALB", b"\3Album")
    assert read(build(4, body + bytes(20))).fields["album"] == "Album"
    right = TITLE4 + frame4(b"TPE1", b"\3" + b"p" * 300) + frame4(b"APIC", COVER) + frame4(b"TALB", b"\3Album")
    assert read(build(4, right + bytes(20))).fields["album"] == "Album"


def test_version_22() -> None:
    body = b"".join((
        frame2(b"TP1", b"\1\xff\xfe\xc4\0"), frame2(b"TYE", b"\x002001"), frame2(b"TDA", b"\x000312"),
        frame2(b"COM", b"\0eng\0words"), frame2(b"PIC", b"\0JPG\3d\0" + PICTURE), frame2(b"TCP", b"\x001"),
        frame2(b"CRM", b"o\0d\0x"), frame2(b"EQU", b"\3\x10\0\1"), frame2(b"RVA", b"\3\x10\0\1\0\2"), bytes(20),
    ))  # fmt: skip
    record = read(build(2, body))
    assert record.fields["artists"] == ["Ä"]
    assert record.fields["date_released"] == "2001-12-03"
    assert record.fields["comments"] == ["words"]
    assert record.fields["compilation"] is True
    assert record.fields["pictures"][0]["mime"] == "image/jpeg"
    assert record.tags == {"ID3v2.2:EQU": ["03100001"], "ID3v2.2:RVAD": ["RVAD(adjustments=[1, 2])"]}


def test_unknown_and_encrypted_frames_are_shown() -> None:
    body = frame3(b"RGAD", b"ab") + frame3(b"xyzz", b"ab") + frame3(b"TIT2", b"\1secret", 0x40)
    assert read(build(3, body)).tags == {"ID3v2.3:RGAD": ["6162"], "ID3v2.3:TIT2": ["01736563726574"]}


@pytest.mark.parametrize(
    ("data", "warning"),
    [
        (build(5, TITLE4), "ID3v2: version 2.5 is not known"),
        (build(4, TITLE4, 0x0F), "ID3v2: unknown flags 0x0f"),
        (build(2, b"", 0x40), "ID3v2: unknown flags 0x40"),
        (b"ID3\4\0\0\x80\0\0\0", "ID3v2: the size is not syncsafe"),
        (build(4, b"\0\0\0\2", 0x40), "ID3v2: the extended header does not fit into the tag"),
    ],
)
def test_a_tag_that_cannot_be_read_is_a_warning(data: bytes, warning: str) -> None:
    record = read(data)
    assert (record.fields, record.warnings) == ({}, [warning])


def test_bounds(tmp_path: Path) -> None:
    bomb = zlib.compress(b"\3" + bytes(64 << 20), 9)
    assert read(build(4, frame4(b"TIT2", syncsafe(1) + bomb, 9) + frame4(b"TALB", b"\3Album"))).fields == {
        "album": "Album"
    }
    for name in (b"PCST", b"PCNT", b"SEEK"):
        assert read(build(4, frame4(name, b"\xff" * 5000) + TITLE4)).fields == {"title": "Title"}
    nested = frame4(b"TIT2", b"\3deep")
    for depth in range(30):
        nested = frame4(b"CHAP", b"c%d\0" % depth + bytes(16) + nested)
    assert len(read(build(4, nested)).fields["chapters"]) == 1
    path = tmp_path / "huge.mp3"
    with path.open("wb") as target:
        target.write(b"ID3\4\0\0" + syncsafe(17 << 20) + TITLE4)
        target.truncate(18 << 20)
    with File.open(path) as file, pytest.raises(HandlerError) as fault:
        id3.read_id3(Record("audio", "mp3", "audio/mpeg"), file)
    assert fault.value.code == "limit"
