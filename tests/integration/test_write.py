"""Editing tags in place: what is set is read back by us,
by mutagen and by ExifTool; payload and all other tags stay; at
any moment of a kill the name leads to the old file or to the new one."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent.parent / "data"
AUDIO = ("lame.mp3", "id3v23-multi.mp3", "picard.flac", "picard.m4a", "picard.opus", "year.ogg", "picard.spx",
         "silence-2.wma", "picard.aiff", "picard.wav", "picard.ape", "silence.wv")  # fmt: skip
PICTURES = ("01.jpg", "Canon1DmkIII.jpg", "IPTC.jpg", "PNG.png", "RIFF.webp", "GeoTiff.tif")
# field -> (words of the command line, the value that is read)
SONG = {
    "title": (["title=Ünïcode"], "Ünïcode"), "artists": (["artists=A", "artists=B"], ["A", "B"]),
    "album": (["album=An album"], "An album"), "genres": (["genres=Rock", "genres=Jazz"], ["Rock", "Jazz"]),
    "track_number": (["track_number=3"], 3), "track_total": (["track_total=12"], 12),
    "date_released": (["date_released=2009"], "2009"), "composers": (["composers=C"], ["C"]),
    "comments": (["comments=said"], ["said"]),
}  # fmt: skip
PHOTO = {
    "title": (["title=Ünïcode"], "Ünïcode"), "description": (["description=What it shows"], "What it shows"),
    "creators": (["creators=A", "creators=B"], ["A", "B"]), "keywords": (["keywords=x", "keywords=y z"], ["x", "y z"]),
    "copyright": (["copyright=(c) 2026"], "(c) 2026"), "rating": (["rating=4"], 4.0), "city": (["city=Basel"], "Basel"),
}  # fmt: skip
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def handler(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mediad_handlers.media", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def describe(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(handler("--output-format", "json", path).stdout)
    return found


def borrow(folder: Path, name: str) -> Path:
    """A copy of a sample that may be written to."""
    source = next(DATA / kind / name for kind in ("audio", "image") if (DATA / kind / name).exists())
    path = folder / name
    path.write_bytes(source.read_bytes())
    return path


def edit(path: Path, words: dict[str, tuple[list[str], Any]], *more: str) -> subprocess.CompletedProcess[str]:
    return handler(*(f"--set={one}" for given, _ in words.values() for one in given), *more, path)


def exiftool(path: Path) -> dict[str, Any]:
    done = subprocess.run(["exiftool", "-j", "-G1", "-a", "-struct", path], capture_output=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)[0]
    return found


@pytest.mark.parametrize("name", AUDIO)
def test_what_is_set_in_a_song_is_read_back(tmp_path: Path, name: str) -> None:
    path = borrow(tmp_path, name)
    before = describe(path)
    done = edit(path, SONG)
    assert (done.returncode, done.stderr) == (0, "")
    after = describe(path)
    assert {field: after["fields"].get(field) for field in SONG} == {field: value for field, (_, value) in SONG.items()}
    assert after["checksums"]["stream_sha256"] == before["checksums"]["stream_sha256"]
    assert after["keys"] == before["keys"]
    others = {key: value for key, value in before["fields"].items() if key not in SONG and not _follows(key)}
    assert {key: after["fields"].get(key) for key in others} == others
    import mutagen

    song = mutagen.File(path)
    assert song is not None and "Ünïcode" in str(song.tags.pprint())


def _follows(field: str) -> bool:
    """Fields that are made of those that were set, or of the file's size."""
    return field in ("artist_credit", "year", "release_year", "bit_rate", "description")


@needs_exiftool
@pytest.mark.parametrize("name", [*AUDIO[:6], "silence-2.wma", "picard.aiff"])
def test_exiftool_reads_what_was_set_in_a_song(tmp_path: Path, name: str) -> None:
    path = borrow(tmp_path, name)
    assert edit(path, SONG).returncode == 0
    told = {key.partition(":")[2]: value for key, value in exiftool(path).items()}
    assert told["Title"] == "Ünïcode"
    assert told.get("Album") or told.get("AlbumTitle") == "An album"


