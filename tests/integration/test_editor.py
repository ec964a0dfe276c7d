"""The editor: its real process, real files, another program at the same time."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from mediad.errors import Conflict, MediadError, NotFound, Unsupported
from mediad.workers.editing import Editor, Prepared
from tests import pg

NAMES = [b"a.jpg.xmp", b"a.xmp"]


async def prepare(editor: Editor, top: Path, folder: bytes = b"") -> Prepared:
    return await editor.prepare(os.fsencode(top), folder, b"a.jpg", NAMES, NAMES[0], b"empty")


def test_it_replaces_in_one_step(folder: Path) -> None:
    async def run() -> None:
        editor = Editor(5.0)
        (folder / "in").mkdir()
        (folder / "in/a.jpg").write_bytes(b"media")
        (folder / "in/a.xmp").write_bytes(b"old")
        os.chmod(folder / "in/a.xmp", 0o640)
        os.chmod(folder / "in/a.jpg", 0o751)
        prepared = await prepare(editor, folder, b"in")
        assert (prepared.name, prepared.created, os.pread(prepared.source, 9, 0)) == (b"a.xmp", False, b"old")
        os.write(prepared.target, b"new" * 1_000_000)
        prepared.close()
        found, warnings = await editor.commit(prepared)
        info = (folder / "in/a.xmp").stat()
        assert (found, warnings) == ((info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns), [])
        assert (info.st_size, stat.S_IMODE(info.st_mode)) == (3_000_000, 0o640)
        (folder / "in/a.xmp").unlink()
        fresh = await prepare(editor, folder, b"in")
        assert (fresh.name, fresh.created, fresh.stat) == (b"a.jpg.xmp", True, (0, 0, 0, 0))
        assert os.pread(fresh.source, 9, 0) == b"empty"
        os.write(fresh.target, b"made")
        fresh.close()
        await editor.commit(fresh)
        made = folder / "in/a.jpg.xmp"
        assert (made.read_bytes(), stat.S_IMODE(made.stat().st_mode), made.stat().st_nlink) == (b"made", 0o640, 1)
        assert sorted(p.name for p in (folder / "in").iterdir()) == ["a.jpg", "a.jpg.xmp"]
        editor.close()
        await asyncio.sleep(0.7)  # until it is reaped

    pg.run(run())


@pytest.mark.parametrize("meanwhile", ["changed", "replaced", "removed", "made"])
def test_what_changed_meanwhile_is_noticed(folder: Path, meanwhile: str) -> None:
    async def run() -> None:
        editor = Editor(5.0)
        (folder / "a.jpg").write_bytes(b"media")
        side = folder / "a.jpg.xmp"
        if meanwhile != "made":
            side.write_bytes(b"old")
        prepared = await prepare(editor, folder)
        os.write(prepared.target, b"new")
        prepared.close()
        if meanwhile == "removed":
            side.unlink()
        elif meanwhile == "replaced":
            (folder / "other").write_bytes(b"old")
            (folder / "other").rename(side)
        else:
            side.write_bytes(b"theirs")
        with pytest.raises(Conflict):
            await editor.commit(prepared)
        assert (side.read_bytes() if side.exists() else None) == {"removed": None, "replaced": b"old"}.get(
            meanwhile, b"theirs"
        )
        assert not [p for p in folder.iterdir() if p.name.startswith(".mediad")]
        editor.close()
        await asyncio.sleep(0.7)  # until it is reaped

    pg.run(run())


def test_nothing_but_regular_files_below_the_top(folder: Path) -> None:
    async def run() -> None:
        editor = Editor(5.0)
        (folder / "top").mkdir()
        (folder / "top/a.jpg").write_bytes(b"media")
        (folder / "top/out").symlink_to(folder)
        with pytest.raises(Unsupported):
            await prepare(editor, folder / "top", b"out")
        with pytest.raises(MediadError):
            await prepare(editor, folder / "top", b"..")
        with pytest.raises(NotFound):
            await prepare(editor, folder / "top", b"none")
        os.mkfifo(folder / "top/a.xmp")
        with pytest.raises(Unsupported):
            await prepare(editor, folder / "top")
        (folder / "top/a.jpg.xmp").symlink_to("a.jpg")
        with pytest.raises(Unsupported):
            await prepare(editor, folder / "top")
        editor.close()
        await asyncio.sleep(0.7)  # until it is reaped

    pg.run(run())
