"""A handler's command line (handlers/README.md): its options, and which of them go together."""

from __future__ import annotations

import argparse
import os

MEMORY_VARIABLE = "MEDIADB_WORKER_MEMORY"  # bytes of address space of a worker; --memory wins over it
OUTPUT_FORMATS = ("human", "json", "protobuf", "msgpack")
TEXT_BYTES = 16 * 1024 * 1024  # of --text, unless --text-limit says otherwise


def parse(application: str, given: list[str]) -> argparse.Namespace:
    """The options; a wrong one ends the process with status 2 and a line that names it."""
    parser = argparse.ArgumentParser(
        prog=f"{application}-handler", description="Prints or edits the metadata of files.", allow_abbrev=False
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help='a file; "-" is standard input')
    parser.add_argument("--output-format", choices=OUTPUT_FORMATS, default="human")
    digests = parser.add_mutually_exclusive_group()
    digests.add_argument("--no-checksum", action="store_true", help="metadata only")
    digests.add_argument("--only-checksum", action="store_true", help="checksums of file, stream and tracks only")
    parser.add_argument(
        "--text-limit", type=int, metavar="BYTES", default=TEXT_BYTES, help="the most that --text prints of a file"
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--can-handle", action="store_true", help="say whose files these are; status 1: not all are mine")
    mode.add_argument("--text", action="store_true", help="print the words of documents, lyrics and subtitles")
    mode.add_argument("--describe", action="store_true", help="print the manifest: fields, types, units, operations")
    mode.add_argument("--worker", action="store_true", help="serve requests on standard input")
    mode.add_argument("--zygote", action="store_true", help="fork workers on request")
    _add_edits(parser)
    default = os.environ.get(MEMORY_VARIABLE, "")
    served = parser.add_argument_group("as a worker")
    served.add_argument(
        "--memory", type=int, metavar="BYTES", default=int(default) if default.isdigit() else None,
        help="address space of a worker; 0 is no limit",
    )  # fmt: skip
    served.add_argument("--previews", action="store_true", help="a worker that serves the operation preview, too")
    served.add_argument("--writes", action="store_true", help="a worker for the operation write")
    options = parser.parse_args(given)
    _check(parser, options)
    return options


def _add_edits(parser: argparse.ArgumentParser) -> None:
    edits = parser.add_argument_group("editing (docs/writing.md)")
    edits.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="replace a field's values")
    edits.add_argument("--add", action="append", default=[], metavar="NAME=VALUE", help="add a value to a plural field")
    edits.add_argument(
        "--remove", action="append", default=[], metavar="NAME[=VALUE]", help="remove a field or a value"
    )
    edits.add_argument("--sidecar", action="store_true", help="write an XMP side file, leave the file as it is")
    edits.add_argument(
        "--sidecar-style", choices=("full", "stem"), default="full", help="photo.jpg.xmp (full) or photo.xmp (stem)"
    )
    edits.add_argument("--break-links", action="store_true", help="edit a file that has other hard links all the same")
    edits.add_argument("--preserve-mtime", action="store_true", help="the file keeps its time of modification")


def edits(options: argparse.Namespace) -> bool:
    """Whether these options ask for a change of the files."""
    return bool(options.set or options.add or options.remove)


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    served = options.describe or options.worker or options.zygote
    if served and options.files:
        parser.error("this mode takes no files")
    if not served and not options.files:
        parser.error("no file was given")
    if edits(options) and (served or options.text or options.can_handle or options.only_checksum):
        parser.error("--set, --add and --remove go with no other mode")
    if options.sidecar and not edits(options):
        parser.error("--sidecar goes with --set, --add or --remove")
    if options.text_limit < 1:
        parser.error("--text-limit: a number of bytes, at least 1")
