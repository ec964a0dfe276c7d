"""The commands about persons whom the applications let in (mediactl.cli says how commands are)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from mediactl.clistate import State

if TYPE_CHECKING:
    from mediactl.accounts import User
    from mediactl.workcalls import Call

_Role = click.Choice(["read", "write", "organise", "admin"])


def _password(*, confirmed: bool = True) -> str:
    """A password: asked for on the terminal without showing it, else the first line of standard input."""
    if sys.stdin.isatty():
        value: str = click.prompt("Password", hide_input=True, confirmation_prompt=confirmed, err=True)
        return value
    line = sys.stdin.readline()
    if not line:
        raise click.UsageError("The password is the first line of standard input, which has none.")
    return line.rstrip("\r\n")


def _ident(text: str) -> UUID:
    from mediactl.requests import parse_id

    found = parse_id(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no id.", param_hint="ID")
    return found


def _changed(state: State, call: Call[User], say: Callable[[User], str]) -> int:
    from mediactl import accounts

    with state.client() as client:
        found = client.run(call)
    if state.output.human:
        state.output.lines([say(found)])
    else:
        state.output.value(accounts.describe(found))
    return state.finish()


def _show(state: State, user: str, part: str) -> int:
    """Lists the `users`, `keys` or `sessions` of all or of one."""
    from mediactl import accounts

    with state.client() as client:
        found: list[Any] = getattr(client.run(accounts.listed(user)), part)
    lines: Any = {"users": accounts.user_lines, "keys": accounts.key_lines, "sessions": accounts.session_lines}[part]
    state.output.show(found, accounts.describe, lines(found, state.output.width) if state.output.human else [])
    return state.finish()


# ------------------------------------------------------------------ user


@click.group()
def user() -> None:
    """Persons whom the applications (the page, OpenSubsonic) let in."""


@user.command(name="list")
@click.argument("name", default="")
@click.pass_obj
def list_users(state: State, name: str) -> int:
    """Lists all persons, or one."""
    return _show(state, name, "users")


@user.command(name="create")
@click.argument("name")
@click.option("--role", type=_Role, required=True, help="Each may do what those before it may.")
@click.pass_obj
def create_user(state: State, name: str, role: str) -> int:
    """A new person. The password is asked for, or the first line of standard input."""
    from mediactl import accounts

    call = accounts.create(name, role, _password())
    return _changed(state, call, lambda found: f"{found.name}: {found.role}")


@user.command(name="remove")
@click.argument("name")
@click.pass_obj
def remove_user(state: State, name: str) -> int:
    """Removes a person, with keys and sessions. What the person did to items stays."""
    from mediactl import accounts

    return _changed(state, accounts.remove(name), lambda found: f"{found.name} is removed")


@user.command(name="role")
@click.argument("name")
@click.argument("role", type=_Role)
@click.pass_obj
def change_role(state: State, name: str, role: str) -> int:
    """Gives a person another role."""
    from mediactl import accounts

    return _changed(state, accounts.change_role(name, role), lambda found: f"{found.name}: {found.role}")


@user.command(name="password")
@click.argument("name")
@click.pass_obj
def change_password(state: State, name: str) -> int:
    """Gives a person another password, asked for or the first line of standard input. Sessions end, keys stay."""
    from mediactl import accounts

    call = accounts.change_password(name, _password())
    return _changed(state, call, lambda found: f"{found.name} has a new password")


# ------------------------------------------------------------------ key


@click.group()
def key() -> None:
    """Keys of persons' devices: API keys, and passwords of OpenSubsonic."""


@key.command(name="list")
@click.argument("user", default="")
@click.pass_obj
def list_keys(state: State, user: str) -> int:
    """Lists all keys, or those of USER, without their secrets."""
    return _show(state, user, "keys")


@key.command(name="create")
@click.argument("user")
@click.argument("name")
@click.pass_obj
def create_key(state: State, user: str, name: str) -> int:
    """A key of USER called NAME ("phone"); prints its secret, which is never shown again."""
    from mediactl import accounts

    with state.client() as client:
        made = client.run(accounts.create_key(user, name))
    if state.output.human:
        state.output.lines([made.secret])
    else:
        state.output.value({**accounts.describe(made.key), "secret": made.secret})
    return state.finish()


@key.command(name="remove")
@click.argument("ident", metavar="ID")
@click.pass_obj
def remove_key(state: State, ident: str) -> int:
    """Removes a key: its device is let in no more."""
    from mediactl import accounts

    return _changed(state, accounts.remove_key(_ident(ident)), lambda found: f"a key of {found.name} is removed")


# ------------------------------------------------------------------ session


@click.group()
def session() -> None:
    """Browsers that are logged in."""


@session.command(name="list")
@click.argument("user", default="")
@click.pass_obj
def list_sessions(state: State, user: str) -> int:
    """Lists all sessions, or those of USER."""
    return _show(state, user, "sessions")


@session.command(name="remove")
@click.argument("ident", metavar="ID")
@click.pass_obj
def remove_session(state: State, ident: str) -> int:
    """Ends a session: that browser has to log in again."""
    from mediactl import accounts

    call = accounts.remove_session(_ident(ident))
    return _changed(state, call, lambda found: f"a session of {found.name} has ended")


COMMANDS = (user, key, session)
