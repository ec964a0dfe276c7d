"""The entry point: runs a command, and turns what ends it into an exit code (docs/man/mediactl.1.md, EXIT STATUS)."""

from __future__ import annotations

import os
import sys

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NO_DAEMON = 3
EXIT_REFUSED = 4
EXIT_UNAVAILABLE = 5
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141  # as a program that SIGPIPE ends

# By error code; what is not here is 1.
_EXITS = {
    "invalid_argument": EXIT_USAGE,
    "query_syntax": EXIT_USAGE,
    "permission_denied": EXIT_REFUSED,
    "unsupported": EXIT_REFUSED,
    "unavailable": EXIT_UNAVAILABLE,
    "deadline_exceeded": EXIT_UNAVAILABLE,
    "shutting_down": EXIT_UNAVAILABLE,
    "disk_full": EXIT_UNAVAILABLE,
    "cancelled": EXIT_INTERRUPTED,
}


def _requested_format(arguments: list[str]) -> str:
    """The format that an error is reported in, which may come before the options were understood."""
    for here, after in zip(arguments, [*arguments[1:], ""], strict=True):
        if here in ("--format=json", "--format=ndjson") or (here == "--format" and after in ("json", "ndjson")):
            return "json"
    return "human"


def run(arguments: list[str]) -> int:
    """Runs one command line; returns the exit code."""
    from mediad.errors import MediadError

    try:
        from mediactl import quick

        code = quick.run(arguments)
        return _run_command(arguments) if code is None else code
    except MediadError as error:
        from mediactl.locate import DaemonNotRunning
        from mediactl.output import report

        report(error, _requested_format(arguments))
        return EXIT_NO_DAEMON if isinstance(error, DaemonNotRunning) else _EXITS.get(error.code, EXIT_FAILED)


def _run_command(arguments: list[str]) -> int:
    import click

    from mediactl.cli import cli

    try:
        if "_MEDIACTL_COMPLETE" in os.environ:
            from mediactl import shell

            shell.register()
            cli.main(arguments, prog_name="mediactl")
        # Not main(): that takes a broken pipe for a failure.
        with cli.make_context("mediactl", list(arguments)) as context:
            code: int = cli.invoke(context)
        sys.stdout.flush()
        return code
    except click.exceptions.Exit as end:  # --help, --version
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return EXIT_INTERRUPTED


def main() -> None:
    """The console script."""
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough. The rest of the buffer has nowhere to go, at interpreter exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_BROKEN_PIPE
    sys.exit(code)


if __name__ == "__main__":
    main()