@needs_exiftool
@pytest.mark.parametrize("name", PICTURES)
def test_what_is_set_in_a_picture_is_read_back_and_the_rest_stays(tmp_path: Path, name: str) -> None:
    path = borrow(tmp_path, name)
    before, told = describe(path), exiftool(path)
    done = edit(path, PHOTO)
    assert (done.returncode, done.stderr) == (0, "")
    after, now = describe(path), exiftool(path)
    assert {field: after["fields"].get(field) for field in PHOTO} == {field: v for field, (_, v) in PHOTO.items()}
    assert now["XMP-dc:Title"] == "Ünïcode" and now["XMP-dc:Creator"] == ["A", "B"] and now["XMP-xmp:Rating"] == 4
    if before["keys"][0][1] != "whole/1":
        assert after["checksums"]["stream_sha256"] == before["checksums"]["stream_sha256"]
    ours = ("Title", "Description", "Creator", "Subject", "Rights", "Rating", "City", "ObjectName", "Caption-Abstract",
            "By-line", "Keywords", "CopyrightNotice", "ImageDescription", "Artist", "Copyright", "XMPToolkit", "Author",
            "Comment", "IPTCDigest", "CurrentIPTCDigest", "CodedCharacterSet", "Warning", "ApplicationRecordVersion",
            "RatingPercent", "Location")  # fmt: skip
    kept = {key: value for key, value in told.items() if not key.startswith(("System:", "ExifTool:", "File:", "RIFF:",
            "Composite:")) and key.partition(":")[2] not in ours and "Offset" not in key}  # fmt: skip
    assert {key: now.get(key) for key in kept} == kept


def test_add_and_remove(tmp_path: Path) -> None:
    path = borrow(tmp_path, "picard.flac")
    assert handler("--set=genres=One", "--add=genres=Two", path).returncode == 0
    assert describe(path)["fields"]["genres"] == ["One", "Two"]
    assert handler("--remove=genres=One", "--remove=title", path).returncode == 0
    fields = describe(path)["fields"]
    assert fields["genres"] == ["Two"] and "title" not in fields


def test_a_hard_link_is_refused_and_broken_on_demand(tmp_path: Path) -> None:
    path = borrow(tmp_path, "lame.mp3")
    twin = tmp_path / "twin.mp3"
    os.link(path, twin)
    content = path.read_bytes()
    done = handler("--set=title=x", path)
    assert done.returncode == 1 and "hard links" in done.stderr and path.read_bytes() == content
    assert handler("--set=title=x", "--break-links", path).returncode == 0
    assert twin.read_bytes() == content and path.read_bytes() != content


def test_a_symbolic_link_stays_one_and_its_file_is_edited(tmp_path: Path) -> None:
    path = borrow(tmp_path, "lame.mp3")
    link = tmp_path / "link.mp3"
    link.symlink_to(path.name)
    assert handler("--set=title=x", link).returncode == 0
    assert link.is_symlink() and describe(path)["fields"]["title"] == "x"


def test_mode_times_and_attributes_are_kept(tmp_path: Path) -> None:
    path = borrow(tmp_path, "lame.mp3")
    path.chmod(0o640)
    os.utime(path, ns=(10**18, 10**18 + 5))
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError as fault:
        pytest.skip(f"no extended attributes here: {fault.strerror}")
    assert handler("--set=title=x", "--preserve-mtime", path).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.stat().st_mtime_ns == 10**18 + 5
    assert os.getxattr(path, "user.note") == b"kept"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--set=nosuch=1"], 2, "there is no field 'nosuch'"), (["--set=track_number=three"], 2, "takes integer"),
        (["--add=title=x"], 2, "has one value"), (["--set=title="], 2, "NAME=VALUE"),
        (["--set=page_count=3"], 1, "page_count: mp3 has no place for it"),
        (["--set=date_released=yesterday"], 1, "date_released"),
    ],
)  # fmt: skip
def test_a_wrong_edit_is_named_and_changes_nothing(tmp_path: Path, words: list[str], status: int, said: str) -> None:
    path = borrow(tmp_path, "lame.mp3")
    content = path.read_bytes()
    done = handler(*words, path)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert path.read_bytes() == content and os.listdir(tmp_path) == ["lame.mp3"]


