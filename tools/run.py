"""`make run`: a private daemon over a folder, and what it found.

Environment: MEDIA (a folder; default: samples in the clone), DATA (the daemon's data folder; default: .run/data in the
clone), ONCE (not empty: stop after the answer). Without a terminal it stops after the answer too. The daemon is a child
of this process; Ctrl-C stops both. Exit code 0 when everything went well, else 1 with one sentence on standard error.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVICE_DATA = Path("/var/lib/mediad/make-run")
# The first start makes a database cluster: 1 s here, a minute on a Cortex-A8
START_SECONDS = 180.0
# Requests are finished, workers stopped, PostgreSQL writes a checkpoint
STOP_SECONDS = 60.0
# mediactl when the reader of its output went away, as a shell reports SIGPIPE
BROKEN_PIPE = 141
# sockaddr_un.sun_path holds 108 bytes with its end (unix(7))
SOCKET_PATH_BYTES = 107


class Failure(Exception):
    """One sentence for the person who typed `make run`."""


def reachable_by_others(folder: Path) -> bool:
    """Whether another account may pass through `folder` and all above it: execute permission for others."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    return all(part.stat().st_mode & 0o001 for part in (existing, *existing.parents))


def data_folder() -> Path:
    """Where the daemon keeps its state.

    As root PostgreSQL runs under an account of its own, which must be able to reach the folder: a clone below /root
    cannot hold it."""
    named = os.environ.get("DATA", "")
    if named:
        return Path(named).expanduser().absolute()
    inside = ROOT / ".run" / "data"
    if os.geteuid() == 0 and not reachable_by_others(ROOT):
        return SERVICE_DATA
    return inside


def media_folder() -> Path:
    """The folder (or file) to add, absolute. Failure when there is none."""
    media = Path(os.environ.get("MEDIA", "") or ROOT / "samples").expanduser().absolute()
    if not media.exists():
        raise Failure(f"there is no {media}; name a folder with MEDIA=DIR")
    if not os.access(media, os.R_OK | (os.X_OK if media.is_dir() else 0)):
        raise Failure(f"{media} cannot be read by this account")
    return media


def program(name: str) -> str:
    """The path of an installed console script beside this interpreter."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise Failure(f"{path} is missing; remove the environment with `make clean` and try again")
    return str(path)


def last_words(log: Path) -> str:
    """The last line the daemon wrote, for a sentence about why it ended."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"


def control(socket: Path, *arguments: str, quiet: bool = False) -> int:
    """Runs mediactl and returns its exit code; its output is the person's unless `quiet`.

    BrokenPipeError when nobody reads that output any more."""
    sink = subprocess.DEVNULL if quiet else None
    command = [program("mediactl"), "--socket", str(socket), *arguments]
    code = subprocess.run(command, stdout=sink, stderr=sink, check=False).returncode
    if code == BROKEN_PIPE:
        raise BrokenPipeError
    return code


def wait_until_ready(daemon: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    """Returns when the daemon answers. Failure when it ends or does not answer within START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if daemon.poll() is not None:
            raise Failure(f"mediad ended with exit code {daemon.returncode}: {last_words(log)} (all of it: {log})")
        if socket.exists() and control(socket, "status", quiet=True) == 0:
            return
        time.sleep(0.05)
    raise Failure(f"mediad did not answer within {START_SECONDS:.0f} s; its log is {log}")


@contextmanager
def running_daemon(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A daemon with its state in `data`; yields it and its socket, and stops it at the end, whatever happens.

    It gets a session of its own: Ctrl-C reaches this process alone, which then stops the daemon in order."""
    socket, log = data / "socket", data / "mediad.log"
    if len(os.fsencode(socket)) > SOCKET_PATH_BYTES:
        raise Failure(f"{data} is too long a path for a socket; name a shorter one with DATA=DIR")
    try:
        data.mkdir(parents=True, exist_ok=True)
        output = log.open("wb")
    except OSError as error:
        raise Failure(f"{data} cannot be used as data folder: {error.strerror}; name another with DATA=DIR") from error
    if socket.exists() and control(socket, "status", quiet=True) == 0:
        raise Failure(f"a daemon already runs on {data}; stop it, or name another folder with DATA=DIR")
    with output:
        daemon = subprocess.Popen(
            [program("mediad"), "--data-dir", str(data), "--socket", str(socket)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_ready(daemon, socket, log)
        yield daemon, socket
    finally:
        stop(daemon, log)


def stop(daemon: subprocess.Popen[bytes], log: Path) -> None:
    """SIGTERM, and Failure when the daemon does not end well within STOP_SECONDS."""
    if daemon.poll() is not None:
        return
    daemon.send_signal(signal.SIGTERM)
    try:
        code = daemon.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired as error:
        daemon.kill()
        daemon.wait()
        raise Failure(f"mediad did not stop within {STOP_SECONDS:.0f} s and was killed; its log is {log}") from error
    if code:
        raise Failure(f"mediad ended with exit code {code}: {last_words(log)} (all of it: {log})")


def show(socket: Path, media: Path) -> None:
    """Adds `media` with progress, then lists what is known. Failure when either command fails."""
    print(f"$ mediactl add --wait {shlex.quote(str(media))}", flush=True)
    if control(socket, "add", "--wait", str(media)):
        raise Failure(f"`mediactl add` failed on {media}; its words are above")
    print('\n$ mediactl query ""', flush=True)
    if control(socket, "query", "", "--limit", "50"):
        raise Failure("`mediactl query` failed; its words are above")


def farewell(socket: Path) -> None:
    """How to go on from another terminal."""
    command = f"{shlex.quote(program('mediactl'))} --socket {shlex.quote(str(socket))}"
    print("\nThe daemon runs until Ctrl-C. From another terminal:\n")
    for words in ('query "WORD"', "query --files kind:image", "get PATH", "checksum PATH", "status", "add DIR"):
        print(f"  {command} {words}")
    sys.stdout.flush()


def raise_interrupt(signum: int, frame: object) -> None:
    """SIGTERM and SIGHUP end like Ctrl-C: the daemon is stopped in order."""
    raise KeyboardInterrupt


def main() -> int:
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, raise_interrupt)
    once = bool(os.environ.get("ONCE")) or not sys.stdin.isatty()
    began = time.monotonic()
    try:
        media, data = media_folder(), data_folder()
        print(f"starting mediad, data in {data} ...", flush=True)
        with running_daemon(data) as (daemon, socket):
            print(f"ready after {time.monotonic() - began:.1f} s\n", flush=True)
            log = data / "mediad.log"
            try:
                show(socket, media)
            except Failure as failure:
                # it serves the socket before its database: a database that cannot be used ends it a moment later
                with suppress(subprocess.TimeoutExpired):
                    daemon.wait(1.0)
                    raise Failure(f"{last_words(log)} (all of it: {log})") from failure
                raise
            if not once:
                farewell(socket)
                if daemon.wait():
                    raise Failure(f"{last_words(log)} (all of it: {log})")
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
    except BrokenPipeError:
        # `make run | head`: enough was seen; what is left in the buffer has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Failure as failure:
        print(f"make run: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
