"""Plain ID3v2 tags: what audio.id3plain reads is what mutagen reads, and what it leaves to mutagen."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import mutagen.id3 as m
import pytest

from mediad_handlers.audio import id3
from mediad_handlers.audio.bounds import bound_mutagen
from mediad_handlers.audio.id3plain import read_frames
from mediad_handlers.kit.api import Record

PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 3


def tag(frames: Iterable[Any], version: int, padding: int = 64) -> bytes:
    """A tag as mutagen writes it."""
    made = m.ID3()
    for frame in frames:
        made.add(frame)
    if version == 3:
        made.update_to_v23()
    target = io.BytesIO()
    made.save(target, v2_version=version, v23_sep=None, padding=lambda info: padding)
    return target.getvalue()


def frames_of(data: bytes) -> Any:
    return read_frames(data[10:], data[3])


def both_ways(data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Record, Record]:
    bound_mutagen()
    plain, whole = Record("audio", "mp3", "audio/mpeg"), Record("audio", "mp3", "audio/mpeg")
    assert id3.read_id3(plain, io.BytesIO(data))
    with monkeypatch.context() as patch:
        patch.setattr(id3, "read_frames", lambda body, version: None)
        assert id3.read_id3(whole, io.BytesIO(data))
    return plain, whole


TEXTS = ["Blue", "été, Straße", "夜の川", "night \U0001f3b5"]


def many_frames(encoding: int) -> list[Any]:
    texts = [text for text in TEXTS if encoding or text.isascii()]
    return [
        m.TIT2(encoding, [texts[-1]]),
        m.TPE1(encoding, texts),
        m.TALB(encoding, [""]),
        m.TDRC(encoding, ["2001-02-03"]),
        m.TRCK(encoding, ["3/11"]),
        m.TCON(encoding, ["(17)Rock"]),
        m.TXXX(encoding, desc="MusicBrainz Album Id", text=["b1d4c1e0-0000-4000-8000-000000000001"]),
        m.TXXX(encoding, desc=texts[-1], text=texts),
        m.COMM(encoding, lang="eng", desc="", text=[texts[0]]),
        m.COMM(encoding, lang="eng", desc="iTunNORM", text=[" 00000A"]),
        m.APIC(encoding, "image/jpeg", 3, texts[-1], PICTURE),
        m.APIC(encoding, "image/jpeg", 4, "back", PICTURE[::-1]),
        m.UFID(owner="http://musicbrainz.org", data=b"b1d4c1e0-0000-4000-8000-000000000002"),
        m.PRIV(owner="PeakValue", data=b"\x01\x02\0\x03"),
    ]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("encoding", [0, 1, 2, 3])
@pytest.mark.parametrize("padding", [0, 5, 64])
def test_a_plain_tag_reads_as_by_mutagen(
    version: int, encoding: int, padding: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tag(many_frames(encoding), version, padding)
    assert frames_of(data) is not None
    plain, whole = both_ways(data, monkeypatch)
    assert plain == whole
    assert list(plain.fields) == list(whole.fields)
    assert plain.fields["artists"] == [text for text in TEXTS if encoding or text.isascii()]
    assert len(plain.fields["pictures"]) == 2


@pytest.mark.parametrize(
    "frame",
    [
        m.TDRC(3, ["2001-02-03T04:05:06"]),  # mutagen writes a blank for the T
        m.POPM(email="a", rating=196, count=3),
        m.CHAP(element_id="c", start_time=0, end_time=1000, start_offset=1, end_offset=2, sub_frames=[]),
        m.USLT(3, lang="eng", desc="", text="words"),
        m.WOAR(url="http://example.org"),
    ],
)
def test_what_is_not_plain_is_left_to_mutagen(frame: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tag([m.TIT2(3, ["Blue"]), frame], 4)
    assert frames_of(data) is None
    plain, whole = both_ways(data, monkeypatch)
    assert plain == whole


def frame(name: bytes, body: bytes, flags: bytes = b"\0\0") -> bytes:
    return name + len(body).to_bytes(4, "big") + flags + body


@pytest.mark.parametrize(
    "body",
    [
        frame(b"TIT2", b"\0A") + frame(b"TIT2", b"\0B"),  # joined by mutagen
        frame(b"TIT2", b"\0A", b"\0\x80"),  # a flag
        frame(b"TIT2", b"\1A\0"),  # UTF-16 without its mark
        frame(b"TIT2", b"\1\xff\xfeA"),  # half a character
        frame(b"TIT2", b"\4A"),  # an encoding that there is not
        frame(b"TIT2", b"\3\xff"),  # no UTF-8
        frame(b"TIT2", b"\0"),  # nothing
        frame(b"TIT2", b"\0A")[:-1],  # cut off
        frame(b"XYZ1", b"\0A"),  # unknown
        frame(b"TIT2", b"\0A") + b"\0" * 20 + b"x",  # something in the padding
        b"\xff" * 30,
    ],
)
def test_a_broken_frame_is_left_to_mutagen(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_frames(body, 3) is None
    data = b"ID3\3\0\0" + bytes((0, 0, len(body) >> 7, len(body) & 127)) + body
    plain, whole = both_ways(data, monkeypatch)
    assert plain == whole


@pytest.mark.parametrize("tail", [b"", b"\0", b"\0\0\0", b"\0B", b"\0\0B", b"\0B\0\0"])
@pytest.mark.parametrize("version", [3, 4])
def test_terminators_part_texts_as_in_mutagen(tail: bytes, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    body = frame(b"TPE1", b"\0A" + tail) + frame(b"TIT2", b"\0T")
    data = bytes((*b"ID3", version, 0, 0, 0, 0, 0, len(body))) + body
    assert read_frames(body, version) is not None
    plain, whole = both_ways(data, monkeypatch)
    assert plain == whole
