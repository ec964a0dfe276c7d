"""Persons whom the applications let in, their keys and sessions: the values, the calls, and how they are shown.

Both clients run the calls: `client.run(accounts.create("anna", "write", password))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mediactl import requests
from mediactl.jsontext import Seconds
from mediactl.terminal import Column, Table
from mediactl.wording import say_time
from mediactl.workcalls import Call
from mediad.wire.display import show_text
from mediadb_contract import mediadb_pb2 as pb


@dataclass(frozen=True, slots=True)
class User:
    """A person. Times in nanoseconds since the Unix epoch; `seen_at_ns` is exact to an hour, None: never."""

    name: str
    role: str  # read, write, organise, admin
    created_at_ns: int
    seen_at_ns: int | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A device's key, without its secret."""

    id: UUID
    user: str
    name: str
    created_at_ns: int
    used_at_ns: int | None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in."""

    id: UUID
    user: str
    client: str
    created_at_ns: int
    used_at_ns: int
    expires_at_ns: int


@dataclass(frozen=True, slots=True)
class Accounts:
    """All there is, or what is one person's."""

    users: list[User]
    keys: list[ApiKey]
    sessions: list[Session]


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key; `secret` is told this once."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session that a password made."""

    user: User
    session: str
    expires_at_ns: int


@dataclass(frozen=True, slots=True)
class Known:
    """Whose a secret is: `user` and `id` (of the key or session); without a secret `nobody` tells whether there is no
    person at all."""

    user: User | None
    id: UUID | None
    nobody: bool


# ------------------------------------------------------------------ calls


def _user(found: pb.User) -> User:
    return User(found.name, found.role, found.created_at_ns, found.seen_at_ns or None)


def _key(found: pb.ApiKey) -> ApiKey:
    return ApiKey(UUID(bytes=found.id), found.user, found.name, found.created_at_ns, found.used_at_ns or None)


def _account(**what: Any) -> pb.Request:
    return pb.Request(operation=requests.new_operation(), account=pb.AccountRequest(**what))


def _change(**what: Any) -> Call[User]:
    return Call(_account(**what), lambda replies: _user(replies[-1].account.user))


def create(name: str, role: str, password: str) -> Call[User]:
    """A new person."""
    return _change(action="create", name=name, role=role, password=password)


def remove(name: str) -> Call[User]:
    """A person goes, with keys and sessions; what it did stays."""
    return _change(action="remove", name=name)


def change_role(name: str, role: str) -> Call[User]:
    """Another role, from the next request on."""
    return _change(action="role", name=name, role=role)


def change_password(name: str, password: str) -> Call[User]:
    """Another password; the person's sessions end, keys stay."""
    return _change(action="password", name=name, password=password)


def create_key(name: str, key_name: str) -> Call[MadeKey]:
    """A key of a person, for one device: with its secret, which is never told again."""

    def decode(replies: Sequence[pb.Reply]) -> MadeKey:
        return MadeKey(_key(replies[-1].account.key), replies[-1].account.secret)

    return Call(_account(action="key", name=name, key_name=key_name), decode)


def remove_key(number: UUID) -> Call[User]:
    """A key lets nobody in any more. Returns whose it was."""
    return _change(action="unkey", id=number.bytes)


def remove_session(number: UUID) -> Call[User]:
    """A session ends. Returns whose it was."""
    return _change(action="unsession", id=number.bytes)


def listed(name: str = "") -> Call[Accounts]:
    """All persons, keys and sessions, or those of one person."""

    def decode(replies: Sequence[pb.Reply]) -> Accounts:
        found = [reply.accounts for reply in replies]
        sessions = [
            Session(UUID(bytes=s.id), s.user, s.client, s.created_at_ns, s.used_at_ns, s.expires_at_ns)
            for each in found for s in each.sessions
        ]  # fmt: skip
        users = [_user(u) for each in found for u in each.users]
        return Accounts(users, [_key(k) for each in found for k in each.keys], sessions)

    return Call(pb.Request(accounts=pb.AccountsRequest(name=name)), decode)


def log_in(name: str, password: str, *, client: str = "", origin: str = "") -> Call[LoggedIn]:
    """A session for a person's password. `origin`: who asks, for the limit of attempts."""
    command = pb.LoginRequest(name=name, password=password, client=client, origin=origin)

    def decode(replies: Sequence[pb.Reply]) -> LoggedIn:
        found = replies[-1].login
        return LoggedIn(_user(found.user), found.session, found.expires_at_ns)

    return Call(pb.Request(login=command), decode)


def log_out(session: str) -> Call[None]:
    """Ends a session."""
    return Call(pb.Request(logout=pb.LogoutRequest(session=session)), lambda _replies: None)


def authenticate(
    *, session: str = "", key: str = "", name: str = "", token: str = "", salt: str = "", origin: str = ""
) -> Call[Known]:  # fmt: skip
    """Whose a session, a key, or a token (md5(key + salt), with the name) is."""
    command = pb.AuthenticateRequest(session=session, key=key, name=name, token=token, salt=salt, origin=origin)

    def decode(replies: Sequence[pb.Reply]) -> Known:
        found = replies[-1].authenticate
        user = _user(found.user) if found.HasField("user") else None
        return Known(user, UUID(bytes=found.id) if found.id else None, found.nobody)

    return Call(pb.Request(authenticate=command), decode)


# ------------------------------------------------------------------ as people and programs read them


def describe(found: User | ApiKey | Session) -> dict[str, Any]:
    """A value for JSON: what is not known is left out."""
    told: dict[str, Any] = {}
    for name in type(found).__slots__:
        value = getattr(found, name)
        if isinstance(value, UUID):
            told[name] = str(value)
        elif name.endswith("_ns"):
            if value is not None:
                told[name.removesuffix("_ns")] = Seconds(value)
        else:
            told[name] = value
    return told


def _when(nanoseconds: int | None) -> str:
    return "never" if nanoseconds is None else say_time(nanoseconds)


def user_lines(found: Sequence[User], width: int | None) -> list[str]:
    if not found:
        return ["nobody yet: mediactl user create NAME --role admin"]
    columns = [Column("NAME", weight=1), Column("ROLE"), Column("SINCE"), Column("SEEN")]
    rows = [[show_text(e.name), e.role, say_time(e.created_at_ns), _when(e.seen_at_ns)] for e in found]
    return Table(columns, width).lines(rows)


def key_lines(found: Sequence[ApiKey], width: int | None) -> list[str]:
    if not found:
        return ["no keys yet: mediactl key create USER NAME"]
    columns = [Column("USER"), Column("KEY", weight=1), Column("SINCE"), Column("USED"), Column("ID")]
    rows = [
        [show_text(e.user), show_text(e.name), say_time(e.created_at_ns), _when(e.used_at_ns), str(e.id)]
        for e in found
    ]  # fmt: skip
    return Table(columns, width).lines(rows)


def session_lines(found: Sequence[Session], width: int | None) -> list[str]:
    if not found:
        return ["nobody is logged in"]
    columns = [Column("USER"), Column("CLIENT", weight=1), Column("USED"), Column("UNTIL"), Column("ID")]
    rows = [
        [show_text(e.user), show_text(e.client), say_time(e.used_at_ns), say_time(e.expires_at_ns), str(e.id)]
        for e in found
    ]  # fmt: skip
    return Table(columns, width).lines(rows)
