"""The daemon's configuration: mediad.toml, then the command line. Every default with its reason.

Places follow XDG for a person and FHS for the service (root): docs/operations.md.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from mediad.errors import InvalidArgument

# Walked over nowhere: what programs leave behind, and trees that are not a person's media.
DEFAULT_EXCLUDE = (
    ".git", ".hg", ".svn", "node_modules", "__pycache__", ".cache", ".Trash-*", "$RECYCLE.BIN", "lost+found",
    "System Volume Information", ".Spotlight-V100", ".fseventsd", "@eaDir", ".DS_Store", "Thumbs.db", "*.part",
    ".mediad-*",
)  # fmt: skip


def default_data_dir() -> Path:
    """Root runs the service (FHS 5.8 /var/lib); a person has $XDG_DATA_HOME (XDG Base Directory 0.8)."""
    if os.getuid() == 0:
        return Path("/var/lib/mediad")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "mediad"


def default_socket() -> Path:
    """$XDG_RUNTIME_DIR/mediad/socket for a person, /run/mediad/socket for the service."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "mediad/socket" if runtime else Path("/run/mediad/socket")


def default_config_file() -> Path:
    """/etc/mediad.toml for the service, $XDG_CONFIG_HOME/mediad/mediad.toml for a person; it need not exist."""
    if os.getuid() == 0:
        return Path("/etc/mediad.toml")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "mediad/mediad.toml"


TEXT_KINDS = ("document", "subtitle", "lyrics")
TEXT_LIMIT_MOST = 8 * 1024 * 1024  # the contract's (handlers/README.md, `text`)
CHOICES = {  # settings whose text is one of these
    "sandbox": ("best-effort", "require"),
    "group_role": ("read", "write", "organise"),
    "sidecars": ("read", "sync"),
    "staging_place": ("offer", "hardlink"),
    "text": ("off", "on"),
}
ROLES = ("read", "write", "organise", "admin")  # each may do what those before it may (settled 24)
ROOT_SETTINGS = ("sidecars",)  # what a table [roots."/path"] may set for all below that path


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. Keys of mediad.toml are the names of these fields."""

    data_dir: Path = field(default_factory=default_data_dir)
    socket: Path = field(default_factory=default_socket)
    dsn: str = ""  # empty: the embedded cluster in data_dir
    group: str = "media"  # its members have group_role; ignored while the group does not exist
    group_role: str = "write"  # "organise": they may move, copy and link files, too
    peers: Mapping[str, str] = field(default_factory=dict)  # roles by name of account, before group_role
    log_level: str = "info"
    workers: int = 0  # 0: one a processor, at most 4: parsing is bound by the processor
    board: bool = False  # one core and 256 MB: one worker, 32 requests in flight, idle sooner
    worker_memory: int = 128 * 1024 * 1024  # bytes of address space: all good samples parse with 96 MiB
    sandbox: str = "best-effort"  # "require": a handler without a system call filter is not used
    read_seconds: float = 20.0  # a file that takes longer hurts nobody else
    checksum_seconds: float = 60.0  # without any progress
    text: str = "off"  # "on": the words inside files that the rule takes are indexed, when nothing is to be read
    text_kinds: tuple[str, ...] = TEXT_KINDS  # the rule, where text_rule is empty
    text_rule: str = ""  # a query: what it finds, "kind:document size:<20M"
    text_limit: int = 4 * 1024 * 1024  # bytes of UTF-8 of one file: a novel has 1 MB, the Bible 4
    text_seconds: float = 60.0  # without a piece or an answer
    preview_bytes: int = 512 * 1024 * 1024  # of previews kept in the data folder: 25,000 of 320 pixels; 0: none
    preview_memory: int = 1024 * 1024 * 1024  # bytes of address space for the largest picture: some 100 megapixels
    idle_seconds: float = 30.0  # then workers leave: an idle board sleeps
    database_seconds: float = 5.0  # our own deadline: statement_timeout does not help against a frozen server
    cluster_programs: str = ""  # folder with initdb and postgres; empty: the system's, else the pip package's
    cluster_account: str = ""  # as root: the account PostgreSQL runs under
    handler_dirs: tuple[str, ...] = ()  # folders with executables named *-handler
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    freeze_share: float = 0.5  # a root that loses more than this share and
    freeze_files: int = 100  # more than this many files at once is frozen
    shared_least: int = 4096  # bytes: equal payloads below it are equal by chance, each file has its own item
    feed_keep: int = 1_000_000  # events that were merely seen stay so long; what a person did stays for ever
    rescan_hours: float = 24.0  # every watched root is walked again after so long, whatever the kernel told; 0: never
    remote_minutes: float = 60.0  # roots on a network file system are walked so often: no kernel event tells of them
    poll_seconds: float = 30.0  # folders for which the kernel gives no watch are looked at so often
    settle_seconds: float = 0.05  # a folder that has been quiet for so long is looked at
    staging: tuple[str, ...] = ()  # media trees whose staging folders are looked at: docs/moves.md
    staging_place: str = "offer"  # "hardlink": what has arrived gets its place in media/ by itself
    staging_seconds: float = 60.0  # that a release must have been at rest
    templates: dict[str, str] = field(default_factory=dict)  # names of files to be, over the defaults: docs/names.md
    sidecars: str = "read"  # "sync": XMP side files are written too; nobody's folder is written to unasked
    sidecar_seconds: float = 2.0  # then: a file is merged with its side file when nothing was said of it for so long
    sidecar_actor: str = ""  # whose rating xmp:Rating is; empty: that of whoever rated last
    roots: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # settings for what lies below a path
    deadline_seconds: float = 30.0  # of a request whose client sets none (add and checksum have none)

    @property
    def worker_count(self) -> int:
        """How many handler workers may run at once."""
        if self.board:
            return 1
        return self.workers or min(4, len(os.sched_getaffinity(0)))

    def sidecars_at(self, path: bytes) -> str:
        """`sidecars` for a path of this host: of the innermost path that has a table, else everybody's."""
        best, found = -1, self.sidecars
        for place, settings in self.roots.items():
            top = os.fsencode(place).rstrip(b"/")
            if len(top) > best and "sidecars" in settings and (path == top or path.startswith(top + b"/")):
                best, found = len(top), settings["sidecars"]
        return found

    @property
    def writes_sidecars(self) -> bool:
        """Whether side files are kept in step anywhere."""
        return self.sidecars == "sync" or any(each.get("sidecars") == "sync" for each in self.roots.values())

    @property
    def preview_memory_most(self) -> int:
        """Bytes of address space that a worker for previews may have."""
        return min(self.preview_memory, 256 * 1024 * 1024) if self.board else self.preview_memory

    @property
    def requests_in_flight(self) -> int:
        """How many requests one connection may have under way (settled 23)."""
        return 32 if self.board else 128


