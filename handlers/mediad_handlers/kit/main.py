"""Every handler's command line: alone, --describe, --worker, --zygote (handlers/README.md).

Nothing heavy is imported before the mode is known: a worker moves its standard output away first, and a run alone
imports argparse only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediad_handlers.kit.api import Handler
    from mediad_handlers.kit.file import File

MEMORY_VARIABLE = "MEDIADB_WORKER_MEMORY"  # bytes of address space of a worker; --memory wins over it

Choose = Callable[["File", str], "Handler"]


def run(
    application: str,
    load: Callable[[], tuple[Handler, ...]],
    choose: Choose | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """The process of a handler application: returns its exit status (0; 1: some file failed; 2: usage).

    `load` imports and returns the handlers; `choose(file, name)` picks one for a file (None: there is one handler
    only)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--worker" in given or "--zygote" in given:
        from mediad_handlers.kit.worker import move_answers_away

        move_answers_away()
    options = _parse(application, given)
    handlers = load()
    pick: Choose = choose or (lambda file, name: handlers[0])
    if options.describe:
        return _describe(application, handlers)
    if options.worker:
        return _work(application, handlers, pick, options.memory, from_zygote=False)
    if options.zygote:
        return _serve_forks(application, handlers, pick, options.memory)
    from mediad_handlers.kit.alone import read_files

    return read_files(pick, options)


def _parse(application: str, given: list[str]) -> Any:
    import argparse

    parser = argparse.ArgumentParser(
        prog=f"{application}-handler", description="Prints the metadata of files.", allow_abbrev=False
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help='a file; "-" is standard input')
    parser.add_argument("--output-format", choices=("human", "json", "msgpack"), default="human")
    digests = parser.add_mutually_exclusive_group()
    digests.add_argument("--no-checksum", action="store_true", help="metadata only")
    digests.add_argument("--only-checksum", action="store_true", help="checksums of file and stream only")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--describe", action="store_true", help="print the manifest as JSON")
    mode.add_argument("--worker", action="store_true", help="serve requests on standard input")
    mode.add_argument("--zygote", action="store_true", help="fork workers on request")
    default = os.environ.get(MEMORY_VARIABLE, "")
    parser.add_argument(
        "--memory", type=int, metavar="BYTES", default=int(default) if default.isdigit() else None,
        help="address space of a worker; 0 is no limit",
    )  # fmt: skip
    options = parser.parse_args(given)
    served = options.describe or options.worker or options.zygote
    if served and options.files:
        parser.error("this mode takes no files")
    if not served and not options.files:
        parser.error("no file was given")
    return options


def _describe(application: str, handlers: tuple[Handler, ...]) -> int:
    import json

    from mediad_handlers.kit.answer import describe
    from mediad_handlers.kit.output import to_plain

    print(json.dumps(to_plain(describe(application, handlers, "none")), ensure_ascii=False))
    return 0


def _preload(handlers: tuple[Handler, ...]) -> None:
    """Imports what the handlers will need: a worker has no file system once it serves."""
    from importlib import import_module

    for handler in handlers:
        for module in handler.preload:
            import_module(module)


def _work(
    application: str, handlers: tuple[Handler, ...], choose: Choose, memory: int | None, *, from_zygote: bool
) -> int:
    import msgpack

    from mediad_handlers.kit import answer, confine, worker

    if not from_zygote:
        parent = os.getppid()
        _preload(handlers)
        confine.close_others(worker.ANSWERS)
        confine.die_with(parent)
    sandbox = confine.confine(confine.MEMORY if memory is None else memory)
    manifest = msgpack.packb(answer.describe(application, handlers, sandbox))
    return worker.serve(manifest, worker.bind_operations(choose))


def _serve_forks(application: str, handlers: tuple[Handler, ...], choose: Choose, memory: int | None) -> int:
    import msgpack

    from mediad_handlers.kit import answer, confine, worker
    from mediad_handlers.kit.zygote import Zygote

    parent = os.getppid()
    _preload(handlers)
    confine.close_others(worker.ANSWERS)
    confine.die_with(parent)
    manifest = msgpack.packb(answer.describe(application, handlers, "zygote"))

    def work(limit: int) -> int:
        return _work(application, handlers, choose, limit, from_zygote=True)

    return Zygote(manifest, work, confine.MEMORY if memory is None else memory).serve()
