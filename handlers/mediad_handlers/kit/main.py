"""Every handler's process: alone, --describe, --worker, --zygote (handlers/README.md; its options: kit.options).

Nothing heavy is imported before the mode is known: a worker moves its standard output away first, and a run alone
imports argparse only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

    from mediad_handlers.kit.api import Handler
    from mediad_handlers.kit.file import File

BROKEN_PIPE = 128 + 13  # what a shell shows for a process that SIGPIPE ended

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
    from mediad_handlers.kit.options import edits, parse

    options = parse(application, given)
    handlers = load()
    pick: Choose = choose or (lambda file, name: handlers[0])
    if options.describe:
        return _describe(application, handlers, options.output_format)
    if options.worker:
        return _work(application, handlers, pick, options)
    if options.zygote:
        return _serve_forks(application, handlers, pick, options)
    if edits(options):
        from mediad_handlers.kit.editing import edit_files

        return edit_files(pick, options)
    try:
        return _answer_alone(handlers, pick, options)
    except BrokenPipeError:  # whoever read our output has seen enough: `audio-handler *.mp3 | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), 1)  # or Python complains once more at its end
        return BROKEN_PIPE


def _answer_alone(handlers: tuple[Handler, ...], choose: Choose, options: Namespace) -> int:
    from mediad_handlers.kit import alone

    if options.can_handle:
        return alone.claim_files(handlers, options)
    if options.text:
        return alone.print_texts(choose, options)
    return alone.read_files(choose, options)


def _describe(application: str, handlers: tuple[Handler, ...], output_format: str) -> int:
    from mediad_handlers.kit.describe import print_manifest

    return print_manifest(application, handlers, output_format)


def _preload(handlers: tuple[Handler, ...]) -> None:
    """Imports what the handlers will need: a worker has no file system once it serves."""
    from importlib import import_module

    for handler in handlers:
        for module in handler.preload:
            import_module(module)


def _prepare_previews(memory: int) -> bool:
    """Whether a decoder works with threads; bytes of address space, 0: no limit."""
    from mediad_handlers import preview

    return preview.prepare(memory)


def _work(application: str, handlers: tuple[Handler, ...], choose: Choose, options: Namespace) -> int:
    """A worker that is nobody's child but the daemon's."""
    from mediad_handlers.kit import confine, seccomp, worker
    from mediad_handlers.write import prepare

    parent = os.getppid()
    _preload(handlers)
    if options.writes:
        prepare()
    program = seccomp.build(writes=options.writes, threads=options.previews and _prepare_previews(0))
    confine.close_others(worker.ANSWERS)
    confine.die_with(parent)
    memory = confine.MEMORY if options.memory is None else options.memory
    return _serve(application, handlers, choose, memory, program, options)


def _serve(
    application: str, handlers: tuple[Handler, ...], choose: Choose, memory: int, program: bytes | None,
    options: Namespace,
) -> int:  # fmt: skip
    import msgpack

    from mediad_handlers.kit import answer, confine, worker

    threads = options.previews and _prepare_previews(memory)
    operations = worker.bind_operations(choose, writes=options.writes, previews=options.previews)
    sandbox = confine.confine(memory, program, writes=options.writes, threads=threads)
    if threads and "threads=1" not in sandbox:
        from mediad_handlers import preview

        preview.do_without_threads()
    manifest = msgpack.packb(answer.describe(application, handlers, sandbox))
    return worker.serve(manifest, operations)


def _serve_forks(application: str, handlers: tuple[Handler, ...], choose: Choose, options: Namespace) -> int:
    import msgpack

    from mediad_handlers.kit import answer, confine, seccomp, worker
    from mediad_handlers.kit.zygote import Zygote

    parent = os.getppid()
    limit = confine.MEMORY if options.memory is None else options.memory
    _preload(handlers)
    threads = options.previews and _prepare_previews(0)  # once, before the first fork
    confine.close_others(worker.ANSWERS)
    confine.die_with(parent)
    program = seccomp.build(threads=threads)
    manifest = msgpack.packb(answer.describe(application, handlers, confine.probe(limit, program, threads=threads)))

    def work(asked: int) -> int:
        return _serve(application, handlers, choose, asked, program, options)

    return Zygote(manifest, work, limit).serve()
