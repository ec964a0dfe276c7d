"""Lineage that is offered: a better copy of a song, an edited picture. Real files of ffmpeg and ExifTool."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediactl import Client, workcalls
from mediad.errors import InvalidArgument, NotFound
from mediad.index.offers import Facts, compare
from tests.daemon import Daemon, write_tree
from tests.daemon.records import check_events

PHOTO = (Path(__file__).parent.parent / "data/image/01.jpg").read_bytes()
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
TAGS = {"title": "Ágætis byrjun", "artist": "Sigur Rós", "album": "Ágætis byrjun"}


def encode(path: Path, *words: str, seconds: float = 10.0, frequency: int = 440, **tags: str) -> Path:
    """A song of ffmpeg's: a sine, encoded as the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = f"sine=frequency={frequency}:duration={seconds}"
    named = [word for name, value in {**TAGS, **tags}.items() for word in ("-metadata", f"{name}={value}")]
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, *words, *named, str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


def item(client: Client, path: Path) -> Any:
    found = client.get(path)[0].item
    assert found is not None
    return found


def pairs(client: Client, *paths: Path, query: str = "") -> set[tuple[str, str, str]]:
    """(relation, old, new) by names."""
    found = client.run(workcalls.offers(paths, query=query))
    assert not found.problems
    return {(e.relation, Path(e.old_display).name, Path(e.new_display).name) for e in found.offers}


