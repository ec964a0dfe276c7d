"""FLAC, Ogg and M4A as their specifications have them, and as taggers left them: files made here, byte by byte."""

from __future__ import annotations

import base64
import io
import struct
from pathlib import Path
from typing import Any

import mutagen.flac
import mutagen.mp4
import mutagen.oggopus
import pytest

from mediad_handlers.audio import HANDLER
from mediad_handlers.kit.api import HandlerError, Record
from mediad_handlers.kit.file import File
from mediad_handlers.readers.aac import read_config, read_descriptor

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4
MBID = "b1d4c1e0-0000-4000-8000-000000000001"


def read(path: Path, data: bytes) -> Record:
    path.write_bytes(data)
    with File.open(path) as file:
        return HANDLER.read(file)


# FLAC, RFC 9639


def stream_info(rate: int = 44100, channels: int = 2, bits: int = 16, samples: int = 88200) -> bytes:
    word = rate << 44 | (channels - 1) << 41 | (bits - 1) << 36 | samples
    return struct.pack(">HH", 4096, 4096) + bytes(6) + word.to_bytes(8, "big") + bytes(range(16))


def comments(*listed: str, vendor: str = "reference libFLAC", count: int | None = None) -> bytes:
    def text(one: str) -> bytes:
        return struct.pack("<I", len(one.encode())) + one.encode()

    return text(vendor) + struct.pack("<I", len(listed) if count is None else count) + b"".join(map(text, listed))


def flac_picture(data: bytes = JPEG) -> bytes:
    return struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">I", 3) + "dé".encode() + struct.pack(
        ">IIIII", 30, 20, 24, 0, len(data)
    ) + data  # fmt: skip


def flac(*blocks: tuple[int, bytes], frames: bytes = b"\xff\xf8" + bytes(5000)) -> bytes:
    out = b"fLaC"
    for place, (kind, data) in enumerate(blocks, 1):
        out += bytes([kind | (0x80 if place == len(blocks) else 0)]) + len(data).to_bytes(3, "big") + data
    return out + frames


CUE = (
    b"1234567890123".ljust(128, b"\0") + struct.pack(">Q", 88200) + b"\x80" + bytes(258) + b"\3"
    + struct.pack(">Q", 0) + b"\1" + bytes(26) + b"\1" + struct.pack(">QB3x", 0, 1)
    + struct.pack(">Q", 44100) + b"\2" + bytes(26) + b"\2" + struct.pack(">QB3x", 0, 0) + struct.pack(">QB3x", 9, 1)
    + struct.pack(">Q", 88200) + b"\xaa" + bytes(27)
)  # fmt: skip


def test_a_flac_file_with_every_block(tmp_path: Path) -> None:
    words = comments("TITLE=été", "artist=A", "Artist=B", "tracknumber=3/7", "novalue", "ké=x", "~=no", "lyrics=a\nb")
    data = flac(
        (0, stream_info()), (1, bytes(50)), (3, bytes(36)), (4, words), (5, CUE), (6, flac_picture()), (9, b"?")
    )
    record = read(tmp_path / "a.flac", data)
    theirs = mutagen.flac.FLAC(io.BytesIO(data))
    assert record.fields["title"] == theirs["title"][0] == "été"
    assert record.fields["artists"] == theirs["artist"] == ["A", "B"]
    assert (record.fields["track_number"], record.fields["track_total"]) == (3, 7)
    assert record.fields["encoder"] == theirs.tags.vendor
    assert record.tags == {"Vorbis:unknown4": ["novalue"], "Vorbis:k?": ["x"]}
    assert theirs["unknown4"] == ["novalue"]
    assert theirs["k?"] == ["x"]
    assert record.fields["duration"] == theirs.info.length == 2.0
    assert (record.fields["bits_per_sample"], record.fields["channels"]) == (16, 2)
    assert record.fields["pcm_md5"] == bytes(range(16)).hex()
    assert record.fields["chapters"] == [{"start": 0.0, "title": "Track 1"}, {"start": 1.0, "title": "Track 2"}]
    picture = record.fields["pictures"][0]
    assert (picture["type"], picture["width"], picture["description"]) == ("front_cover", 30, "dé")
    assert picture["size"] == len(theirs.pictures[0].data)
    assert record.warnings == []


