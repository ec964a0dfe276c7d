"""Which files go along with which: by the names that the programs give theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediad.moves.bundle import companions, is_of_folder, mains, renamed


@pytest.mark.parametrize(
    ("name", "along"),
    [
        # XMP in both styles; RawTherapee, DxO, Capture One, Apple's edits
        (b"IMG_1.CR2", [b"IMG_1.xmp", b"IMG_1.CR2.xmp", b"IMG_1.CR2.pp3", b"IMG_1.dop", b"IMG_1.AAE"]),
        (b"photo.jpg", [b"photo.jpg.xmp", b"photo.xmp"]),
        # RAW + JPEG, with the side file of the other half; a live photo's film
        (b"IMG_2.NEF", [b"IMG_2.JPG", b"IMG_2.jpg.xmp"]),
        (b"IMG_3.HEIC", [b"IMG_3.MOV"]),
        # subtitles with languages and flags, artwork, Kodi's record
        (b"film.mkv", [b"film.srt", b"film.de.srt", b"film.pt-BR.forced.srt", b"film.idx", b"film.sub", b"film.nfo",
                       b"film-poster.jpg", b"film-fanart.png"]),
        (b"01 - song.flac", [b"01 - song.lrc", b"01 - song.cue", b"01 - song.log"]),
        (b"\xff\xfe.flac", [b"\xff\xfe.lrc"]),
    ],
)  # fmt: skip
def test_what_goes_along(name: bytes, along: list[bytes]) -> None:
    """Each of them, and each with the name that it has when the main one is called `new`."""
    found = companions(name, [name, *along])
    assert sorted(found) == sorted(along)
    extension = name.rpartition(b".")[2]
    for other in found:
        assert renamed(name, other, b"new." + extension) == b"new" + other[len(name) - len(extension) - 1 :]
    assert renamed(b"A.JPG", b"A.JPG.xmp", b"b.jpg") == b"b.jpg.xmp"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        (b"IMG_1.jpg", b"IMG_10.jpg"), (b"IMG_1.jpg", b"IMG_1.png"), (b"song.flac", b"song.mp3"),
        (b"a.mkv", b"a.b.mkv"), (b"film.mkv", b"film 2.srt"), (b"film.mkv", b"filmed.srt"), (b"film.mkv", b"Film.srt"),
        (b"a.mp4", b"a.jpg"),
        (b"film.mkv", b"film.a very long sentence that is no language.srt"),
    ],
)  # fmt: skip
def test_what_does_not(name: bytes, other: bytes) -> None:
    assert companions(name, [name, other]) == {}


def test_each_companion_has_one_main() -> None:
    """The RAW leads its pair, the longest stem claims, what belongs to nobody stands alone."""
    names = [b"a.cr2", b"a.jpg", b"a.mov", b"a.xmp", b"b.srt", b"x.mkv", b"x.de.mkv", b"x.de.srt", b"cover.jpg"]
    assert mains(names) == {
        b"a.cr2": {b"a.jpg": b".jpg", b"a.mov": b".mov", b"a.xmp": b".xmp"}, b"x.mkv": {},
        b"x.de.mkv": {b"x.de.srt": b".srt"}, b"b.srt": {}, b"cover.jpg": {},
    }  # fmt: skip


def test_of_the_folder() -> None:
    assert all(map(is_of_folder, [b"cover.jpg", b"Folder.JPG", b"rip.log", b"album.cue", b"list.m3u8", b"artist.nfo"]))
    assert not any(map(is_of_folder, [b"IMG_1.jpg", b"song.flac", b"covers.jpg", b"cover.flac"]))


@given(st.lists(st.from_regex(rb"\A[ab.-]{1,4}\.(jpg|cr2|mov|xmp|srt|mkv|txt)\Z"), unique=True, max_size=12))
def test_every_name_is_in_exactly_one_bundle(names: list[bytes]) -> None:
    found = mains(names)
    everywhere = [name for main, others in found.items() for name in (main, *others)]
    assert sorted(everywhere) == sorted(names)