@needs_ffmpeg
def test_a_flac_may_replace_an_mp3(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    mp3 = encode(tree / "old/song.mp3", "-b:a", "128k")
    better = encode(tree / "old/better.m4a", "-c:a", "aac", "-b:a", "256k", "-ac", "2")
    flac = encode(tree / "new/01.flac")
    encode(tree / "new/longer.flac", seconds=11.0)
    encode(tree / "new/other.flac", title="Another", frequency=300)
    encode(tree / "new/live.flac", album="Live", frequency=301)
    encode(tree / "new/cover.flac", artist="Somebody", frequency=302)
    with daemon.client() as client:
        client.add([tree], wait=True)
        wanted = {("replaces", "song.mp3", "01.flac"), ("replaces", "better.m4a", "01.flac")}
        assert pairs(client, flac) == wanted
        rates = {path: item(client, path).files[0].fields["bit_rate"] for path in (mp3, better)}
        low, high = sorted(rates, key=lambda path: rates[path])
        assert pairs(client, mp3) == {("replaces", "song.mp3", "01.flac"), ("replaces", low.name, high.name)}
        assert pairs(client) == set(), "of all only those that hand something over"
        client.run(workcalls.tag([mp3], add=["slow"]))
        client.run(workcalls.rate([mp3], 5))
        client.run(workcalls.star([mp3]))
        client.run(workcalls.play([mp3], count=3))
        client.run(workcalls.collect("Best", "add", [mp3]))
        assert ("replaces", "song.mp3", "01.flac") in pairs(client)
        assert pairs(client, query="title:byrjun") >= wanted
        shown = client.run(workcalls.history([flac]))[0].lineage
        assert {(each.relation, each.state) for each in shown} == {("replaces", "offered")}
        with pytest.raises(InvalidArgument, match="2 lineages"):
            client.run(workcalls.relate("accept", flac))
        done = client.run(workcalls.relate("accept", flac, mp3))
        assert done.other == item(client, mp3).id
        work = item(client, flac).work
        assert (work["user_tags"], work["user_rating"], work["starred"], work["play_count"], work["collections"]) == (
            ["slow"], 5, True, 3, ["Best"],
        )  # fmt: skip
        assert pairs(client, flac) == {("replaces", "better.m4a", "01.flac")}
        assert client.run(workcalls.relate("dismiss", flac)).other == item(client, better).id
        assert pairs(client, flac) == set()
        for words in (("accept", flac), ("dismiss", flac), ("accept", flac, mp3)):
            with pytest.raises(NotFound):
                client.run(workcalls.relate(*words))
    daemon.stop()
    daemon.start()
    with daemon.client() as client:
        client.run(workcalls.rescan())
        assert pairs(client, flac) == set(), "never again"
        states = {(each.relation, each.state) for each in client.run(workcalls.history([flac]))[0].lineage}
        assert states == {("replaces", "accepted"), ("replaces", "dismissed")}
    check_events(daemon)


@needs_ffmpeg
def test_persons_words_count(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    mp3 = encode(tree / "a.mp3", title="track 1", artist="unknown")
    flac = encode(tree / "b.flac")
    with daemon.client() as client:
        client.add([tree], wait=True)
        assert pairs(client, flac, mp3) == set()
        client.run(workcalls.set_fields([mp3], {"title": "ágætis BYRJUN", "artist": "sigur rós"}))
        assert pairs(client, flac) == pairs(client, mp3) == {("replaces", "a.mp3", "b.flac")}
        # What is gone may still have been replaced; what is gone replaces nothing.
        mp3.unlink()
        client.add([tree], wait=True)
        assert pairs(client, flac) == {("replaces", "a.mp3", "b.flac")}
        flac.unlink()
        client.add([tree], wait=True)
        assert pairs(client, query="title:byrjun") == set()


@needs_exiftool
def test_an_edited_picture(daemon: Daemon) -> None:
    names = ("raw.jpg", "edit.jpg", "derived.jpg", "copy.jpg", "other.jpg")
    tree = write_tree(daemon.folder / "tree", dict.fromkeys(names, PHOTO))
    ids = {
        "raw.jpg": ["-XMP-xmpMM:DocumentID=xmp.did:1", "-XMP-xmpMM:OriginalDocumentID=xmp.did:1"],
        "edit.jpg": ["-XMP-xmpMM:DocumentID=xmp.did:2", "-XMP-xmpMM:OriginalDocumentID=xmp.did:1"],
        "derived.jpg": ["-XMP-xmpMM:DocumentID=xmp.did:3", "-XMP-xmpMM:DerivedFromDocumentID=xmp.did:2"],
        "copy.jpg": ["-XMP-xmpMM:DocumentID=xmp.did:3"],
        "other.jpg": ["-XMP-xmpMM:DocumentID=xmp.did:9"],
    }
    for number, (name, words) in enumerate(ids.items()):
        path = tree / name
        subprocess.run(["exiftool", "-q", "-overwrite_original", *words, path], check=True, timeout=60)
        data = bytearray(path.read_bytes())
        data[-20 - number] ^= 1  # another payload: a byte of the scan
        path.write_bytes(bytes(data))
    with daemon.client() as client:
        client.add([tree], wait=True)
        assert len({item(client, tree / name).id for name in names}) == len(names)
        assert pairs(client, tree / "raw.jpg") == {("edit", "raw.jpg", "edit.jpg")}
        assert pairs(client, tree / "edit.jpg") == {
            ("edit", "raw.jpg", "edit.jpg"), ("edit", "edit.jpg", "derived.jpg"),
        }  # fmt: skip
        assert pairs(client, tree / "copy.jpg") == {("edit", "derived.jpg", "copy.jpg")}, "the one written later"
        assert pairs(client, tree / "other.jpg") == set()
        client.run(workcalls.tag([tree / "raw.jpg"], add=["sea"]))
        assert pairs(client) == {("edit", "raw.jpg", "edit.jpg")}
        client.run(workcalls.relate("accept", tree / "edit.jpg"))
        assert item(client, tree / "edit.jpg").work["user_tags"] == ["sea"]
        assert pairs(client, tree / "raw.jpg") == set()


@needs_ffmpeg
def test_the_command_line(daemon: Daemon) -> None:
    tree = daemon.folder / "tree"
    encode(tree / "a.mp3")
    encode(tree / "b.flac")

    def mediactl(*words: str | Path) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), *map(str, words)]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)

    with daemon.client() as client:
        client.add([tree], wait=True)
    assert mediactl("relate").returncode == 2 and mediactl("relate", "nonsense", "x").returncode == 2
    shown = mediactl("relate", "--offers", tree / "b.flac")
    assert shown.stdout.splitlines()[:3] == [
        f"{tree}/b.flac", f"    replaces {tree}/a.mp3", "    the same song, flac (lossless) and mp3",
    ]  # fmt: skip
    [told] = json.loads(mediactl("--format", "json", "relate", "--offers", tree / "a.mp3").stdout)
    assert (told["relation"], told["old_path"], told["new_path"]) == ("replaces", f"{tree}/a.mp3", f"{tree}/b.flac")
    assert mediactl("relate", "dismiss", tree / "b.flac").returncode == 0
    assert mediactl("relate", "--offers", tree / "b.flac").stdout == "none\n"
    missing = mediactl("relate", "--offers", tree / "none.flac")
    assert missing.returncode == 1 and "not_found" in missing.stderr


FACTS = st.builds(
    Facts, stream=st.uuids(), present=st.booleans(), kind=st.sampled_from(["audio", "image", "video"]),
    format=st.sampled_from(["mp3", "flac", "m4a"]), title=st.sampled_from(["", "t"]),
    artists=st.sampled_from([frozenset(), frozenset("a"), frozenset("ab")]), album=st.sampled_from(["", "x", "y"]),
    duration=st.sampled_from([0.0, 100.0, 101.9, 103.0]), bit_rate=st.sampled_from([0, 128_000, 320_000]),
    lossless=st.booleans(), document=st.sampled_from(["", "1", "2"]), original=st.sampled_from(["", "1", "2"]),
    derived=st.sampled_from([frozenset(), frozenset("1")]), mtime_ns=st.integers(0, 3),
)  # fmt: skip


@given(FACTS, FACTS)
def test_it_does_not_matter_who_asks(one: Facts, other: Facts) -> None:
    if one.stream == other.stream:
        return
    offer = compare(one, other)
    assert offer == compare(other, one)
    if offer is not None:
        by_id = {one.stream: one, other.stream: other}
        assert by_id[offer.new].present and offer.old != offer.new
        assert isinstance(offer.old, uuid.UUID)
