"""The command mediactl: options into a call of `mediactl.client`, its result into `mediactl.output`. No logic.

Only click is imported here. What a command needs (protobuf, above all) comes with the command: `--help`, `--version`
and mistakes in the options answer without it. The page for people: docs/man/mediactl.1.md.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from mediactl import (
    __version__,
    cliaccounts,
    clibrowse,
    climove,
    clipreview,
    cliquery,
    clisafe,
    clisidecars,
    clitext,
    cliwork,
)  # fmt: skip
from mediactl.clistate import Null, State, parse_targets, read_names


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--socket", metavar="PATH", help="The daemon's socket; else $MEDIAD_SOCKET, else the usual places.")
@click.option(
    "--format", type=click.Choice(["human", "json", "ndjson"]), default="human", show_default=True,
    help="json: one document. ndjson: one value a line, as it comes.",
)  # fmt: skip
@click.option("--actor", default="", envvar="MEDIACTL_ACTOR", metavar="NAME", help="The person on whose behalf.")
@click.version_option(__version__, prog_name="mediactl", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, socket: str | None, format: str, actor: str) -> None:
    """Asks mediad, the metadata daemon."""
    context.obj = State(socket, format, actor)


for _command in (
    *cliquery.COMMANDS, *clibrowse.COMMANDS, *cliwork.COMMANDS, *clisafe.COMMANDS, *clisidecars.COMMANDS,
    *climove.COMMANDS, *clitext.COMMANDS, *cliaccounts.COMMANDS, *clipreview.COMMANDS,
):  # fmt: skip
    cli.add_command(_command)


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--wait/--no-wait", default=None, help="Return when all is read / listed. Default: wait on a terminal.")
@click.option("--once", is_flag=True, help="Do not watch afterwards.")
@click.option("--cross-mounts", is_flag=True, help="Walk into file systems mounted below.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out what matches. May be repeated.")
@Null
@click.pass_obj
def add(
    state: State, paths: Sequence[str], wait: bool | None, once: bool, cross_mounts: bool, exclude: Sequence[str],
    null: bool,
) -> int:  # fmt: skip
    """Adds folders or files to the library.

    On a terminal a progress line runs until everything is read; Ctrl-C leaves it, and the daemon goes on."""
    from mediactl import human, jsontext
    from mediactl.progress import ProgressLine

    names = read_names(paths, null=null)
    terminal = sys.stdout.isatty() and sys.stderr.isatty()
    wait = terminal if wait is None else wait
    line = ProgressLine()
    try:
        with state.client() as client:
            result = client.add(
                names, wait=wait, once=once, cross_mounts=cross_mounts, exclude=exclude,
                progress=line.show if sys.stderr.isatty() and state.output.human else None,
            )  # fmt: skip
    except KeyboardInterrupt:
        line.clear()
        if not (terminal and line.seen):
            raise
        click.echo("mediactl: left; mediad goes on. `mediactl status` shows how far it is.", err=True)
        return 0
    finally:
        line.clear()
    if state.output.human:
        state.output.lines(human.add_lines(result, waited=wait))
    else:
        state.output.value(jsontext.describe_add(result))
    for problem in result.problems:
        state.output.problem(problem)
    if result.problem_count > len(result.problems):
        click.echo(f"mediactl: {result.problem_count - len(result.problems)} further problems", err=True)
    return state.finish()


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="ID|PATH...")
@Null
@click.pass_obj
def get(state: State, targets: Sequence[str], null: bool) -> int:
    """Shows everything known of items, named by id or by a file's path."""
    from mediactl import human, jsontext

    wanted = parse_targets(targets, null=null)
    with state.client() as client:
        results = client.get(*wanted)
    if state.output.human:
        blocks = [human.item_lines(each.item, state.output.width) for each in results if each.item is not None]
        for number, lines in enumerate(blocks):
            state.output.lines([*([""] if number else []), *lines])
    else:
        state.output.values(jsontext.describe_get(each) for each in results)
    for each in results:
        if each.problem is not None:
            state.output.problem(each.problem)
    return state.finish()


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="ID|PATH...")
@click.option(
    "--scope",
    type=click.Choice(["file", "stream", "both"]),
    default="file",
    show_default=True,
    help="The whole file, or the media stream without tags.",
)
@click.option(
    "--algorithm",
    "algorithms",
    type=click.Choice(["md5", "sha1", "sha256"]),
    multiple=True,
    help="May be repeated. Default: all.",
)
@Null
@click.pass_obj
def checksum(state: State, targets: Sequence[str], scope: str, algorithms: Sequence[str], null: bool) -> int:
    """Computes checksums, or answers them from the store where the file has not changed."""
    from mediactl import human, jsontext
    from mediactl.progress import ProgressLine

    wanted = parse_targets(targets, null=null)
    line = ProgressLine()
    try:
        with state.client() as client:
            results = client.checksum(
                *wanted, scopes=("file", "stream") if scope == "both" else (scope,), algorithms=algorithms,
                progress=line.show if sys.stderr.isatty() and state.output.human else None,
            )  # fmt: skip
    finally:
        line.clear()
    lines = [text for each in results for text in human.checksum_lines(each)]
    state.output.show(results, jsontext.describe_checksum, lines)
    for each in results:
        if each.problem is not None:
            state.output.problem(each.problem)
    return state.finish()


