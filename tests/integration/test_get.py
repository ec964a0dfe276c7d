"""`get`: many targets and many requests are one statement, and each still gets its own answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediactl import AsyncClient, workcalls
from mediad.commands.gathered import IDS_AT_ONCE
from tests.daemon import Daemon, write_tree

FILES = 150


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    daemon = Daemon()
    try:
        yield daemon.start()
    finally:
        daemon.remove()


@pytest.fixture(scope="module")
def tree(daemon: Daemon) -> Path:
    made = {f"a/b {number % 7}/{number:03}.txt": b"%d " % number * 3000 for number in range(FILES)}
    tree = write_tree(daemon.folder / "tree", {**made, "top.txt": b"top" * 3000, "a/copy.txt": made["a/b 3/003.txt"]})
    with daemon.client() as client:
        client.add([tree])
    return tree


def test_answers_stand_in_the_order_of_the_targets(daemon: Daemon, tree: Path) -> None:
    """Paths and ids, found and not, more than go into one statement."""
    unknown = uuid.uuid4()
    with daemon.client() as client:
        paths = [tree / "a" / f"b {number % 7}" / f"{number:03}.txt" for number in range(FILES)]
        items = [each.item for each in client.get(*paths)]
        ids = [item.id for item in items if item is not None]
        assert len(ids) == FILES > 2 * IDS_AT_ONCE
        targets = [target for pair in zip(ids, paths, strict=True) for target in (*pair, unknown, tree / "nobody")]
        answers = client.get(*targets)
    assert len(answers) == len(targets)
    for number, ident in enumerate(ids):
        by_id, by_path, no_id, no_path = answers[4 * number : 4 * number + 4]
        assert by_id.item is not None and by_path.item is not None
        assert by_id.item.id == by_path.item.id == ident
        assert by_path.item.files[0].path == bytes(paths[number])
        assert by_id.item.files[0].fields == by_path.item.files[0].fields
        assert no_id.item is None and no_id.problem is not None
        assert (no_id.problem.code, no_id.problem.input) == ("not_found", str(unknown).encode())
        assert no_path.problem is not None
        assert (no_path.problem.code, no_path.problem.input) == ("not_found", bytes(tree / "nobody"))


def test_the_file_that_was_asked_for_comes_first(daemon: Daemon, tree: Path) -> None:
    with daemon.client() as client:
        for name in ("a/copy.txt", "a/b 3/003.txt"):
            (answer,) = client.get(tree / name)
            assert answer.item is not None
            assert answer.item.files[0].path == bytes(tree / name)


def test_light_is_what_a_list_shows(daemon: Daemon, tree: Path) -> None:
    with daemon.client() as client:
        client.run(workcalls.tag([tree / "top.txt"], add=["slow"]))
        (whole,) = client.get(tree / "top.txt")
        (light,) = client.get(tree / "top.txt", light=True)
    assert whole.item is not None and light.item is not None
    assert whole.item.keys and whole.item.files[0].fields and whole.item.files[0].inode
    assert not light.item.keys and not light.item.files[0].fields and not light.item.files[0].inode
    for name in ("id", "kind", "format", "title", "date", "work"):
        assert getattr(whole.item, name) == getattr(light.item, name)
    for name in ("path", "path_display", "size", "mtime_ns", "state", "handler", "host"):
        assert getattr(whole.item.files[0], name) == getattr(light.item.files[0], name)
    assert light.item.work["user_tags"] == ["slow"]


def test_requests_at_the_same_time_keep_apart(daemon: Daemon, tree: Path) -> None:
    """Different persons' work, known and unknown items, one of the clients gone in the middle."""

    async def check() -> None:
        async with AsyncClient(str(daemon.socket)) as one, AsyncClient(str(daemon.socket), actor="anna") as anna:
            path = tree / "a" / "b 1" / "001.txt"
            await anna.run(workcalls.rate([path], 4))
            item = (await one.get(path))[0].item
            assert item is not None
            gone = AsyncClient(str(daemon.socket))
            await gone.connect()
            lost = [asyncio.create_task(gone.get(item.id)) for _ in range(20)]
            asked = [
                client.get(target) for _ in range(100) for client in (one, anna) for target in (item.id, uuid.uuid4())
            ]
            await asyncio.sleep(0)
            gone.close()
            answers = await asyncio.gather(*asked)
            await asyncio.gather(*lost, return_exceptions=True)
        for number, ((answer,),) in enumerate((each,) for each in answers):
            if number % 2:
                assert answer.problem is not None and answer.problem.code == "not_found"
            else:
                assert answer.item is not None and answer.item.id == item.id
                assert answer.item.work.get("user_rating") == (4 if number % 4 == 2 else None)

    asyncio.run(check())