def test_a_comment_block_that_is_longer_than_it_says(tmp_path: Path) -> None:
    words = comments("title=whole", "artist=there")
    data = flac((0, stream_info()), (1, words[:20]))
    data = data.replace(b"\x81" + (20).to_bytes(3, "big") + words[:20], b"\x84" + (20).to_bytes(3, "big") + words)
    record = read(tmp_path / "a.flac", data)
    assert (record.fields["title"], record.warnings) == ("whole", [])


@pytest.mark.parametrize(
    ("blocks", "warning"),
    [
        (((0, stream_info()), (4, comments("title=kept", count=9))),
         "Vorbis: the comments are cut off: 1 of 9 were read"),
        (((0, stream_info()), (4, comments("title=kept")), (6, flac_picture()[:20])),
         "FLAC:PICTURE: the picture block is cut off"),
    ],
)  # fmt: skip
def test_a_broken_block_costs_itself(tmp_path: Path, blocks: Any, warning: str) -> None:
    record = read(tmp_path / "a.flac", flac(*blocks, frames=b"\xff" * 40))
    assert record.fields["title"] == "kept"
    assert record.warnings == [warning]


@pytest.mark.parametrize("blocks", [((4, comments()),), ((0, stream_info()[:20]),), ((0, stream_info(rate=0)),)])
def test_no_stream_information_is_corrupt(tmp_path: Path, blocks: Any) -> None:
    with pytest.raises(HandlerError) as fault:
        read(tmp_path / "a.flac", flac(*blocks))
    assert fault.value.code == "corrupt"


# Ogg, RFC 3533


def pages(serial: int, packets: list[bytes], granule: int, first: bool = False) -> bytes:
    """One or more pages with these packets; the last page has the granule position."""
    lacing, body = b"", b""
    for packet in packets:
        lacing += b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
        body += packet
    out, number = b"", 0
    while lacing:
        part, lacing = lacing[:255], lacing[255:]
        piece, body = body[: sum(part)], body[sum(part) :]
        ends = not lacing
        flags = (2 if first else 0) | (1 if number else 0)
        position = granule if ends or any(one < 255 for one in part) else (1 << 64) - 1
        out += b"OggS\0" + bytes([flags]) + struct.pack("<QIII", position, serial, number, 0) + bytes([len(part)])
        out += part + piece
        number += 1
    return out


VORBIS = b"\1vorbis" + struct.pack("<IBIiii", 0, 2, 44100, 0, 128000, 0) + b"\xb8\1"
OPUS = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 44100, 0, 0)
SPEEX = b"Speex   " + b"1.2".ljust(20, b"\0") + struct.pack("<7I", 1, 80, 16000, 1, 4, 1, 0xFFFFFFFF) + bytes(24)
FLAC_HEAD = b"\x7fFLAC\1\0\0\1fLaC\0\0\0\x22"


@pytest.mark.parametrize(
    ("name", "head", "mark", "granule", "duration", "rate", "channels"),
    [
        ("a.ogg", VORBIS, b"\3vorbis", 88200, 2.0, 44100, 2),
        ("a.opus", OPUS, b"OpusTags", 96312, 2.0, 48000, 2),
        ("a.spx", SPEEX, b"", 32000, 2.0, 16000, 1),
        ("a.oga", FLAC_HEAD + stream_info(), b"\x84\0\0\0", 7, 2.0, 44100, 2),
        ("b.oga", FLAC_HEAD + stream_info(samples=0), b"\x84\0\0\0", 44100, 1.0, 44100, 2),
    ],
)
def test_ogg_codecs(
    tmp_path: Path, name: str, head: bytes, mark: bytes, granule: int, duration: float, rate: int, channels: int
) -> None:
    cover = base64.b64encode(flac_picture(JPEG * 60)).decode()  # some 80 KB: a packet over several pages
    words = mark + comments("TITLE=T", f"METADATA_BLOCK_PICTURE={cover}", "COVERART=abc", "rating:me=0.8") + b"\1"
    other = pages(9, [b"fishead\0" + bytes(56)], 0, first=True)
    data = pages(7, [head], 0, first=True) + other + pages(7, [words, b"\5vorbis" + bytes(40)], 0)
    data += pages(9, [bytes(100)], 5) + pages(7, [bytes(900)] * 5, granule) + pages(9, [bytes(100)], 1 << 40)
    record = read(tmp_path / name, data)
    assert record.fields["title"] == "T"
    assert record.fields["rating"] == 4.0
    assert record.fields["pictures"][0]["size"] == len(JPEG) * 60
    assert (record.fields["duration"], record.fields["sample_rate"]) == (duration, rate)
    assert record.fields["channels"] == channels
    assert [one.partition(":")[2].partition(":")[0] for one in record.warnings] == ["COVERART"]
    # the last page broke off: the one before it tells
    cut = read(tmp_path / name, data + pages(7, [bytes(900)], granule * 2)[:-100])
    assert cut.fields["duration"] == duration


