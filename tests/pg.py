"""A private PostgreSQL for tests: one a test process, started when first asked for and stopped when the process ends.

`fresh_database()` gives the connection string of a new, empty database. fsync is off: what these tests ask of it is
not durability. Works as root, which PostgreSQL refuses, through another account, and as any user."""

from __future__ import annotations

import asyncio
import atexit
import functools
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import uvloop

from mediad.store.account import find_account
from mediad.store.programs import ENVIRONMENT, find_newest, find_programs, make_reachable

T = TypeVar("T")

_NUMBERS = itertools.count(1)

_OPTIONS = (
    "listen_addresses=", "unix_socket_directories=run", "max_connections=60", "shared_buffers=16MB", "fsync=off",
    "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0", "jit=off", "autovacuum_naptime=10min",
    "log_min_messages=fatal",
)  # fmt: skip


def run(coroutine: Coroutine[Any, Any, T], *, seconds: float = 60.0) -> T:
    """Run on a uvloop, as the daemon does, and fail rather than hang."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(coroutine, seconds))


def make_folder() -> Path:
    """A new folder that another account may pass through (pytest's own are 0700); the caller removes it."""
    folder = Path(tempfile.mkdtemp(prefix="mediadb-test-", dir="/tmp"))
    folder.chmod(0o711)
    return folder


@functools.cache
def major(newest: bool = False) -> int:
    """Of the PostgreSQL that a daemon would take here, or of the newest that is here: the system's or the wheel's."""
    return asyncio.run(find_newest() if newest else find_programs()).major


def server(newest: bool = False) -> str:
    """Start the server if it is not running; the connection string without dbname."""
    return _server(major(newest) if newest else 0)


@functools.cache
def _server(of_major: int) -> str:
    """One of each: of that major version, 0: the one that a daemon would take."""
    folder = make_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    account = find_account(None)
    found = asyncio.run(find_newest() if of_major else find_programs())
    programs = asyncio.run(make_reachable(found, account, folder / "programs"))
    data = folder / "data"
    data.mkdir(mode=0o700)
    if account.switched:
        os.chown(data, account.uid, account.gid)
    argv = account.command(
        programs.folder / "initdb", "-D", data, "-E", "UTF8", "--locale=C", "--lc-ctype=C.UTF-8", "-A", "trust",
        "-U", "mediadb", "--no-sync", "--no-instructions",
    )  # fmt: skip
    subprocess.run(argv, check=True, env=ENVIRONMENT, cwd="/", stdout=subprocess.DEVNULL)
    (data / "run").mkdir(mode=0o700)
    if account.switched:
        os.chown(data / "run", account.uid, account.gid)
    chosen = (*_OPTIONS, "io_method=sync") if found.major >= 18 else _OPTIONS
    options = [word for option in chosen for word in ("-c", option)]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            account.command(programs.folder / "postgres", "-D", data, *options, tied=True),
            env=ENVIRONMENT, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    atexit.register(_stop, process)
    conninfo = f"host={data}/run user=mediadb"
    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"{conninfo} dbname=postgres").close()
            return conninfo
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}") from None
            time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        process.send_signal(number)
        try:
            process.wait(10)
            return
        except subprocess.TimeoutExpired:
            continue


def fresh_database(newest: bool = False) -> str:
    """The connection string of a new, empty database (about 40 ms). `newest`: in the newest PostgreSQL that is here."""
    conninfo = server(newest)
    name = f"t{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(f"{conninfo} dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return f"{conninfo} dbname={name}"
