"""`make run`: a private daemon over a folder, what it found, and the page on http://127.0.0.1.

Environment: MEDIA (a folder; default: samples in the clone), DATA (the daemon's data folder; default: .run/data in the
clone), ONCE (not empty: stop after the answer), LISTEN (HOST:PORT of the page; default: 127.0.0.1:8017, another port
when that is taken), PAGE=no (the daemon alone). Without a terminal it stops after the answer too. Daemon and server are
children of this process; Ctrl-C stops all. Exit code 0 when everything went well, else 1 with one sentence on standard
error.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket as sockets
import subprocess
import sys
import time
import urllib.error
import urllib.request
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
LISTEN = "127.0.0.1:8017"
# The page answers long before; a board loads Node.js from a slow card
PAGE_SECONDS = 60.0


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


def ffmpeg_program() -> str:
    """ffmpeg of the machine, else the one that the package imageio-ffmpeg carries; "" when there is none."""
    own = shutil.which("ffmpeg")
    if own:
        return own
    try:
        import imageio_ffmpeg
    except ImportError:
        return ""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:  # its wheel for this machine carries no program
        return ""


def listen_address() -> str:
    """LISTEN, or 8017 on this machine, or a free port when that is taken and nobody asked for it."""
    named = os.environ.get("LISTEN", "")
    if named:
        return named
    host, port = LISTEN.split(":")
    for candidate in (int(port), 0):
        with sockets.socket() as trial:
            trial.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)  # as Node.js does
            try:
                trial.bind((host, candidate))
            except OSError:
                continue
            return f"{host}:{trial.getsockname()[1]}"
    raise Failure(f"no port of {host} is free; name another with LISTEN=HOST:PORT")


def write_settings(data: Path) -> Path:
    """mediadb-app.toml of this run: uploads go to a folder of its own beside the data, never to MEDIA."""
    incoming = data / "incoming"
    staging = incoming / ".uploads"
    staging.mkdir(parents=True, exist_ok=True)
    settings = {
        "staging": str(staging),
        "incoming": str(incoming),
        "cache_dir": str(data / "cache"),
        "ffmpeg": ffmpeg_program(),
    }
    (data / "cache").mkdir(exist_ok=True)
    # a string of JSON is a basic string of TOML
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items() if value]
    path = data / "mediadb-app.toml"
    path.write_text("\n".join(["# written anew by each `make run`", *lines, ""]), encoding="utf-8")
    return path


@contextmanager
def running_page(data: Path, socket: Path) -> Iterator[str]:
    """The HTTP server beside the daemon; yields its address, "" where there is none (tools/nodejs.py says why)."""
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools/nodejs.py"), "app"], stdout=subprocess.PIPE, text=True, check=False
    )
    if made.returncode:
        print("there is no page: the reason is above\n", flush=True)
        yield ""
        return
    log = data / "mediadb-app.log"
    command = [made.stdout.strip(), str(ROOT / "node/app/server/main.js"), "--config", str(write_settings(data))]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--socket", str(socket), "--listen", listen_address()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield wait_for_page(server, log)
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_for_page(server: subprocess.Popen[bytes], log: Path) -> str:
    """The address that the server says it listens on, once it answers there. Failure when it does not."""
    deadline = time.monotonic() + PAGE_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise Failure(f"the server ended with exit code {server.returncode}: {last_words(log)} (all of it: {log})")
        said = log.read_text(errors="replace").split("http://", 1)
        if len(said) == 2:
            address = "http://" + said[1].split()[0]
            with suppress(urllib.error.URLError), urllib.request.urlopen(f"{address}/", timeout=10) as answer:
                if answer.status == 200 and b"<html" in answer.read():
                    return address
        time.sleep(0.1)
    raise Failure(f"the page did not answer within {PAGE_SECONDS:.0f} s; its log is {log}")


def show_page(address: str) -> None:
    """What the page asks first, asked once as proof."""
    with urllib.request.urlopen(f"{address}/search?q=&limit=1&count=1", timeout=30) as answer:
        print(f"\nthe page: {address}   ({json.load(answer)['count']} items)", flush=True)


def farewell(socket: Path) -> None:
    """How to go on from another terminal."""
    command = f"{shlex.quote(program('mediactl'))} --socket {shlex.quote(str(socket))}"
    print("\nThe daemon runs until Ctrl-C. From another terminal:\n")
    for words in ('query "WORD"', "query --files kind:image", "get PATH", "checksum PATH", "status", "add DIR"):
        print(f"  {command} {words}")
    sys.stdout.flush()


def go_on(daemon: subprocess.Popen[bytes], socket: Path, log: Path, once: bool) -> None:
    """Unless `once`: says how to go on, and waits for the daemon's end. Failure when it does not end well."""
    if once:
        return
    farewell(socket)
    if daemon.wait():
        raise Failure(f"{last_words(log)} (all of it: {log})")


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
            if os.environ.get("PAGE") == "no":
                go_on(daemon, socket, log, once)
                return 0
            with running_page(data, socket) as address:
                if address:
                    control(socket, "add", str(data / "incoming"), quiet=True)
                    show_page(address)
                go_on(daemon, socket, log, once)
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
