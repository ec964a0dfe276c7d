"""curl against RFC 9110, section 14: what arrives is compared by cmp with that part of the file."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.clients.server import ODD, World, require_program

# %{header_json} is younger than Debian 12's curl; the head is written to a file of its own
CURL_SECONDS = "30"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Path


def curl(world: World, folder: Path, where: str, *options: str) -> Answer:
    """One request by curl."""
    head, body = folder / "head", folder / "body"
    body.write_bytes(b"")
    words = [word for name, value in world.headers.items() for word in ("-H", f"{name}: {value}")]
    command = [require_program("curl"), "-sS", "-m", CURL_SECONDS, "-D", head, "-o", body, *words, *options]
    subprocess.run([*command, world.url + where], check=True, timeout=60)
    lines = head.read_bytes().decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    return Answer(int(lines[0].split()[1]), headers, body)


def same(body: Path, original: bytes, first: int, length: int) -> bool:
    """cmp of what came with that part of the file."""
    command = ["cmp", "--quiet", f"--ignore-initial=0:{first}", f"--bytes={length}", os.fsencode(body), original]
    return body.stat().st_size == length and subprocess.run(command, check=False, timeout=30).returncode == 0


@pytest.fixture(params=["rising.flac", "odd"])
def subject(world: World, request: pytest.FixtureRequest) -> tuple[str, bytes, int]:
    """(where it is streamed, path of the original, size): a song, and a file whose name is not UTF-8."""
    if request.param == "odd":
        place = 2  # caf\xe9
        (item,) = (item for item in world.items("folder:odd") if item["size"] == 70_000 + place)
        path = os.fsencode(world.library) + b"/odd/" + ODD[place]
    else:
        (item,) = (item for item in world.items("title:Rising") if item["title"] == "Rising")
        path = os.fsencode(world.library / "Music" / "rising.flac")
    return f"/file/{item['id']}/stream", path, os.path.getsize(path)


def test_one_range(world: World, tmp_path: Path, subject: tuple[str, bytes, int]) -> None:
    where, path, size = subject
    matrix = {
        "0-0": (0, 1), "0-": (0, size), "1-": (1, size - 1), f"{size - 1}-": (size - 1, 1), "100-199": (100, 100),
        f"0-{size - 1}": (0, size), f"0-{size}": (0, size), f"10-{size * 9}": (10, size - 10), "-1": (size - 1, 1),
        "-500": (size - 500, 500), f"-{size}": (0, size), f"-{size * 2}": (0, size), "65535-65537": (65535, 3),
        "00-009": (0, 10),
    }  # fmt: skip
    for asked, (first, length) in matrix.items():
        # curl's own --range refuses some of them; the header says exactly what is meant
        answer = curl(world, tmp_path, where, "-H", f"Range: bytes={asked}")
        assert answer.status == 206, asked
        assert answer.headers["content-range"] == f"bytes {first}-{first + length - 1}/{size}", asked
        assert answer.headers["content-length"] == str(length), asked
        assert same(answer.body, path, first, length), asked
    answer = curl(world, tmp_path, where, "--range", "1000-1999")
    assert answer.status == 206 and same(answer.body, path, 1000, 1000)


def test_what_cannot_be_satisfied(world: World, tmp_path: Path, subject: tuple[str, bytes, int]) -> None:
    where, _path, size = subject
    for asked in (f"{size}-", f"{size}-{size + 5}", f"{size * 10}-", "-0"):
        answer = curl(world, tmp_path, where, "-H", f"Range: bytes={asked}")
        assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{size}"), asked
        assert answer.body.stat().st_size == 0


def test_what_is_passed_over(world: World, tmp_path: Path, subject: tuple[str, bytes, int]) -> None:
    """Inverted, several, of another unit, of no form: the whole (RFC 9110, 14.2: a server may ignore Range)."""
    where, path, size = subject
    ignored = (
        "bytes=5-2",
        "bytes=0-1,4-5",
        "bytes=0-0,-1",
        "bytes=a-b",
        "bytes=-",
        "items=0-5",
        "bytes 0-5",
        "bytes=--5",
    )
    for asked in ignored:
        answer = curl(world, tmp_path, where, "-H", f"Range: {asked}")
        assert answer.status == 200 and "content-range" not in answer.headers, asked
        assert same(answer.body, path, 0, size), asked


def test_if_range(world: World, tmp_path: Path, subject: tuple[str, bytes, int]) -> None:
    where, path, size = subject
    head = curl(world, tmp_path, where, "--head")
    assert (head.status, head.headers["content-length"]) == (200, str(size))
    assert head.headers["accept-ranges"] == "bytes"
    etag, modified = head.headers["etag"], head.headers["last-modified"]
    stat = os.stat(path)
    assert modified == formatdate(int(stat.st_mtime), usegmt=True).lower()
    later = formatdate(stat.st_mtime + 5, usegmt=True)
    for fresh in (etag, formatdate(int(stat.st_mtime), usegmt=True)):
        answer = curl(world, tmp_path, where, "-H", "Range: bytes=10-19", "-H", f"If-Range: {fresh}")
        assert answer.status == 206 and same(answer.body, path, 10, 10), fresh
    for stale in ('"stale"', f"W/{etag}", later, formatdate(0, usegmt=True), "nonsense"):
        answer = curl(world, tmp_path, where, "-H", "Range: bytes=10-19", "-H", f"If-Range: {stale}")
        assert answer.status == 200 and same(answer.body, path, 0, size), stale
    beyond = curl(world, tmp_path, where, "-H", f"Range: bytes={size}-", "-H", 'If-Range: "stale"')
    assert beyond.status == 200 and same(beyond.body, path, 0, size)
    unchanged = curl(world, tmp_path, where, "-H", f"If-None-Match: {etag}", "-H", "Range: bytes=0-9")
    assert unchanged.status == 304 and unchanged.body.stat().st_size == 0


def test_head_has_no_ranges(world: World, tmp_path: Path, subject: tuple[str, bytes, int]) -> None:
    where, _path, size = subject
    for asked in ("bytes=0-0", f"bytes={size}-"):
        answer = curl(world, tmp_path, where, "--head", "-H", f"Range: {asked}")
        assert (answer.status, answer.headers["content-length"]) == (200, str(size)), asked


def test_a_download_goes_on_where_it_broke(world: World, tmp_path: Path, subject: tuple[str, bytes, int]) -> None:
    """curl -C -, as people use it."""
    where, path, size = subject
    part = tmp_path / "part"
    with open(path, "rb") as whole:
        part.write_bytes(whole.read(size // 3))
    words = [word for name, value in world.headers.items() for word in ("-H", f"{name}: {value}")]
    command = ["curl", "-sS", "-f", "-m", CURL_SECONDS, "-C", "-", "-o", os.fspath(part), *words, world.url + where]
    subprocess.run(command, check=True, timeout=60)
    assert same(part, path, 0, size)


def test_files_of_every_name(world: World, tmp_path: Path) -> None:
    """Whole and in part; by way of the header's name curl finds a name of its own (-OJ) that stays in the folder."""
    items = {item["size"]: item["id"] for item in world.items("folder:odd")}
    for place, name in enumerate(ODD):
        path = os.fsencode(world.library) + b"/odd/" + name
        where = f"/file/{items[70_000 + place]}"
        whole = curl(world, tmp_path, f"{where}/download")
        assert whole.status == 200 and same(whole.body, path, 0, 70_000 + place), name
        assert whole.headers["content-disposition"].startswith("attachment; filename="), name
        part = curl(world, tmp_path, f"{where}/stream", "-H", "Range: bytes=69990-")
        assert part.status == 206 and same(part.body, path, 69_990, 10 + place), name
        saved = tmp_path / f"saved {place}"
        saved.mkdir()
        words = [word for header, value in world.headers.items() for word in ("-H", f"{header}: {value}")]
        command = ["curl", "-sS", "-f", "-m", CURL_SECONDS, "-OJ", *words, f"{world.url}{where}/download"]
        subprocess.run(command, check=True, timeout=60, cwd=saved)
        (only,) = saved.rglob("*")
        assert same(only, path, 0, 70_000 + place), name


def test_nothing_without_a_key(world: World, tmp_path: Path, subject: tuple[str, bytes, int]) -> None:
    if not world.key:
        pytest.skip("everything is open while nobody has an account")
    where = subject[0]
    for options in ((), ("-H", "Authorization: Bearer wrong"), ("-b", "mediadb_session=wrong")):
        body = tmp_path / "refused"
        command = ["curl", "-sS", "-m", CURL_SECONDS, "-o", body, "-w", "%{http_code}", *options, world.url + where]
        done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
        assert done.stdout == "401"
        assert b'"code":"unauthorized"' in body.read_bytes()