def test_a_stream_that_ends_long_before_the_file(tmp_path: Path) -> None:
    words = b"OpusTags" + comments("TITLE=T")
    data = pages(7, [OPUS], 0, first=True) + pages(8, [b"fishead\0" + bytes(56)], 0, first=True)
    data += pages(7, [words], 0) + pages(7, [bytes(100)], 48312)
    record = read(tmp_path / "a.opus", data + pages(8, [bytes(60_000)] * 4, 3))
    assert record.fields["duration"] == 1.0


@pytest.mark.parametrize(
    "data",
    [
        pages(7, [OPUS], 0, first=True),
        pages(7, [OPUS[:12]], 0, first=True) + pages(7, [b"OpusTags" + comments()], 0),
        pages(7, [OPUS[:8] + b"\x10" + OPUS[9:]], 0, first=True) + pages(7, [b"OpusTags" + comments()], 0),
        pages(7, [VORBIS[:12] + bytes(4) + VORBIS[16:]], 0, first=True) + pages(7, [b"\3vorbis" + comments()], 0),
        b"OggS" + bytes(40),
    ],
)
def test_ogg_that_cannot_be_read_is_corrupt(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(HandlerError) as fault:
        read(tmp_path / "a.ogg", data)
    assert fault.value.code == "corrupt"


# M4A, ISO/IEC 14496-12


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def value(form: int, data: bytes) -> bytes:
    return box(b"data", struct.pack(">II", form, 0), data)


def descriptor(config: bytes, object_type: int = 0x40) -> bytes:
    specific = b"\5" + b"\x80\x80\x80" + bytes([len(config)]) + config if config else b""
    decoder = bytes([object_type, 0x15]) + bytes(3) + struct.pack(">II", 130000, 128000) + specific
    inner = b"\0\1\0" + b"\4" + bytes([len(decoder)]) + decoder + b"\6\1\2"
    return bytes(4) + b"\3" + bytes([len(inner)]) + inner


def m4a(entry: bytes = b"", items: bytes = b"", user: bytes = b"", meta: bytes = bytes(4)) -> bytes:
    header = bytes(12) + struct.pack(">IIHH", 1000, 2500, 0, 0)
    media = box(b"mdia", box(b"mdhd", header), box(b"hdlr", bytes(8), b"soun", bytes(13)),
                box(b"minf", box(b"stbl", box(b"stsd", struct.pack(">II", 0, 1), entry))))  # fmt: skip
    moov = box(b"mvhd", bytes(100)) + (box(b"trak", media) if entry else b"")
    handler = box(b"hdlr", bytes(8), b"mdirappl", bytes(9))
    moov += box(b"udta", box(b"meta", meta, handler, box(b"ilst", items)), user)
    return box(b"ftyp", b"M4A \0\0\2\0isomM4A ") + box(b"moov", moov) + box(b"mdat", bytes(100))


def entry(kind: bytes, *parts: bytes, channels: int = 2, rate: int = 44100) -> bytes:
    return box(kind, bytes(6), b"\0\1", bytes(8), struct.pack(">HHIHH", channels, 16, 0, rate, 0), *parts)


ALAC = bytes(4) + struct.pack(">IBBBBBBHIII", 4096, 0, 24, 40, 10, 14, 2, 255, 0, 900000, 96000)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (entry(b"mp4a", box(b"esds", descriptor(b"\x12\x10"))), ("aac", "AAC LC", 44100, 2, 128000, None)),
        (
            entry(b"mp4a", box(b"esds", descriptor(b"\x13\x10\x56\xe5\x98"))),
            ("aac", "AAC LC+SBR", 48000, 2, 128000, None),
        ),
        (
            entry(b"mp4a", box(b"esds", descriptor(b"\xeb\x09\x88\x00"))),
            ("aac", "AAC LC+SBR+PS", 48000, 2, 128000, None),
        ),
        (entry(b"mp4a", box(b"esds", descriptor(b"", 0x6B))), ("mp3", "MP4A", 44100, 2, 128000, None)),
        (entry(b"alac", box(b"alac", ALAC)), ("alac", None, 96000, 2, 900000, 24)),
        (entry(b"ac-3", box(b"dac3", b"\x10\x3d\xc0"), channels=2), ("ac3", "AC-3", 44100, 6, 384000, None)),
        (entry(b"fLaC", box(b"dfLa", bytes(42))), ("flac", None, 44100, 2, None, 16)),
    ],
)
def test_sample_entries(tmp_path: Path, sample: bytes, expected: tuple[Any, ...]) -> None:
    data = m4a(sample)
    fields = read(tmp_path / "a.m4a", data).fields
    names = ("codec", "codec_profile", "sample_rate", "channels", "bit_rate", "bits_per_sample")
    assert tuple(fields.get(name) for name in names) == expected
    theirs = mutagen.mp4.MP4(io.BytesIO(data)).info
    assert fields["duration"] == theirs.length == 2.5
    assert (fields["sample_rate"], fields["channels"]) == (theirs.sample_rate, theirs.channels)
    assert fields.get("bit_rate", 0) == theirs.bitrate
    assert fields.get("codec_profile", theirs.codec_description) in (theirs.codec_description, "MP4A")


