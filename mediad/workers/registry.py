"""Which application takes a file. Discovery imports no handler code: entry points and executables are only named.

The built-in application `media` takes every file and finds out by content. An application of a third party takes the
files whose extension its manifest names.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

from mediad.config import Config
from mediad.errors import MediadError, Unsupported
from mediad.workers.application import Application, Command
from mediad.workers.pool import Pool
from mediad.workers.protocol import HandlerFacts, Manifest

log = logging.getLogger(__name__)

ENTRY_POINTS = "mediad.handlers"


def discover(config: Config) -> list[Command]:
    """The applications there are: first the built-in one, then entry points, then executables `*-handler` in the
    configured folders, by name."""
    commands = [Command((sys.executable, "-m", "mediad_handlers.media"), warm=True)]
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        if point.module != "mediad_handlers.media":
            start = f"import sys; from {point.module} import {point.attr} as main; sys.exit(main())"
            commands.append(Command((sys.executable, "-c", start)))
    for folder in config.handler_dirs:
        for path in sorted(Path(folder).glob("*-handler")):
            if os.access(path, os.X_OK):
                commands.append(Command((str(path),)))
    return commands


class Registry:
    """All applications, each with a pool that reads and one that hashes (a long checksum must not stop reading)."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._loaded = False
        self._loading = asyncio.Lock()
        self.problems: list[str] = []
        debug = config.log_level == "debug"
        self._applications = [Application(command, config.worker_memory, debug) for command in discover(config)]
        self._pools: dict[tuple[int, str], Pool] = {}
        self._of_extension: dict[bytes, Application] = {}
        self._writer: Application | None = None
        self._previewer: Application | None = None

    async def load(self) -> None:
        """Learns the manifests: once, when first needed. An application that does not start is named in `problems`;
        the built-in one must start (Unavailable)."""
        async with self._loading:
            if not self._loaded:
                await self._load()

    async def _load(self) -> None:
        self._demand_sandbox(self._applications[0], await self._applications[0].warm_up())
        for application in self._applications[1:]:
            try:
                manifest = await application.warm_up()
                self._demand_sandbox(application, manifest)
            except MediadError as error:
                self.problems.append(str(error))
                log.warning("handler left out", extra={"why": str(error)})
                continue
            for handler in manifest.handlers:
                for extension in handler.extensions:
                    self._of_extension.setdefault(extension.encode(), application)
        self._loaded = True

    def _demand_sandbox(self, application: Application, manifest: Manifest) -> None:
        """With `sandbox = "require"`: raises Unsupported for an application whose workers say that no system call
        filter holds them (docs/handlers.md, The sandbox)."""
        if self._config.sandbox == "require" and "seccomp=1" not in manifest.sandbox.split():
            text = f"the workers of {manifest.application} are not locked down ({manifest.sandbox or 'no sandbox'})"
            raise Unsupported(f'{text}, and the configuration says sandbox = "require"', application.command.argv[-1])

    @property
    def builtin(self) -> Application:
        """The application of the built-in handlers."""
        return self._applications[0]

    def application_for(self, name: bytes) -> Application:
        """Who reads a file of this name."""
        return self._of_extension.get(name.rpartition(b".")[2].lower(), self._applications[0])

    def pool(self, application: Application, purpose: str, memory: int = 0) -> Pool:
        """The workers of an application for `read`, `checksum`, `text` or `preview`; `memory`: those that have so many
        bytes of address space."""
        key = (id(application), f"{purpose} {memory}" if memory else purpose)
        pool = self._pools.get(key)
        if pool is None:
            idle = 5.0 if self._config.board else self._config.idle_seconds
            pool = self._pools[key] = Pool(application, self._config.worker_count, idle, memory)
        return pool

    async def previewer(self, memory: int) -> Pool:
        """The workers of the built-in application that make previews: started for that, since they load decoders that
        reading does without. Raises Unavailable, and Unsupported where `sandbox = "require"` cannot be had."""
        if self._previewer is None:
            command = Command((sys.executable, "-m", "mediad_handlers.media", "--previews"), warm=True)
            self._previewer = Application(command, self._config.worker_memory, self._config.log_level == "debug")
        self._demand_sandbox(self._previewer, await self._previewer.warm_up())
        return self.pool(self._previewer, "preview", memory)

    async def writer(self) -> Pool:
        """The worker that writes side files: the built-in application, started for that (its sandbox is another).
        Raises Unavailable, and Unsupported where `sandbox = "require"` cannot be had."""
        if self._writer is None:
            command = Command((sys.executable, "-m", "mediad_handlers.media", "--writes"))
            self._writer = Application(command, self._config.worker_memory, self._config.log_level == "debug")
        self._demand_sandbox(self._writer, await self._writer.warm_up())
        return self._pools.setdefault(
            (id(self._writer), "write"), Pool(self._writer, 1, 5.0 if self._config.board else self._config.idle_seconds)
        )

    @property
    def pools(self) -> list[Pool]:
        """All pools there are so far."""
        return list(self._pools.values())

    def manifests(self) -> list[tuple[Application, Manifest]]:
        """Every application whose manifest is known."""
        return [(a, a.manifest) for a in self._applications if a.manifest is not None]

    def handlers(self) -> list[tuple[Application, HandlerFacts]]:
        """Every handler there is."""
        return [(application, handler) for application, manifest in self.manifests() for handler in manifest.handlers]

    def close(self) -> None:
        """Ends every process."""
        for pool in self._pools.values():
            pool.close()
        for application in (*self._applications, *filter(None, (self._previewer, self._writer))):
            application.cool_down()
