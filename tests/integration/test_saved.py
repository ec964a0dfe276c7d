"""Saved questions: asked, changed, taken back, restored; what cannot be is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from mediactl import Client, workcalls
from mediad.errors import Conflict, InvalidArgument, NotFound, QuerySyntax
from tests.daemon import Daemon, write_tree
from tests.daemon.records import check_events, fill_library, wait_for


@pytest.fixture
def library(daemon: Daemon) -> Daemon:
    fill_library(daemon)
    return daemon


def names(client: Client, text: str) -> list[str]:
    """The names of the files that a question finds, in its order."""
    return [Path(os.fsdecode(each.path)).stem for item in client.query(text) for each in item.files]


def saved(client: Client) -> dict[str, str | None]:
    return {each.name: each.query for each in client.run(workcalls.collections())}


def command(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), *arguments]
    return subprocess.run(argv, capture_output=True, check=False, text=True)


def test_a_saved_question_is_asked_by_its_name(library: Daemon) -> None:
    with library.client() as client:
        client.run(workcalls.save("Björk's", "artist:bjork sort:-title"))
        assert names(client, 'saved:"bjork\'s"') == ["04", "03"], "alone, its order counts"
        assert names(client, 'saved:"bjork\'s" sort:title limit:1') == ["03"], "unless another is asked for"
        assert sorted(names(client, 'collection:björk or title:"svefn g"')) == ["02", "03", "04"]
        assert sorted(names(client, '-saved:"björk s" kind:audio')) == ["01", "02"]
        client.run(workcalls.save("few", "kind:audio sort:name limit:3"))
        assert names(client, "saved:few") == ["01", "02", "03"]
        assert names(client, "saved:few artist:bjork sort:name") == ["03", "04"], "within another its limit does not"
        page = client.query_page("saved:few", limit=2)
        rest = client.query_page("saved:few", limit=2, cursor=page.cursor)
        assert [len(page.items), len(rest.items), rest.cursor] == [2, 1, None], "the limit is of all pages together"


def test_it_is_a_persons_work(library: Daemon) -> None:
    with library.client() as client:
        client.run(workcalls.save("mine", "artist:bjork"))
        client.run(workcalls.save("mine", "artist:bjork"))
        assert len(client.run(workcalls.operations())) == 1, "the same again changes nothing"
        client.run(workcalls.save("mine", "title:army"))
        client.run(workcalls.unsave("mine"))
        assert saved(client) == {}
        client.run(workcalls.undo())
        assert saved(client) == {"mine": "title:army"}
        client.run(workcalls.undo())
        assert saved(client) == {"mine": "artist:bjork"}
        client.run(workcalls.collect("mine", "rename", new_name="Hers"))
        assert names(client, "saved:hers") == ["03", "04"]
        told = client.run(workcalls.changes(0)).changes
    asked = [(each.action, each.value.get("query")) for each in told if each.target_kind == "collection"]
    assert asked[:3] == [("created", "artist:bjork"), ("requeried", "title:army"), ("deleted", "title:army")]
    check_events(library)
    logs = list((library.data / "work").glob("*.ndjson"))
    assert wait_for(lambda: any("renamed" in log.read_text() for log in logs))
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    assert "requeried" in {line.get("action") for line in lines}


def test_a_backup_brings_it_back(library: Daemon) -> None:
    with library.client() as client:
        client.run(workcalls.save("mine", "artist:bjork"))
        client.run(workcalls.save("mine", "title:army"))
        client.run(workcalls.save("gone", "x"))
        client.run(workcalls.unsave("gone"))
    assert command(library, "backup", str(library.folder / "backup")).returncode == 0
    fresh = Daemon()
    try:
        fresh.start()
        write_tree(fresh.folder / "tree", {"army.txt": b"x", "navy.txt": b"y"})
        command(fresh, "restore-backup", str(library.folder / "backup"))
        with fresh.client() as client:
            client.add([fresh.folder / "tree"])
            assert saved(client) == {"mine": "title:army"}
            client.run(workcalls.save("mine", "army"))
            assert "army" in names(client, "saved:mine") and "navy" not in names(client, "saved:mine")
    finally:
        fresh.remove()


def test_what_cannot_be_is_said(library: Daemon) -> None:
    tree = library.folder / "tree"
    file = next(tree.rglob("01.flac"))
    with library.client() as client:
        with pytest.raises(QuerySyntax) as raised:
            client.run(workcalls.save("bad", "artist:bjork year:x"))
        assert raised.value.position == len("artist:bjork year:")
        assert saved(client) == {}
        client.run(workcalls.save("mine", "artist:bjork"))
        for action in ("add", "remove", "move"):
            with pytest.raises(InvalidArgument, match="saved question"):
                client.run(workcalls.collect("mine", action, [file], place=0))
        client.run(workcalls.collect("plain", "add", [file]))
        with pytest.raises(Conflict, match="items are put into"):
            client.run(workcalls.save("plain", "x"))
        with pytest.raises(InvalidArgument, match="letter or digit"):
            client.run(workcalls.save("★", "x"))
        with pytest.raises(InvalidArgument, match="is a collection"):
            client.run(workcalls.collect("mine", "save", kind="playlist", query="x"))
        with pytest.raises(QuerySyntax, match="no question was saved") as raised:
            list(client.query("army saved:nothing"))
        assert raised.value.position == len("army saved:")
        with pytest.raises(NotFound):
            client.run(workcalls.unsave("nothing"))
    said = command(library, "save", "bad", "year:1999", "(army")
    assert said.returncode == 2
    assert said.stderr.splitlines()[1:] == ["  year:1999 (army", "            ^"]
    assert "no saved question" in command(library, "unsave", "plain").stderr


def test_none_comes_to_itself(library: Daemon) -> None:
    with library.client() as client:
        client.run(workcalls.save("a", "army or saved:b"))
        client.run(workcalls.save("b", "year:1999 or saved:a"))
        for text in ("saved:a", "kind:audio saved:b", "-saved:a", "collection=a"):
            with pytest.raises(QuerySyntax, match="comes to itself"):
                list(client.query(text))
        client.run(workcalls.save("b", "year:1999 or collection:a"))
        with pytest.raises(QuerySyntax, match="comes to itself"):
            list(client.query("saved:b"))
        client.run(workcalls.save("b", "year:1999"))
        assert len(names(client, "saved:a")) == 4
        # Each names the next twice: what all of them come to is not asked for.
        for number in range(20):
            client.run(workcalls.save(f"n{number}", f"saved:n{number + 1} or (saved:n{number + 1} army)"))
        client.run(workcalls.save("n20", "army"))
        with pytest.raises(QuerySyntax, match="more than 64"):
            list(client.query("saved:n0"))


def test_listed_with_its_text(library: Daemon) -> None:
    assert (
        command(library, "save", "Best of", "kind:audio", "year:<1999").stdout
        == "saved Best of: kind:audio year:<1999\n"
    )
    shown = command(library, "collections").stdout
    assert shown == "saved question Best of: kind:audio year:<1999\n"
    [found] = json.loads(command(library, "--format", "json", "collections").stdout)
    assert found["query"] == "kind:audio year:<1999" and UUID(found["id"])
    assert command(library, "unsave", "Best of").stdout == "forgot Best of\n"
