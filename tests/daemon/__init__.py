"""The real daemon for tests: started as a person starts it, on a private database or with its own cluster."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from mediactl import Client
from tests import pg


class Daemon:
    """One mediad process. `embedded`: with its own cluster in its data folder; else on a fresh database of the test's
    server, which starts in a third of the time."""

    def __init__(
        self, *, embedded: bool = False, dsn: str | None = None, folder: Path | None = None, config: str = ""
    ) -> None:
        self.folder = folder or pg.make_folder()
        self._own_folder = folder is None
        self.data = self.folder / "data"
        self.socket = self.folder / "socket"
        self.log = self.folder / "log"
        self.dsn = None if embedded else dsn or pg.fresh_database()
        self.config = self.folder / "mediad.toml"
        self.config.write_text(config, encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *extra: str) -> list[str]:
        """How it is started."""
        argv = [
            sys.executable,
            "-m",
            "mediad.main",
            "--config",
            str(self.config),
            "--data-dir",
            str(self.data),
            "--socket",
            str(self.socket),
        ]
        return [*argv, *(("--dsn", self.dsn) if self.dsn else ()), *extra]

    def start(self, *, ready: bool = True, seconds: float = 60.0) -> Daemon:
        """Starts it and waits until it serves (and, with `ready`, until its database is there)."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"mediad ended with {self.process.returncode}:\n{self.text()}")
            if self.socket.exists() and self._answers(ready):
                return self
            time.sleep(0.03)
        raise AssertionError(f"mediad is not ready after {seconds} s:\n{self.text()}")

    def _answers(self, ready: bool) -> bool:
        try:
            with self.client() as client:
                notes = client.status().notes
                return not ready or not any("database" in note for note in notes)
        except (OSError, Exception) as error:
            if type(error).__name__ in ("DaemonNotRunning", "ConnectionRefusedError", "ConnectionLost"):
                return False
            raise

    def client(self) -> Client:
        """A new connection."""
        return Client(os.fspath(self.socket))

    def text(self) -> str:
        """Its log so far."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    @property
    def pid(self) -> int:
        """The process."""
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """As a power cut for this process: nothing is finished."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 40.0) -> int:
        """SIGTERM, waited for; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def remove(self) -> None:
        """Ends what is left and takes the folder away."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def write_tree(top: Path, files: dict[str | bytes, bytes]) -> Path:
    """Writes files below `top`; names may be bytes."""
    for name, content in files.items():
        path = os.fsencode(top) + b"/" + (name if isinstance(name, bytes) else name.encode())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content)
    return top