def test_items(tmp_path: Path) -> None:
    items = b"".join((
        box(b"\xa9nam", value(1, b"T")), box(b"\xa9ART", value(1, "Ä".encode())), box(b"\xa9ART", value(1, b"B")),
        box(b"trkn", value(0, struct.pack(">4H", 0, 3, 9, 0))), box(b"disk", value(0, struct.pack(">3H", 0, 1, 2))),
        box(b"gnre", value(0, b"\0\x12")), box(b"cpil", value(21, b"\1")), box(b"pgap", value(21, b"\0")),
        box(b"tmpo", value(21, b"\0\x78")), box(b"stik", value(21, b"\1")), box(b"cnID", value(21, b"\0\0\1\0")),
        box(b"plID", value(21, (1 << 40).to_bytes(8, "big"))), box(b"tvsn", value(21, b"\0\0\3")),
        box(b"----", box(b"mean", bytes(4), b"com.apple.iTunes"), box(b"name", bytes(4), b"MusicBrainz Track Id"),
            value(1, MBID.encode())),
        box(b"----", box(b"mean", bytes(4), b"x"), box(b"name", bytes(4), b"multi"), value(1, b"1"), value(0, b"\xff")),
        box(b"covr", value(13, JPEG), box(b"name", b"n"), value(0, JPEG[::-1])), box(b"abcd", value(1, b"text")),
        box(b"efgh", value(0, b"\1\2")), box(b"\xa9cmt", value(1, b"\xff")), box(b"\xa9lyr", b"\0\0\0\4data"),
        box(b"rtng", value(21, b"")), box(b"tves", value(1, b"\2")), box(b"sonm", value(2, b"\0T")),
        box(b"----", box(b"mean", bytes(4), b"x")), box(b"trkn", value(0, b"\0\0")),
    ))  # fmt: skip
    for meta in (bytes(4), b""):  # QuickTime's meta box has no version
        record = read(tmp_path / "a.m4a", m4a(entry(b"mp4a", box(b"esds", descriptor(b"\x12\x10"))), items, meta=meta))
        fields = record.fields
        assert (fields["title"], fields["artists"], fields["genres"]) == ("T", ["Ä", "B"], ["Rock"])
        assert [fields[name] for name in ("track_number", "track_total", "disc_number", "disc_total")] == [3, 9, 1, 2]
        assert (fields["compilation"], fields["bpm"], fields["media_type"]) == (True, 120, "music")
        assert (fields["store_item_id"], fields["store_album_id"], fields["season_number"]) == (256, 1 << 40, 3)
        assert fields["mb_recording_id"] == MBID
        assert [one["size"] for one in fields["pictures"]] == [len(JPEG)] * 2
        assert record.tags == {"ItemList:----:x:multi": ["1", "ff"], "ItemList:abcd": ["text"]}
        assert not {"comments", "lyrics", "title_sort", "episode_number"} & fields.keys()


