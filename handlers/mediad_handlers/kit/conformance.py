"""`media-handler check COMMAND [SAMPLE...]`: does a handler keep the contract (handlers/README.md)?

Starts the command as the daemon would, under each of the contract's words, and tries what a daemon will do to it:
samples, files that are nothing, many files at once, requests in pieces, unknown operations and keys, the end of input.
One line a rule: what was found, and what the contract says. For a handler in any language.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mediad_handlers.kit.conversation import Broken, Conversation

CODES = ("unsupported", "corrupt", "io", "limit", "internal")
KINDS = ("audio", "image", "video", "document", "other")
GRADES = ("fingerprint", "track", "checksum")
DESCRIBE_SECONDS = 30.0
BATCH = 64  # files in one request, the contract's most
EMPTY_FILES: tuple[tuple[str, bytes], ...] = (
    ("empty", b""),
    ("one-byte", b"\0"),
    ("zeros", bytes(4096)),
    ("noise", b"".join(hashlib.sha256(bytes([n])).digest() for n in range(200)) * 16),
)


class _Failed(Exception):
    """A rule that is not kept; the text says how."""


def check(arguments: Sequence[str]) -> int:
    """Prints a line a rule on standard output. Returns 0 when all are kept, 1 when one is not, 2 for a wrong call."""
    if not arguments or arguments[0].startswith("-"):
        print("usage: media-handler check COMMAND [SAMPLE...]", file=sys.stderr)
        return 2
    command = shutil.which(arguments[0]) or os.path.abspath(arguments[0])
    if not os.access(command, os.X_OK) or os.path.isdir(command):
        print(f"{arguments[0]}: not an executable", file=sys.stderr)
        return 2
    samples = [Path(one) for one in arguments[1:]]
    for sample in samples:
        if not sample.is_file():
            print(f"{sample}: not a file", file=sys.stderr)
            return 2
    with tempfile.TemporaryDirectory(prefix="mediadb-check-") as folder:
        return _Check([command], samples, Path(folder)).run()


class _Check:
    """The rules, in the order in which they are tried."""

    def __init__(self, command: list[str], samples: list[Path], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._manifest: dict[str, Any] = {}
        self._extension = ""
        self._samples = [self._copy(one) for one in samples]

    def _copy(self, sample: Path) -> Path:
        """A copy to work on, so that a handler that writes harms nobody."""
        copied = self._folder / f"sample-{sample.name}"
        shutil.copy2(sample, copied)
        return copied

    def run(self) -> int:
        rules: tuple[tuple[str, Callable[[], str]], ...] = (
            ("--describe prints the manifest as one JSON object", self.describe),
            ("--worker announces the same manifest first", self.announce),
            ("every sample is answered with a record", self.read_samples),
            ("the same file gives the same record again", self.repeat),
            ("files that are nothing get a record or an error, and end nothing", self.read_nothing),
            (f"{BATCH} files in one request are begun and answered in order", self.read_batch),
            ("several requests may be sent ahead", self.send_ahead),
            ("an operation that is not there is an error `unsupported` of each file", self.unknown_operation),
            ("keys of a request that are not known are passed over", self.unknown_keys),
            ("a file that cannot be opened is an error of that file", self.missing_file),
            ("op checksum, scope file, gives the digests of the file", self.checksum),
            ("no file was changed", self.unchanged),
            ("nothing but the contract's messages on standard output", self.silence),
        )
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in self._samples}
        self._before = before
        failed = 0
        for title, rule in rules:
            try:
                note = rule()
            except (_Failed, Broken, OSError) as fault:
                failed += 1
                print(f"FAIL  {title}\n      {fault}")
                if not self._manifest:
                    break
            else:
                print(f"ok    {title}{': ' + note if note else ''}")
        print(f"{failed} of {len(rules)} rules are not kept" if failed else f"all {len(rules)} rules are kept")
        return 1 if failed else 0

    # ------------------------------------------------------------ rules

    def describe(self) -> str:
        try:
            done = subprocess.run(
                [*self._command, "--describe"], stdin=subprocess.DEVNULL, capture_output=True, check=False,
                timeout=DESCRIBE_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise _Failed(f"it did not end within {DESCRIBE_SECONDS:g} s") from None
        if done.returncode != 0:
            raise _Failed(f"exit status {done.returncode}: {done.stderr.decode('utf-8', 'replace').strip()[:300]}")
        try:
            manifest = json.loads(done.stdout)
        except ValueError as fault:
            raise _Failed(f"standard output is not one JSON object: {fault}") from None
        self._check_manifest(manifest)
        self._manifest = manifest
        self._extension = next((one for row in manifest["handlers"] for one in row["extensions"]), "bin")
        return ", ".join(f"{row['name']} {row['version']}" for row in manifest["handlers"])

    def announce(self) -> str:
        with self._start() as talk:
            told = talk.manifest
        self._check_manifest(told)
        names = [row["name"] for row in told["handlers"]], [row["name"] for row in self._manifest["handlers"]]
        if names[0] != names[1] or told["application"] != self._manifest["application"]:
            raise _Failed("--worker and --describe name different handlers")
        return str(told.get("sandbox") or "no sandbox")

    def read_samples(self) -> str:
        if not self._samples:
            return "no sample was given: media-handler check COMMAND SAMPLE..."
        with self._start() as talk:
            for path, answer in zip(self._samples, talk.ask("read", self._samples), strict=True):
                if "ok" not in answer:
                    raise _Failed(f"{path.name}: {answer['error'].get('code')}: {answer['error'].get('message')}")
                self._check_record(path, answer["ok"])
        return f"{len(self._samples)} files"

    def repeat(self) -> str:
        files = self._samples or self._nothing()
        with self._start() as talk:
            first, again = talk.ask("read", files), talk.ask("read", files)
        for path, one, other in zip(files, first, again, strict=True):
            if {**one, "id": 0} != {**other, "id": 0}:
                raise _Failed(f"{path.name}: the second answer differs from the first")
        return ""

    def read_nothing(self) -> str:
        files = self._nothing()
        with self._start() as talk:
            for path, answer in zip(files, talk.ask("read", files), strict=True):
                if "ok" in answer:
                    self._check_record(path, answer["ok"])
            talk.finish()
        return ""

    def read_batch(self) -> str:
        files = ((self._samples or self._nothing()) * BATCH)[:BATCH]
        with self._start() as talk:
            talk.ask("read", files)
            talk.finish()
        return ""

    def send_ahead(self) -> str:
        files = self._samples or self._nothing()
        with self._start() as talk:
            numbers = [talk.send("read", files, in_pieces=True) for _ in range(3)]
            for number in numbers:
                talk.receive(number, len(files))
            talk.finish()
        return ""

    def unknown_operation(self) -> str:
        with self._start() as talk:
            for answer in talk.ask("no-such-operation", self._nothing()):
                if answer.get("error", {}).get("code") != "unsupported":
                    raise _Failed(f"the answer was {answer!r:.200}")
            talk.finish()
        return ""

    def unknown_keys(self) -> str:
        with self._start() as talk:
            talk.ask("read", self._nothing(), {"an-option-of-tomorrow": [1, {"a": b"b"}]}, more={"tomorrow": 1})
            talk.finish()
        return ""

    def missing_file(self) -> str:
        with self._start() as talk:
            answer = talk.ask_without_file("read")
            if answer.get("error", {}).get("code") not in CODES:
                raise _Failed(f"the answer was {answer!r:.200}")
            talk.finish()
        return ""

    def checksum(self) -> str:
        if not any("checksum" in row["operations"] for row in self._manifest["handlers"]):
            return "not among its operations"
        files = self._samples or self._nothing()[:1]
        with self._start() as talk:
            answers = talk.ask("checksum", files, {"scope": "file", "algorithms": ["md5", "sha256"]})
        for path, answer in zip(files, answers, strict=True):
            digests = answer.get("ok", {}).get("digests", {})
            for name in ("md5", "sha256"):
                if digests.get(name) != hashlib.new(name, path.read_bytes(), usedforsecurity=False).digest():
                    raise _Failed(f"{path.name}: {name} is {digests.get(name)!r}: {answer.get('error')}")
        return ""

    def unchanged(self) -> str:
        for path, (content, mtime) in self._before.items():
            if path.read_bytes() != content or path.stat().st_mtime_ns != mtime:
                raise _Failed(f"{path.name} is not what it was")
        return ""

    def silence(self) -> str:
        with self._start() as talk:
            talk.ask("read", self._samples or self._nothing())
            rest = talk.finish()
            if rest:
                raise _Failed(f"after the last answer came {rest!r:.100}")
        return ""

    # ------------------------------------------------------------ means

    def _start(self) -> Conversation:
        return Conversation(self._command)

    def _nothing(self) -> list[Path]:
        made = []
        for name, content in EMPTY_FILES:
            path = self._folder / f"{name}.{self._extension}"
            if not path.exists():
                path.write_bytes(content)
            made.append(path)
        return made

    def _check_manifest(self, manifest: Any) -> None:
        if not isinstance(manifest, dict) or manifest.get("contract") != 1:
            raise _Failed(f"no manifest of contract 1: {manifest!r:.200}")
        rows = manifest.get("handlers")
        if not isinstance(manifest.get("application"), str) or not isinstance(rows, list) or not rows:
            raise _Failed("the manifest has no application or no handlers")
        if not isinstance(manifest.get("descriptors"), bool):
            raise _Failed("descriptors is true or false")
        for row in rows:
            for key, kind in (("name", str), ("version", int), ("summary", str), ("kinds", list), ("extensions", list),
                              ("operations", list), ("fields", list)):  # fmt: skip
                if not isinstance(row.get(key), kind):
                    raise _Failed(f"handlers[].{key} is {row.get(key)!r:.80}, not {kind.__name__}")
            if "read" not in row["operations"]:
                raise _Failed(f"{row['name']}: read is not among its operations")

    def _check_record(self, path: Path, record: Any) -> None:
        from mediadb_contract.fields import check_fields

        for key, kind in (("handler", str), ("handler_version", int), ("kind", str), ("format", str),
                          ("mime_type", str), ("fields", dict), ("keys", list), ("stat", list)):  # fmt: skip
            if not isinstance(record.get(key), kind):
                raise _Failed(f"{path.name}: {key} is {record.get(key)!r:.80}, not {kind.__name__}")
        if record["kind"] not in KINDS:
            raise _Failed(f"{path.name}: kind is {record['kind']!r}: it is {', '.join(KINDS)}")
        problems = check_fields(record["fields"])[1]
        if problems:
            raise _Failed(f"{path.name}: fields: {'; '.join(problems)}")
        for key in record["keys"]:
            if len(key) != 3 or key[0] not in GRADES or not isinstance(key[2], bytes):
                raise _Failed(f"{path.name}: keys: {key!r:.80} is not [grade, algorithm, bin]")
        found = path.stat()
        if list(record["stat"]) != [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]:
            raise _Failed(f"{path.name}: stat is {record['stat']}, not [inode, size, mtime_ns, ctime_ns] of the file")