def load_config(path: Path | None, overrides: dict[str, Any]) -> Config:
    """Reads `path` (or the default place, if there is a file) and puts the command line's values over it.

    Raises InvalidArgument naming the file and the key: an unknown key, a value of the wrong type, an unreadable file.
    """
    config = Config()
    source = path or default_config_file()
    if path is not None or source.is_file():
        try:
            values = tomllib.loads(source.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidArgument(f"the configuration cannot be read: {error.strerror}", str(source)) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidArgument(f"the configuration is not TOML: {error}", str(source)) from error
        config = _apply(config, values, str(source))
    return _apply(config, {key: value for key, value in overrides.items() if value is not None}, "command line")


def _apply(config: Config, values: dict[str, Any], source: str) -> Config:
    known = {f.name: getattr(config, f.name) for f in fields(Config)}
    changes: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise InvalidArgument(f"{source}: there is no setting of that name", key)
        changes[key] = _convert(key, value, known[key], source)
    return replace(config, **changes)


def _convert(key: str, value: Any, like: Any, source: str) -> Any:
    if key == "roots":
        return _convert_roots(value, source)
    if key == "peers" and isinstance(value, dict):
        for account, role in value.items():
            if role not in ROLES:
                raise InvalidArgument(f"{source}: peers: a role is {', '.join(ROLES)}, not {role!r}", account)
    if isinstance(like, Path) and isinstance(value, str | Path) and str(value):
        return Path(os.path.abspath(value))
    if isinstance(like, dict) and isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
        return dict(value)
    if isinstance(like, tuple) and isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        if key == "text_kinds" and not set(value) <= set(TEXT_KINDS):
            raise InvalidArgument(f"{source}: text_kinds are {', '.join(TEXT_KINDS)}, not {list(value)!r}", key)
        return tuple(value)
    if isinstance(like, bool) or isinstance(value, bool):
        if isinstance(like, bool) and isinstance(value, bool):
            return value
    elif isinstance(like, float) and isinstance(value, int | float) and value >= 0:
        return float(value)
    elif isinstance(like, int) and isinstance(value, int) and value >= 0:
        if key == "text_limit" and not 0 < value <= TEXT_LIMIT_MOST:
            raise InvalidArgument(f"{source}: text_limit is 1 to {TEXT_LIMIT_MOST} bytes, not {value}", key)
        return value
    elif isinstance(like, str) and isinstance(value, str):
        if value not in CHOICES.get(key, (value,)):
            raise InvalidArgument(f"{source}: {key} is {' or '.join(CHOICES[key])}, not {value!r}", key)
        return value
    wanted = {bool: "true or false", float: "a number", int: "a whole number", str: "text"}
    wanted |= {tuple: "a list of texts", dict: "a table of texts"}
    kind = next((text for type_, text in wanted.items() if isinstance(like, type_)), "a path")
    raise InvalidArgument(f"{source}: {key} takes {kind}, not {value!r}", key)


def _convert_roots(value: Any, source: str) -> dict[str, dict[str, str]]:
    """The tables [roots."/path"]. Raises InvalidArgument naming the path or the key."""
    if not isinstance(value, dict):
        raise InvalidArgument(f'{source}: roots takes tables, [roots."/path"], not {value!r}', "roots")
    for place, settings in value.items():
        if not place.startswith("/"):
            raise InvalidArgument(f"{source}: roots: the path of a table is absolute", place)
        if not isinstance(settings, dict):
            raise InvalidArgument(f'{source}: roots takes tables, [roots."/path"], not {settings!r}', place)
        for key, text in settings.items():
            if key not in ROOT_SETTINGS:
                raise InvalidArgument(f"{source}: there is no setting of that name for a root", key)
            if text not in CHOICES[key]:
                raise InvalidArgument(f"{source}: {key} is {' or '.join(CHOICES[key])}, not {text!r}", key)
    return {os.path.normpath(place): dict(settings) for place, settings in value.items()}