def test_chapters_and_a_file_without_a_track(tmp_path: Path) -> None:
    chapters = bytes(8) + b"\3" + struct.pack(">QB", 0, 3) + b"One" + struct.pack(">QB", 15_000_000, 0) + b"\0\0"
    record = read(tmp_path / "a.m4b", m4a(user=box(b"chpl", chapters)))
    assert record.fields["chapters"] == [{"start": 0.0, "title": "One"}, {"start": 1.5}]
    assert "codec" not in record.fields
    with pytest.raises(HandlerError) as fault:
        read(tmp_path / "b.m4a", box(b"ftyp", b"M4A \0\0\0\0") + box(b"mdat", bytes(10)))
    assert fault.value.code == "corrupt"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (b"\x12\x10", ("AAC LC", 2, 44100)),
        (b"\x12\x38", ("AAC LC", 8, 44100)),  # configuration 7: eight channels
        (b"\x13\x08", ("AAC LC", 0, 0)),  # mono at 24 kHz: PS and SBR may hide in the frames
        (b"\x2b\x92\x08\x00", ("AAC LC+SBR", 2, 44100)),
        (b"\x17\x80\x56\x22\x10", ("AAC LC", 2, 44100)),  # a frequency of its own
        (b"\xf9\x46\x20\x00", ("", 0, 0)),
        (b"\x12", None),
        (b"", None),
    ],
)
def test_audio_specific_config(config: bytes, expected: Any) -> None:
    found = read_config(config, len(config))
    assert found is None if expected is None else found is not None
    if expected is not None and expected[0]:
        assert tuple(found or ()) == expected


@pytest.mark.parametrize(
    "data", [b"", bytes(4), b"\1\0\0\0\3\1", bytes(4) + b"\3\x80\x80\x80\x80\x80", bytes(4) + b"\3\5\0\0\0\7"]
)
def test_what_is_no_descriptor(data: bytes) -> None:
    assert read_descriptor(data) is None


# Musepack, SV7 and SV8 stream specifications


def mpc7(version: int) -> bytes:
    return b"MP+\x07" + struct.pack("<I", 100) + bytes(16) + bytes([version]) + bytes(500)


def mpc8(*encoder: int) -> bytes:
    def packet(key: bytes, contents: bytes) -> bytes:
        return key + bytes([3 + len(contents)]) + contents

    header = packet(b"SH", bytes(4) + b"\x08" + b"\x80\x64" + b"\0" + b"\x00\x10")  # 100 samples, in two bytes
    info = packet(b"EI", bytes([80, *encoder])) if encoder else b""
    return b"MPCK" + header + packet(b"RG", b"\1" + bytes(8)) + info + packet(b"AP", bytes(100))


@pytest.mark.parametrize(
    ("data", "encoder"),
    [
        (mpc7(115), "1.15 Alpha"), (mpc7(114), "1.14 Beta"), (mpc7(110), "1.10"), (mpc7(0), None),
        (mpc8(1, 30, 1), "1.30.1"), (mpc8(), None),
    ],
)  # fmt: skip
def test_musepack_names_its_encoder(tmp_path: Path, data: bytes, encoder: str | None) -> None:
    record = read(tmp_path / "a.mpc", data)
    assert (record.format, record.fields.get("encoder")) == ("musepack", encoder)