def test_a_full_disk_leaves_the_file_and_no_copy(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for the full disk: the copy cannot be written to its end."""
    path = borrow(tmp_path, "picard.flac")
    content = path.read_bytes()
    script = (
        "import resource, signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from mediad_handlers import media\nsys.exit(media.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--set=title=x", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1 and "io:" in done.stderr
    assert path.read_bytes() == content and os.listdir(tmp_path) == ["picard.flac"]


def test_side_files_keep_what_they_do_not_know(tmp_path: Path) -> None:
    path = borrow(tmp_path, "BMP.bmp")
    content = path.read_bytes()
    assert handler("--sidecar", "--set=title=T", "--set=keywords=a", path).returncode == 0
    sidecar = tmp_path / "BMP.bmp.xmp"
    text = sidecar.read_text("utf-8").replace("<rdf:Description ", '<rdf:Description xmlns:z="urn:z" z:own="mine" ', 1)
    sidecar.write_text(text, "utf-8")
    assert handler("--sidecar", "--add=keywords=b", "--remove=title", path).returncode == 0
    kept = sidecar.read_text("utf-8")
    assert (
        'z:own="mine"' in kept and "<rdf:li>a</rdf:li>" in kept and "<rdf:li>b</rdf:li>" in kept and ">T<" not in kept
    )
    assert handler("--sidecar", "--sidecar-style=stem", "--set=title=T", path).returncode == 0
    assert describe(tmp_path / "BMP.xmp")["fields"]["title"] == "T"
    assert path.read_bytes() == content


@pytest.mark.slow
def test_killed_at_any_moment_it_is_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    """SIGKILL at moments spread over the whole edit; copies that were left are removed by the next edit."""
    path = tmp_path / "song.flac"
    old = (DATA / "audio/picard.flac").read_bytes() + bytes(8_000_000)  # so that copying takes its time
    command = [sys.executable, "-m", "mediad_handlers.media", "--set=title=new", str(path)]
    path.write_bytes(old)
    began = time.monotonic()
    subprocess.run(command, check=True, timeout=60)
    took = time.monotonic() - began
    new = path.read_bytes()
    assert new != old
    rng = random.Random(3)
    seen = {"old": 0, "new": 0}
    for number in range(40):
        path.write_bytes(old)
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(took * (0.3 + 0.8 * (number + rng.random()) / 40))
        process.send_signal(signal.SIGKILL)
        process.wait()
        content = path.read_bytes()
        assert content in (old, new)
        seen["old" if content == old else "new"] += 1
    print(seen)
    assert seen["old"], "every kill came too late to prove anything"
    path.write_bytes(old)
    subprocess.run(command, check=True, timeout=60)
    assert os.listdir(tmp_path) == ["song.flac"]


def test_the_operation_of_a_locked_down_worker(tmp_path: Path) -> None:
    """`write` by descriptors alone, as a mover asks for it."""
    from tests.contract.worker_client import Process

    path = borrow(tmp_path, "lame.mp3")
    content = path.read_bytes()
    with Process([sys.executable, "-m", "mediad_handlers.media", "--worker", "--writes"]) as worker:
        manifest = worker.answers.next()
        assert "write" in next(one for one in manifest["handlers"] if one["name"] == "audio")["operations"]
        source = os.open(path, os.O_RDONLY)
        target = os.open(tmp_path / "copy.mp3", os.O_RDWR | os.O_CREAT)
        options = {"edit": {"set": {"title": "by descriptor"}, "add": {}, "remove": {}}}
        worker.send({"id": 1, "op": "write", "files": [{"name": b"lame.mp3"}], "options": options}, [source, target])
        worker.answers.next()
        answered = worker.answers.next()
        assert "ok" in answered, answered
        assert answered["ok"]["bytes"] == os.fstat(target).st_size
        assert worker.finish() == 0
    assert path.read_bytes() == content
    assert describe(tmp_path / "copy.mp3")["fields"]["title"] == "by descriptor"