@cli.group(invoke_without_command=True)
@click.pass_context
def roots(context: click.Context) -> int:
    """Lists what was added; `roots accept PATH` confirms a loss."""
    if context.invoked_subcommand is not None:
        return 0
    state: State = context.obj
    from mediactl import human, jsontext

    with state.client() as client:
        found = client.roots()
    lines = human.root_lines(found, state.output.width) if state.output.human else []
    state.output.show(found, jsontext.describe_root, lines)
    return state.finish()


roots.add_command(cliwork.accept)


@cli.command()
@click.argument("targets", nargs=-1, required=True, metavar="ID|PATH...")
@click.option("--missing", is_flag=True, help="Only files that are missing.")
@click.option("--work", is_flag=True, help="What people did to the items too: it cannot be brought back.")
@click.option("--yes", is_flag=True, help="With --work: do not ask.")
@Null
@click.pass_obj
def forget(state: State, targets: Sequence[str], missing: bool, work: bool, yes: bool, null: bool) -> int:
    """Drops the records of items, files or roots. The files themselves stay."""
    from mediactl import human, jsontext

    wanted = parse_targets(targets, null=null)
    if work and not yes:
        click.confirm("Tags, ratings, plays of these items are erased for good. Go on?", abort=True)
    with state.client() as client:
        result = client.forget(*wanted, missing_only=missing, work=work)
    if state.output.human:
        state.output.lines(human.forget_lines(result))
    else:
        state.output.value(jsontext.describe_forget(result))
    for problem in result.problems:
        state.output.problem(problem)
    return state.finish()


@cli.command()
@click.pass_obj
def status(state: State) -> int:
    """Says how the daemon is."""
    from mediactl import human, jsontext

    with state.client() as client:
        found = client.status()
    if state.output.human:
        state.output.lines(human.status_lines(found, state.output.width))
    else:
        state.output.value(jsontext.describe_status(found))
    return state.finish()


@cli.command()
@click.pass_obj
def handlers(state: State) -> int:
    """Lists the handlers and what they take."""
    from mediactl import human, jsontext

    with state.client() as client:
        found = client.handlers()
    lines = human.handler_lines(found, state.output.width) if state.output.human else []
    state.output.show(found, jsontext.describe_plain, lines)
    return state.finish()


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Prints the script that completes mediactl in a shell, e.g. eval "$(mediactl completion bash)"."""
    from click.shell_completion import get_completion_class

    from mediactl import shell as own

    own.register()
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(kind(cli, {}, "mediactl", "_MEDIACTL_COMPLETE").source())
    return 0
