"""What leaves the clone: the list of packages, the sdist, the wheel, and what each installs.

setuptools says nothing about a package missing from `packages =`, so the list is compared with the tree, and the wheel
(built from the sdist, so that MANIFEST.in is tried too) with every file that should be in it. Everything is built in a
copy: a build writes into its source.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = {".sql", ".json", ".proto", ".pyi", ".typed"}
SKIPPED = shutil.ignore_patterns(
    ".git", ".venv*", ".run", ".node*", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", "node_modules"
)

pytestmark = pytest.mark.slow


def options() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def folders() -> dict[str, Path]:
    """package_dir: top package (or mapped subpackage) -> its folder."""
    rows = options()["options"]["package_dir"].strip().splitlines()
    return {name.strip(): ROOT / folder.strip() for name, folder in (row.split("=") for row in rows)}


def packages_in_tree(mapping: dict[str, Path]) -> set[str]:
    """Every folder below a mapped one that holds Python, by its import name."""
    found = set()
    for top, folder in mapping.items():
        for current, below, files in os.walk(folder):
            below[:] = [name for name in below if name != "__pycache__"]
            if any(name.endswith(".py") for name in files):
                inside = Path(current).relative_to(folder).parts
                found.add(".".join((top, *inside)))
    return found


def listed() -> set[str]:
    return set(options()["options"]["packages"].split())


def modules_in_tree() -> set[str]:
    """Import names of all modules of all packages, from the files; without __main__, which is there to be run."""
    names = set()
    for top, folder in folders().items():
        for file in (file for file in folder.rglob("*.py") if file.name != "__main__.py"):
            parts = (top, *file.relative_to(folder).with_suffix("").parts)
            names.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def test_the_list_of_packages_is_the_tree() -> None:
    assert listed() == packages_in_tree(folders())


def test_a_package_missing_from_the_list_is_found(tmp_path: Path) -> None:
    """The comparison above can fail: a new folder with a module makes the tree larger than the list."""
    copy = tmp_path / "mediad"
    shutil.copytree(ROOT / "mediad", copy, ignore=SKIPPED)
    (copy / "novelty").mkdir()
    (copy / "novelty" / "__init__.py").write_text("")
    assert packages_in_tree(folders() | {"mediad": copy}) - listed() == {"mediad.novelty"}


def test_every_package_has_an_init() -> None:
    mapping = folders()
    for package in packages_in_tree(mapping):
        top = max((name for name in mapping if f"{package}.".startswith(f"{name}.")), key=len)
        folder = mapping[top].joinpath(*package.removeprefix(top).strip(".").split("."))
        assert (folder / "__init__.py").is_file(), f"{package} has no __init__.py"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the clone without what is built or installed in it."""
    copy = tmp_path_factory.mktemp("source") / "mediadb"
    shutil.copytree(ROOT, copy, ignore=SKIPPED)
    return copy


@pytest.fixture(scope="module")
def distributions(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(sdist, wheel); the wheel is made from the sdist."""
    target = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", target, source],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    (sdist,), (wheel,) = target.glob("*.tar.gz"), target.glob("*.whl")
    return sdist, wheel


def test_the_wheel_holds_every_module_and_its_data(distributions: tuple[Path, Path]) -> None:
    expected = set()
    for top, folder in folders().items():
        for file in folder.rglob("*"):
            if file.suffix in DATA | {".py"} and file.is_file():
                expected.add("/".join((*top.split("."), *file.relative_to(folder).parts)))
    with zipfile.ZipFile(distributions[1]) as wheel:
        inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == expected


def test_the_sdist_holds_what_the_clone_holds(source: Path, distributions: tuple[Path, Path]) -> None:
    with tarfile.open(distributions[0]) as sdist:
        inside = {name.partition("/")[2] for name in sdist.getnames()}
    needed = {"LICENSE", "Makefile", "README.md", "systemd/mediad.service", "proto/mediadb.proto", "samples/SOURCES.md"}
    needed |= {str(file.relative_to(ROOT)) for file in (ROOT / "tests").rglob("*.py")}
    assert needed - inside == set()


def fresh_environment(folder: Path) -> Path:
    """A new virtual environment that sees this one's libraries but none of its .pth files, so not the editable
    mediadb; returns its python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    libraries = sysconfig.get_path("purelib")
    (folder / "lib" / version / "site-packages" / "libraries.pth").write_text(f"{libraries}\n")
    return folder / "bin" / "python"


def install(python: Path, *what: str | Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", *what],
        check=True,
        timeout=300,
    )


IMPORT_ALL = """
import importlib, importlib.resources, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
import mediad
assert importlib.resources.files("mediad.sql").joinpath("schema.sql").is_file()
assert importlib.resources.files("mediadb_contract").joinpath("fields.json").is_file()
print(mediad.__file__)
"""


def import_everything(python: Path, elsewhere: Path) -> str:
    """Imports all modules from `elsewhere`, isolated from the clone; returns where mediad was found."""
    done = subprocess.run(
        [python, "-I", "-c", IMPORT_ALL, *sorted(modules_in_tree())],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_installed_wheel_imports(distributions: tuple[Path, Path], tmp_path: Path) -> None:
    python = fresh_environment(tmp_path / "environment")
    install(python, distributions[1])
    assert import_everything(python, tmp_path).startswith(str(tmp_path))
    commands = options()["options.entry_points"]["console_scripts"].strip().splitlines()
    for command in commands:
        assert (python.parent / command.split("=")[0].strip()).is_file()
    for words in (("media-handler", "--describe"), ("mediactl", "--version"), ("mediad", "--help")):
        done = subprocess.run(
            [python.parent / words[0], *words[1:]], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, bool(done.stdout)) == (0, True), done.stderr


def test_the_editable_install_imports(source: Path, tmp_path: Path) -> None:
    python = fresh_environment(tmp_path / "environment")
    install(python, "--no-build-isolation", "-e", source)
    assert import_everything(python, tmp_path) == str(source / "mediad" / "__init__.py")
