"""One song in many containers, one film in many: by their keys the daemon sees what is the same (settled 3 to 5)."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediactl import Client
from tests.daemon import Daemon

pytestmark = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="ffmpeg, which makes the files, is not installed"
)
TONE = ("-f", "lavfi", "-i", "sine=440:d=2")


def convert(*arguments: str | Path) -> None:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """film.{mp4,mkv,ts,flv} and its sound alone, songs of five codecs, each in every container that takes it."""
    folder = tmp_path_factory.mktemp("streams")
    video = ("-f", "lavfi", "-i", "testsrc2=d=2:s=160x120:r=25")
    convert(*video, *TONE, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", folder / "film.mp4")
    for name in ("film.mkv", "film.ts", "film.flv"):
        convert("-i", folder / "film.mp4", "-c", "copy", folder / name)
    convert("-i", folder / "film.mp4", "-c", "copy", "-movflags", "frag_keyframe+empty_moov", folder / "film-live.mp4")
    for name in ("aac.m4a", "aac.mka", "aac.aac", "aac.mp4"):
        convert("-i", folder / "film.mp4", "-vn", "-c", "copy", folder / name)
    for codec, encoder, first, others in (
        ("flac", "flac", "flac.flac", ("flac.mka", "flac.oga")), ("mp3", "libmp3lame", "mp3.mp3", ("mp3.mka",
        "mp3.mp4")),
        ("opus", "libopus", "opus.opus", ("opus.webm", "opus.mka")), ("vorbis", "libvorbis", "vorbis.ogg",
        ("vorbis.mka",)),
    ):  # fmt: skip
        convert(*TONE, "-c:a", encoder, folder / first)
        for name in others:
            convert("-i", folder / first, "-c", "copy", folder / name)
        assert codec in first
    convert("-i", folder / "flac.flac", "-c:a", "pcm_s16le", folder / "pcm.wav")
    return folder


@pytest.fixture(scope="module")
def client(files: Path) -> Iterator[Client]:
    daemon = Daemon()
    try:
        daemon.start()
        with daemon.client() as made:
            made.add([files])
            yield made
    finally:
        daemon.remove()


def keys(client: Client, path: Path, algorithm: str) -> set[bytes]:
    item = client.get(path)[0].item
    assert item is not None
    return {key.value for key in item.keys if key.algorithm == algorithm}


def family(files: Path, stem: str) -> list[Path]:
    return sorted(path for path in files.iterdir() if path.stem.partition("-")[0] == stem)


@pytest.mark.parametrize("stem", ["film", "aac", "flac", "mp3", "opus", "vorbis"])
def test_a_remux_has_the_keys_of_the_original(client: Client, files: Path, stem: str) -> None:
    members = family(files, stem)
    assert len(members) >= 2
    heads = [keys(client, path, "track-head/1") for path in members]
    assert heads[0] and all(one == heads[0] for one in heads), dict(zip(members, heads, strict=True))
    results = client.checksum(*members, scopes=["stream"])
    assert [result.problem for result in results] == [None] * len(members)
    sets = [{key.value for key in result.keys if key.algorithm == "av-tracks/1"} for result in results]
    assert len(sets[0]) == 1 and all(one == sets[0] for one in sets)
    assert all(keys(client, path, "av-tracks/1") == sets[0] for path in members)  # and they are kept


def test_a_song_is_in_its_film_and_never_the_film(client: Client, files: Path) -> None:
    song, film = client.checksum(files / "aac.m4a", files / "film.mp4", scopes=["stream"])
    inside = {track.kind: track for track in film.tracks} if film.tracks else {}
    kept_song, kept_film = (keys(client, files / name, "track-packets/1") for name in ("aac.m4a", "film.mp4"))
    assert kept_song < kept_film
    assert keys(client, files / "aac.m4a", "av-tracks/1") != keys(client, files / "film.mp4", "av-tracks/1")
    assert song.item != film.item
    assert not inside or set(inside) == {"audio", "video"}


def test_wav_and_flac_of_one_sound_share_the_md5_of_their_samples(client: Client, files: Path) -> None:
    client.checksum(files / "pcm.wav", scopes=["stream"])
    assert keys(client, files / "pcm.wav", "pcm-md5/1") == keys(client, files / "flac.flac", "pcm-md5/1") != set()


def test_asked_again_nothing_is_read(client: Client, files: Path) -> None:
    first = client.checksum(files / "film.mkv", scopes=["stream"], algorithms=["sha256"])[0]
    again = client.checksum(files / "film.mkv", scopes=["stream"], algorithms=["sha256"])[0]
    assert (again.stored, again.digests) == (True, first.digests)
    assert again.stream_algorithm == "matroska-clusters/1"
    whole = client.checksum(files / "film.mkv")[0].digests["sha256"]
    assert whole == hashlib.sha256((files / "film.mkv").read_bytes()).digest()
