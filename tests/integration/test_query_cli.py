"""`mediactl query` as a person and a program use it: tables, groups, counts, facets, what changes, mistakes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from mediactl import AsyncClient, workcalls
from mediad.errors import InvalidArgument
from tests.daemon import Daemon
from tests.daemon.records import fill_library


@pytest.fixture
def library(daemon: Daemon) -> Daemon:
    fill_library(daemon)
    return daemon


def argv(daemon: Daemon, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "mediactl", "--socket", str(daemon.socket), *arguments]


def run(daemon: Daemon, *arguments: str, code: int = 0) -> str:
    result = subprocess.run(argv(daemon, *arguments), capture_output=True, check=False, text=True)
    assert result.returncode == code, result.stderr
    return result.stdout if code == 0 else result.stderr


def test_columns_and_order(library: Daemon) -> None:
    shown = run(library, "query", "kind:audio", "--columns", "title,track_number,year,name", "--sort", "-year,name")
    rows = [line.split() for line in shown.splitlines()]
    assert rows[0] == ["TITLE", "TRACK_NUMBER", "YEAR", "NAME"]
    assert [row[-1] for row in rows[1:]] == ["01.flac", "02.flac", "03.flac", "04.flac"]
    assert rows[1][-3:-1] == ["2", "1999"]
    [item, *_] = json.loads(run(library, "--format", "json", "query", "artist:bjork", "--columns", "track_number"))
    assert "track_number" in item["files"][0] and "bits_per_sample" not in item["files"][0]
    said = run(library, "query", "x", "--columns", "titel", code=2)
    assert "'titel'" in said and "title" in said


def test_groups(library: Daemon) -> None:
    lines = run(library, "query", "", "--group", "year").splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["1995", "1999", "(no year)"]
    assert len(lines) == 1 + 3 + 6
    assert "none of" in run(library, "query", "", "--group", "size", code=2)


def test_counts_and_facets(library: Daemon) -> None:
    assert run(library, "query", "--count", "kind:audio") == "4\n"
    assert run(library, "query", "--count", "nothing", "here") == "0\n"
    lines = run(library, "query", "--facet", "artist", "--facet", "year", "--count").splitlines()
    assert lines == ["6 items", "", "ARTIST     ITEMS", "Björk          2", "Sigur Rós      2", "",
                     "YEAR  ITEMS", "1995      2", "1999      2"]  # fmt: skip
    found = json.loads(
        run(library, "--format", "json", "query", "--facet", "artist", "--facet-limit", "1", "year:1995")
    )
    assert found == {"facets": [{"field": "artist", "values": [{"value": "Björk", "items": 2}], "more": False}]}
    assert "no such field" in run(library, "query", "--facet", "colour_of_the_sky", code=2)


def test_explain(library: Daemon) -> None:
    said = run(library, "query", "--explain", "--sort", "-date", "artist:björk -(year:<1990 or tag:x)")
    for part in ("understood as", "  and", "album_artists", "has bjork*", "year < 1990",
                 "sort by date, the greatest first", "SELECT f.id", "$1 = ", "Execution Time"):  # fmt: skip
        assert part in said, part
    found = json.loads(run(library, "--format", "json", "query", "--explain", "army"))
    assert set(found) == {"tree", "sql", "parameters", "plan", "share"}


def test_a_mistake_is_pointed_at(library: Daemon) -> None:
    for text, at in (("army year:x", 10), ("(army", 0), ("army sort:-title,heigth", 17), ("björk and", 9)):
        said = run(library, "query", text, code=2).splitlines()
        assert said[1:] == [f"  {text}", "  " + " " * at + "^"], said
    assert "one of these" in run(library, "query", "--count", "--explain", "x", code=2)
    assert "ndjson" in run(library, "--format", "json", "query", "--follow", "x", code=2)
    with library.client() as client, pytest.raises(InvalidArgument, match="neither files nor a limit"):
        next(client.query_follow("army limit:3"))


def test_what_changes_is_told(library: Daemon) -> None:
    tree = library.folder / "tree"
    army = next(tree.rglob("03.flac"))
    run(library, "tag", str(next(tree.rglob("army list*"))), "--add", "x")
    process = subprocess.Popen(
        argv(library, "--format", "ndjson", "query", "--follow", "tag:x"), stdout=subprocess.PIPE, text=True
    )
    human = subprocess.Popen(argv(library, "query", "--follow", "tag:x"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and human.stdout is not None
    try:
        with library.client() as client:
            assert json.loads(process.stdout.readline())["change"] == "present"
            assert json.loads(process.stdout.readline())["change"] == "caught_up"
            # Both have sent all there was before anything changes.
            assert [human.stdout.readline()[:2] for _ in range(2)] == ["  ", "  "]
            client.run(workcalls.tag([army], add=["x"]))
            assert json.loads(process.stdout.readline())["change"] == "added"
            client.run(workcalls.rate([army], 4))
            changed = json.loads(process.stdout.readline())
            assert (changed["change"], changed["item"]["user_rating"]) == ("changed", 4)
            client.run(workcalls.tag([army], remove=["x"]))
            removed = json.loads(process.stdout.readline())
            assert removed == {"change": "removed", "id": changed["item"]["id"]}
        lines = [human.stdout.readline() for _ in range(3)]
        assert [line[0] for line in lines] == ["+", "~", "-"] and "Army of Me" in lines[2]
    finally:
        for each in (process, human):
            each.kill()
            each.communicate()


def test_the_asyncio_client_has_them_too(library: Daemon) -> None:
    army = next((library.folder / "tree").rglob("03.flac"))

    async def ask() -> None:
        async with AsyncClient(str(library.socket)) as client:
            assert await client.query_count("kind:audio") == 4
            [facet] = await client.query_facets("", ["artist"])
            assert facet.values == [("Björk", 2), ("Sigur Rós", 2)]
            assert (await client.query_explain("army")).plan
            told = []
            async for piece in client.query_follow("tag:x"):
                told.append(piece.what)
                if piece.what == "caught_up":
                    await client.run(workcalls.tag([army], add=["x"]))
                elif piece.what == "changed":
                    break
            assert told == ["caught_up", "changed"]
            assert await client.query_count("tag:x") == 1

    asyncio.run(ask())
