"""As whom PostgreSQL runs: it refuses root, so a daemon that is root starts it under an account without rights."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mediad.errors import Unavailable

# In this order, when the daemon is root and no account is configured; the first is created where neither exists.
USUAL_ACCOUNTS = ("mediad", "postgres")


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs PostgreSQL; `switched` when that is somebody other than this process."""

    name: str
    uid: int
    gid: int
    switched: bool

    def command(self, *argv: str | Path, tied: bool = False) -> list[str]:
        """`argv` as this account; `tied` lets SIGINT, PostgreSQL's fast shutdown, reach it when this process dies
        (prctl(2), PR_SET_PDEATHSIG, which a change of account would clear: so setpriv(1) sets it after that)."""
        options = ["--reuid", str(self.uid), "--regid", str(self.gid), "--clear-groups"] if self.switched else []
        options += ["--pdeathsig", "INT"] if tied else []
        if not options:
            return [os.fspath(part) for part in argv]
        setpriv = shutil.which("setpriv", path="/usr/bin:/bin:/usr/sbin:/sbin")
        if setpriv is None:
            raise Unavailable("setpriv (of util-linux) is needed to run the embedded PostgreSQL and was not found")
        return [setpriv, *options, "--", *(os.fspath(part) for part in argv)]


def find_account(configured: str | None) -> Account:
    """The account for PostgreSQL; as root one is created where none of the usual ones exists.

    Raises Unavailable: the configured one does not exist, is root, or is not this process's and this is not root."""
    if os.geteuid() != 0:
        own = _lookup(str(os.geteuid())) or Account(str(os.geteuid()), os.geteuid(), os.getegid(), False)
        if configured is not None and configured != own.name:
            raise Unavailable(
                f"only root can run the embedded PostgreSQL as another account; this is {own.name}", configured
            )
        return Account(own.name, os.geteuid(), os.getegid(), False)
    for name in (configured,) if configured is not None else USUAL_ACCOUNTS:
        found = _lookup(name)
        if found is not None:
            if found.uid == 0:
                raise Unavailable("PostgreSQL refuses to run as root; configure another account", name)
            return found
    if configured is not None:
        raise Unavailable("the account configured for the embedded PostgreSQL does not exist", configured)
    return _create(USUAL_ACCOUNTS[0])


def choose_account(configured: str | None, cluster: Path) -> Account:
    """The configured account, else the one that owns an existing cluster, else a usual one (find_account).

    Raises Unavailable where an existing cluster belongs to somebody else."""
    try:
        owner = cluster.stat().st_uid
    except FileNotFoundError:
        return find_account(configured)
    if configured is None and os.geteuid() == 0 and owner != 0:
        with contextlib.suppress(KeyError):
            configured = pwd.getpwuid(owner).pw_name
    account = find_account(configured)
    if owner != account.uid:
        raise Unavailable(
            f"the embedded cluster belongs to uid {owner}, PostgreSQL would run as {account.name} "
            f"(uid {account.uid}): chown -R the folder, or configure its owner's account",
            os.fspath(cluster),
        )
    return account


def _lookup(name: str) -> Account | None:
    try:
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, True)


def _create(name: str) -> Account:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    hint = f"create the account {name!r}, or configure an existing one"
    if useradd is None:
        raise Unavailable(f"PostgreSQL refuses to run as root and useradd was not found; {hint}")
    argv = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
    found = _lookup(name)
    if found is None:
        raise Unavailable(f"PostgreSQL refuses to run as root and useradd failed ({done.stderr.strip()}); {hint}")
    return found


async def check_reach(account: Account, folder: Path) -> None:
    """See that the account can get down to `folder`. Raises Unavailable naming the one that bars the way."""
    if not account.switched:
        return
    above = [*reversed(folder.parents), folder]
    script = 'for d; do test -x "$d" || { printf %s "$d"; exit 1; }; done'
    argv = account.command("/bin/sh", "-c", script, "sh", *above)
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"}
    )
    blocked, error = await process.communicate()
    if process.returncode == 0:
        return
    if not blocked:
        raise Unavailable(f"cannot run as account {account.name}: {error.decode('utf-8', 'replace').strip()}")
    raise Unavailable(
        f"PostgreSQL runs as account {account.name}, which may not enter this folder: "
        f"chmod o+x it, or choose another --data-dir",
        blocked,
    )
