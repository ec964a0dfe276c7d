"""mpv and ffprobe, as people play from a URL: they seek, and what they fetch are ranges."""

from __future__ import annotations

import itertools
import json
import math
import struct
import subprocess

import pytest

from tests.clients.server import LONG_SECONDS, Tap, World, require_program

RATE = 22050


@pytest.fixture
def song(world: World) -> str:
    """The id of the song whose tone rises by 4 Hz a second, from 200 Hz."""
    (item,) = (item for item in world.items("title:Rising") if item["title"] == "Rising")
    return str(item["id"])


def url(world: World, tap: Tap, path: str) -> str:
    """By way of the relay. A player has no header to set: /rest takes its key in the query."""
    return f"http://127.0.0.1:{tap.port}{path}"


def streamed(world: World, tap: Tap, song: str, more: str = "") -> str:
    user, key = world.credentials
    return url(world, tap, f"/rest/stream?u={user}&p={key}&c=mpv&v=1.16.1&id={song}{more}")


def tone(samples: bytes) -> float:
    """Hertz of a sine of 16 bits: how often it goes through zero upwards."""
    values = struct.unpack(f"<{len(samples) // 2}h", samples)
    ups = sum(a < 0 <= b for a, b in itertools.pairwise(values))
    return ups * RATE / len(values)


@pytest.mark.parametrize("start", [0, 150, 290])
def test_mpv_seeks(world: World, tap: Tap, song: str, start: int, tmp_path: object) -> None:
    """What it plays after a seek is what lies there: the tone says where that is."""
    mpv = require_program("mpv")
    out = f"{tmp_path}/heard.raw"
    command = [
        mpv, "--no-config", "--no-video", "--really-quiet", f"--start={start}", "--length=2", "--ao=pcm",
        f"--ao-pcm-file={out}", "--ao-pcm-waveheader=no", "--audio-format=s16", f"--audio-samplerate={RATE}",
        "--audio-channels=mono", "--cache=no", "--demuxer-readahead-secs=1", streamed(world, tap, song),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(out, "rb") as file:
        heard = file.read()
    # the phase is 2*pi*(200*t + 2*t^2), its derivative 200 + 4*t: over two seconds 200 + 4*(start + 1)
    assert math.isclose(len(heard) / 2 / RATE, 2, abs_tol=0.1)
    assert math.isclose(tone(heard), 200 + 4 * (start + 1), abs_tol=1.5)
    size = next(item["size"] for item in world.items("title:Rising") if item["id"] == song)
    if start:
        assert any(first > size * start / LONG_SECONDS * 0.6 for first in tap.ranges("/rest/stream")), tap.heads


def test_mpv_over_the_address_of_the_page(world: World, tap: Tap, song: str) -> None:
    mpv = require_program("mpv")
    options = [f"--http-header-fields={name}: {value}" for name, value in world.headers.items()]
    command = [mpv, "--no-config", "--no-video", "--ao=null", "--start=295", "--really-quiet", "--untimed", *options]
    done = subprocess.run(
        [*command, url(world, tap, f"/file/{song}/stream")], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert max(tap.ranges(f"/file/{song}/stream")) > 0


def test_ffprobe_seeks(world: World, tap: Tap, song: str) -> None:
    """Duration from the head, packets from the middle and the end without what lies between."""
    ffprobe = require_program("ffprobe")
    where = streamed(world, tap, song)
    command = [ffprobe, "-v", "error", "-of", "json", "-show_format", where]
    shown = json.loads(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)["format"]
    assert math.isclose(float(shown["duration"]), LONG_SECONDS, abs_tol=0.1)
    assert {name.lower(): value for name, value in shown["tags"].items()}["title"] == "Rising"
    for start in (100, 280):
        command = [ffprobe, "-v", "error", "-of", "json", "-show_packets", "-read_intervals", f"{start}%+1", where]
        packets = json.loads(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)["packets"]
        assert math.isclose(float(packets[0]["pts_time"]), start, abs_tol=1)
    size = int(shown["size"])
    assert max(tap.ranges("/rest/stream")) > size * 0.8


def test_ffprobe_at_an_offset_of_a_transcode(world: World, tap: Tap, song: str) -> None:
    """What cannot be sought in is begun anew at an offset: OpenSubsonic's transcodeOffset."""
    ffprobe = require_program("ffprobe")
    where = streamed(world, tap, song, "&format=mp3&maxBitRate=64&timeOffset=290")
    command = [ffprobe, "-v", "error", "-of", "json", "-show_packets", "-show_streams", where]
    shown = json.loads(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)
    assert shown["streams"][0]["codec_name"] == "mp3"
    heard = sum(float(packet["duration_time"]) for packet in shown["packets"])
    assert math.isclose(heard, LONG_SECONDS - 290, abs_tol=0.2)


def test_mpv_plays_a_playlist(world: World, tap: Tap) -> None:
    """/playlists/ID.m3u8, every song of it, to its end."""
    mpv = require_program("mpv")
    songs = [song["id"] for song in world.rest("search3", query="Song of First Light")["searchResult3"]["song"]]
    made = world.rest("createPlaylist", name="for mpv", songId=songs)["playlist"]
    try:
        options = [f"--http-header-fields={name}: {value}" for name, value in world.headers.items()]
        command = [mpv, "--no-config", "--no-video", "--ao=null", "--untimed", "--really-quiet", *options]
        where = url(world, tap, f"/playlists/{made['id']}.m3u8")
        done = subprocess.run([*command, where], capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        for song in songs:
            assert tap.asked(f"/{song}/stream"), tap.heads
    finally:
        world.rest("deletePlaylist", id=made["id"])
