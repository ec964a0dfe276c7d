"""mediad.config: the file, the command line over it, and what it says about mistakes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediad import config as module
from mediad.config import Config, load_config
from mediad.errors import InvalidArgument

ONE_OF_EACH = {
    "data_dir": "/d", "socket": "/s", "dsn": "dbname=x", "group": "g", "log_level": "debug", "workers": 3,
    "board": True, "worker_memory": 1 << 26, "read_seconds": 1.5, "checksum_seconds": 2, "idle_seconds": 3.0,
    "database_seconds": 4.0, "cluster_programs": "/p", "cluster_account": "a", "handler_dirs": ["/h"],
    "exclude": ["*.x"], "freeze_share": 0.25, "freeze_files": 7, "deadline_seconds": 9,
    "templates": {"movie": "m/{title}.{ext}", "my-own": "{name}"},
    "sidecars": "sync", "sidecar_seconds": 1.0, "sidecar_actor": "anna", "group_role": "organise",
    "staging": ["/srv/data"], "staging_place": "hardlink", "staging_seconds": 5.0,
    "text": "on", "text_kinds": ["lyrics"], "text_rule": "kind:document", "text_limit": 1000, "text_seconds": 5.0,
}  # fmt: skip


def write(folder: Path, values: dict[str, object]) -> Path:
    path = folder / "mediad.toml"
    lines = []
    for key, value in values.items():
        text = str(value).lower() if isinstance(value, bool) else repr(value)
        if isinstance(value, dict):
            text = "{" + ", ".join(f"{name} = {inner!r}" for name, inner in value.items()) + "}"
        lines.append(f"{key} = {text}")
    path.write_text("\n".join(lines))
    return path


def test_every_key_can_be_set(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ONE_OF_EACH), {})
    for name, value in ONE_OF_EACH.items():
        found = getattr(config, name)
        wanted = Path(str(value)) if isinstance(found, Path) else tuple(value) if isinstance(value, list) else value
        assert found == wanted, name
        assert type(found) is type(getattr(Config(), name)) or isinstance(found, Path), name
    assert {f.name for f in fields(Config)} >= ONE_OF_EACH.keys()


def test_the_command_line_wins(tmp_path: Path) -> None:
    path = write(tmp_path, {"workers": 3, "dsn": "dbname=file"})
    config = load_config(path, {"workers": 1, "dsn": None, "socket": tmp_path / "s", "board": None})
    assert (config.workers, config.dsn, config.socket) == (1, "dbname=file", tmp_path / "s")


def test_no_file_needs_to_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "default_config_file", lambda: tmp_path / "none.toml")
    assert load_config(None, {}) == Config()
    with pytest.raises(InvalidArgument, match="cannot be read"):
        load_config(tmp_path / "none.toml", {})


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(None, {"data_dir": Path("here")}).data_dir == tmp_path / "here"


@pytest.mark.parametrize(
    ("key", "value"),
    [("workers", True), ("workers", 1.0), ("workers", -1), ("workers", "1"), ("board", 1), ("read_seconds", True),
     ("read_seconds", -0.1), ("read_seconds", "x"), ("exclude", "x"), ("exclude", [1]), ("data_dir", ""),
     ("data_dir", 1), ("dsn", 1), ("dsn", ["x"]), ("freeze_share", []),
     ("templates", "x"), ("templates", {"movie": 1}), ("templates", ["x"])],
)  # fmt: skip
def test_a_wrong_value_names_its_key(key: str, value: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        load_config(None, {key: value})
    assert caught.value.input == key.encode() and key in caught.value.message


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_an_unknown_key_is_named(key: str) -> None:
    if key in {f.name for f in fields(Config)}:
        return
    with pytest.raises(InvalidArgument) as caught:
        load_config(None, {key: 1})
    assert caught.value.input == key.encode()


@pytest.mark.parametrize("data", [b"workers = ", b"= 1", b"\xff\xfe", b"a = 1\na = 2"])
def test_what_is_not_toml(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "mediad.toml"
    path.write_bytes(data)
    with pytest.raises(InvalidArgument, match="is not TOML") as caught:
        load_config(path, {})
    assert caught.value.input == str(path).encode()


def test_roots_have_settings_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "mediad.toml"
    path.write_text('[roots."/a/b/"]\nsidecars = "sync"\n[roots."/a/b/c"]\nsidecars = "read"\n')
    config = load_config(path, {})
    places = [b"/a", b"/a/b", b"/a/b/x", b"/a/bc", b"/a/b/c", b"/a/b/c/d"]
    assert [config.sidecars_at(place) for place in places] == ["read", "sync", "sync", "read", "read", "read"]
    assert (config.writes_sidecars, Config().writes_sidecars, Config(sidecars="sync").writes_sidecars) == (
        True, False, True)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "named"),
    [('[roots."/a"]\nsidecar = "sync"', b"sidecar"), ('[roots."/a"]\nsidecars = "yes"', b"sidecars"),
     ('[roots.a]\nsidecars = "sync"', b"a"), ('roots = 1', b"roots"), ('[roots]\n"/a" = 1', b"/a"),
     ('sidecars = "write"', b"sidecars"), ('[roots."/a"]\nsidecars = ["sync"]', b"sidecars")],
)  # fmt: skip
def test_a_wrong_setting_of_a_root_is_named(tmp_path: Path, text: str, named: bytes) -> None:
    path = tmp_path / "mediad.toml"
    path.write_text(text)
    with pytest.raises(InvalidArgument) as caught:
        load_config(path, {})
    assert caught.value.input == named


def test_the_board_is_small() -> None:
    big, small = Config(workers=3), Config(workers=3, board=True)
    assert (big.worker_count, small.worker_count) == (3, 1)
    assert (big.requests_in_flight, small.requests_in_flight) == (128, 32)
    assert 1 <= Config().worker_count <= 4


def test_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """FHS for root, XDG for a person."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert module.default_socket() == Path("/run/user/7/mediad/socket")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert module.default_socket() == Path("/run/mediad/socket")
    monkeypatch.setattr(module.os, "getuid", lambda: 0)
    assert module.default_data_dir() == Path("/var/lib/mediad")
    assert module.default_config_file() == Path("/etc/mediad.toml")
    monkeypatch.setattr(module.os, "getuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", "/home/x/data")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/x/config")
    assert module.default_data_dir() == Path("/home/x/data/mediad")
    assert module.default_config_file() == Path("/home/x/config/mediad/mediad.toml")


@pytest.mark.parametrize(
    ("line", "key"),
    [('text = "yes"', b"text"), ('text_kinds = ["films"]', b"text_kinds"), ("text_limit = 0", b"text_limit"),
     ("text_limit = 8388609", b"text_limit"), ("text_rule = 1", b"text_rule")],
)  # fmt: skip
def test_the_text_settings_that_are_none(tmp_path: Path, line: str, key: bytes) -> None:
    path = tmp_path / "mediad.toml"
    path.write_text(line)
    with pytest.raises(InvalidArgument) as caught:
        load_config(path, {})
    assert caught.value.input == key
