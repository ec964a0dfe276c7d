"""The payload stays the same whatever is done to the tags: real edits by mutagen and, where installed, ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TIT2, TXXX, ID3v1SaveOptions
from mutagen.mp3 import MP3

from mediad_handlers import handle
from mediad_handlers.audio.frames import find_frames
from mediad_handlers.kit.file import File

DATA = Path(__file__).parent.parent / "data/audio"
MP3S = ("id3v23-multi.mp3", "lame.mp3", "vbri.mp3", "id3v22.mp3", "apev2-lyricsv2.mp3")


def identify(path: Path) -> tuple[object, dict[str, str]]:
    song = handle(path)
    return song.to_dict()["keys"], song.checksum("stream", ("md5",))


@pytest.mark.parametrize("name", MP3S)
def test_retagged_mp3(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    shutil.copy(DATA / name, path)
    before = identify(path)

    tag = ID3()
    tag.add(TIT2(encoding=3, text="another title"))
    tag.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=b"\xff\xfb\x90\x64" * 20000))
    tag.save(path, v1=ID3v1SaveOptions.CREATE)
    assert handle(path).meta.title == "another title"
    assert identify(path) == before

    tag.add(TXXX(encoding=1, desc="x", text=["y" * 3000]))
    tag.save(path, v1=ID3v1SaveOptions.REMOVE, v2_version=3, padding=lambda info: 70000)
    assert identify(path) == before

    items = APEv2()
    items["Title"] = "ape " + "x" * 9000
    items.save(path)
    assert identify(path) == before

    ID3(path).delete(path)
    assert identify(path) == before
    APEv2(path).delete(path)
    assert identify(path) == before
    assert "title" not in handle(path).fields


def test_a_tag_at_the_end_and_two_in_front(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    content = (DATA / "lame.mp3").read_bytes()
    path.write_bytes(content)
    before = identify(path)
    empty = b"ID3\4\0\0\0\0\0\x0a" + bytes(10)
    with_footer = b"ID3\4\0\x10\0\0\0\x0a" + bytes(10) + b"3DI\4\0\x10\0\0\0\x0a"
    lyrics = b"LYRICSBEGIN" + b"IND0000200" + b"000021" + b"LYRICS200"
    for altered in (
        empty + empty + content,
        with_footer + content + with_footer,
        bytes(5000) + content + empty,
        content + lyrics + b"TAG" + bytes(125),
    ):
        path.write_bytes(altered)
        assert identify(path) == before


def test_another_song_is_another_stream(tmp_path: Path) -> None:
    content = bytearray((DATA / "id3v23-multi.mp3").read_bytes())
    (tmp_path / "a.mp3").write_bytes(content)
    before = identify(tmp_path / "a.mp3")
    content[-4000] ^= 1
    (tmp_path / "a.mp3").write_bytes(content)
    assert identify(tmp_path / "a.mp3") != before


@pytest.mark.parametrize("name", ["beets-full.flac", "picard.flac"])
def test_retagged_flac(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    shutil.copy(DATA / name, path)
    before, pcm = identify(path), handle(path).meta.pcm_md5
    song = FLAC(path)
    song["title"] = ["one", "two"]
    cover = Picture()
    cover.data, cover.mime = b"\x89PNG\r\n\x1a\n" + bytes(50000), "image/png"
    song.add_picture(cover)
    song.save(padding=lambda info: 100_000)
    assert identify(path) == before
    assert handle(path).meta.pcm_md5 == pcm
    song.delete()
    song.clear_pictures()
    song.save(deleteid3=True, padding=lambda info: 0)
    assert identify(path) == before
    path.write_bytes(b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + path.read_bytes() + b"TAG" + bytes(125))
    assert identify(path) == before


@pytest.mark.oracle
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("options", [[], ["-write_xing", "0"], ["-id3v2_version", "3", "-write_id3v1", "1"]])
@pytest.mark.parametrize("rate", [["-b:a", "128k"], ["-q:a", "4"]])
def test_mp3_copied_by_ffmpeg(rate: list[str], options: list[str], tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp3", tmp_path / "second.mp3"
    ffmpeg = ["ffmpeg", "-v", "error", "-y"]
    tone = ["-f", "lavfi", "-i", "sine=440:duration=4:sample_rate=44100"]
    subprocess.run([*ffmpeg, *tone, *rate, first], check=True)
    subprocess.run([*ffmpeg, "-i", first, "-c", "copy", "-metadata", "title=new", *options, second], check=True)
    assert handle(second).meta.title == "new"
    assert identify(second) == identify(first)


@pytest.mark.parametrize("name", MP3S)
def test_duration_agrees_with_mutagen(name: str) -> None:
    """An independent reader of the same headers."""
    with File.open(DATA / name) as file:
        frames = find_frames(file)
    assert frames is not None
    assert frames.duration == pytest.approx(MP3(DATA / name).info.length, abs=0.06)
