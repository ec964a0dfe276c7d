"""Persons whom the applications let in, their keys and their sessions (settled 24, decision 0017)."""

from __future__ import annotations

import hmac
import json
import re
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mediad.config import ROLES
from mediad.errors import AlreadyExists, Conflict, InvalidArgument, LimitExceeded, NotFound, PermissionDenied
from mediad.index.attempts import ATTEMPTS, ATTEMPTS_ON_A_NAME, Attempts
from mediad.index.passwords import (
    Hasher,
    check_password,
    check_stored,
    digest_of,
    make_key_secret,
    make_session_secret,
    token_matches,
)
from mediad.store.store import Store, now_ns, pack

NAME_MOST = 64  # characters
KEYS_MOST = 64  # of one person: a token is compared with all of them
SESSIONS_MOST = 64
SESSION_NS = 30 * 24 * 3600 * 10**9  # sliding
_USED_NS = 3600 * 10**9  # when it was used is written so often: idle means asleep
_SECRET_MOST = 1024  # characters of what is compared
_TOKEN = re.compile(r"[0-9a-fA-F]{32}\Z")


@dataclass(frozen=True, slots=True)
class Person:
    """A person, as others may know it."""

    name: str
    role: str
    created_ns: int
    seen_ns: int | None


@dataclass(frozen=True, slots=True)
class Key:
    """A key; `secret` only where it has just been made."""

    id: uuid.UUID
    person: str
    name: str
    created_ns: int
    used_ns: int | None
    secret: str = ""


def check_name(name: str, what: str = "a person's name") -> str:
    """A name as it is kept: one line, spaces single. Raises InvalidArgument."""
    clean = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(clean) <= NAME_MOST:
        raise InvalidArgument(f"{what} has 1 to {NAME_MOST} characters", name[:200])
    if any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn") for each in clean):
        raise InvalidArgument(f"{what} has no control characters", name[:200])
    return clean


def fold_name(name: str) -> str:
    """By which a person is found: the same for Anna and anna (Unicode 3.13, canonical caseless match). Of a text that
    cannot be a name as well."""
    folded = unicodedata.normalize("NFC", name[:_SECRET_MOST]).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).replace("\0", " ").split()).encode("utf-8", "replace").decode()


def check_role(role: str) -> str:
    """Raises InvalidArgument for what is no role."""
    if role not in ROLES:
        raise InvalidArgument(f"the roles are {', '.join(ROLES)}", role[:100])
    return role


class Persons:
    """What is stored of persons, and who a secret belongs to."""

    def __init__(self, store: Store, *, board: bool = False) -> None:
        self._store = store
        self._hasher = Hasher(board=board)
        self.logins = Attempts()
        self.secrets = Attempts()

    # -------------------------------------------------------------- keeping them

    async def create(self, name: str, role: str, password: str, operation: uuid.UUID) -> Person:
        """A new person. Sent again under the same operation it is there already. Raises AlreadyExists,
        InvalidArgument."""
        name, number = check_name(name), uuid.uuid5(operation, "person")
        check_role(role)
        stored = await self._hasher.hash(check_password(password))
        row = (number, name, fold_name(name), role, pack(stored), now_ns())
        await self._store.write([("make_person", row)], give_up_after=30.0)
        found = await self._find(name)
        if found[0] != number:
            raise AlreadyExists("there is a person of that name", name)
        return found[1]

    async def remove(self, name: str) -> Person:
        """A person goes, with keys and sessions; what it did stays. Raises NotFound, Conflict for the last admin."""
        number, person = await self._find(name)
        unit = [("hold_admins", ()), ("remove_person", (number,)), ("person_role", (number,))]
        left = (await self._store.write(unit, give_up_after=30.0))[-1]
        if left:
            raise _last_admin(person.name)
        return person

    async def change_role(self, name: str, role: str) -> Person:
        """Another role, from the next request on. Raises NotFound, InvalidArgument, Conflict for the last admin."""
        number, person = await self._find(name)
        check_role(role)
        unit = [("hold_admins", ()), ("change_role", (number, role)), ("person_role", (number,))]
        left = (await self._store.write(unit, give_up_after=30.0))[-1]
        if not left:
            raise _no_person(name)
        if left[0][0] != role:
            raise _last_admin(person.name)
        return Person(person.name, role, person.created_ns, person.seen_ns)

    async def change_password(self, name: str, password: str) -> Person:
        """Another password; sessions end, keys stay. Raises NotFound, InvalidArgument."""
        number, person = await self._find(name)
        stored = await self._hasher.hash(check_password(password))
        unit = [("hold_person", (number,)), ("change_password", (number, pack(stored)))]
        await self._store.write(unit, give_up_after=30.0)
        return person

    async def make_key(self, name: str, key_name: str, operation: uuid.UUID) -> tuple[Person, Key]:
        """A key with its secret. Sent again under the same operation it is the same one. Raises NotFound,
        InvalidArgument, LimitExceeded."""
        number, person = await self._find(name)
        what, key, secret = check_name(key_name, "a key's name"), uuid.uuid5(operation, "key"), make_key_secret()
        row = (key, number, what, secret, digest_of(secret), KEYS_MOST, now_ns())
        await self._store.write([("make_key", row)], give_up_after=30.0)
        made = await self._store.read("key_by_id", key)
        if not made:
            raise LimitExceeded(f"a person has at most {KEYS_MOST} keys", person.name)
        found = Key(*made[0])
        if found.person != person.name:
            # An operation's id is no secret: whoever sends it again for another person is not told this one's.
            raise AlreadyExists("this operation made a key of another person", person.name)
        return person, found

    async def remove_key(self, number: uuid.UUID) -> tuple[Person, Key]:
        """What had it is let in no more. Raises NotFound."""
        rows = await self._store.read("key_by_id", number)
        if not rows:
            raise NotFound("there is no key of that id", str(number))
        await self._store.write([("remove_key", (number,))], give_up_after=30.0)
        return (await self._find(rows[0][1]))[1], Key(*rows[0][:5])

    async def remove_session(self, number: uuid.UUID) -> Person:
        """A session ends. Raises NotFound."""
        rows = await self._store.read("session_by_id", number)
        if not rows:
            raise NotFound("there is no session of that id", str(number))
        await self._store.write([("remove_session", (number,))], give_up_after=30.0)
        return (await self._find(rows[0][0]))[1]

    async def listed(
        self, name: str
    ) -> tuple[list[Person], list[Key], list[tuple[uuid.UUID, str, str, int, int, int]]]:  # fmt: skip
        """Persons, keys and sessions (id, person, client, created, used, expires in nanoseconds): all, or of one.
        Raises NotFound."""
        folded = fold_name(name)
        persons = [Person(*row) for row in await self._store.read("persons", folded)]
        if name and not persons:
            raise _no_person(name)
        keys = [Key(*row) for row in await self._store.read("api_keys", folded)]
        sessions: Any = await self._store.read("sessions", folded, now_ns())
        return persons, keys, list(sessions)

    async def _find(self, name: str) -> tuple[uuid.UUID, Person]:
        rows = await self._store.read("person_by_name", fold_name(name))
        if not rows:
            raise _no_person(name)
        return rows[0][0], Person(*rows[0][1:5])

    # -------------------------------------------------------------- letting them in

    async def log_in(self, name: str, password: str, client: str, origin: str) -> tuple[Person, str, int]:
        """A session for a person's password: (person, secret, when it expires). Raises PermissionDenied, which does not
        tell a wrong name from a wrong password; LimitExceeded after too many attempts."""
        about = _about(name, origin)
        mark = self.logins.begin(about)
        rows = await self._store.read("person_by_name", fold_name(name))
        stored = json.loads(rows[0][5]) if rows else None
        if not await self._hasher.matches(password[:_SECRET_MOST], stored):
            raise PermissionDenied("the name or the password is wrong", name[:NAME_MOST])
        secret, now = make_session_secret(), now_ns()
        said = "".join(each if each.isprintable() else " " for each in client[:200]).strip()
        row = (uuid.uuid4(), rows[0][0], digest_of(secret), said, now, SESSIONS_MOST, now + SESSION_NS, pack(stored))
        made = (await self._store.write([("make_session", row)], give_up_after=30.0))[-1]
        if not made:  # removed, or given another password, while this one was compared
            raise PermissionDenied("the name or the password is wrong", name[:NAME_MOST])
        self.logins.succeed(about, mark)
        return Person(rows[0][1], rows[0][2], rows[0][3], now), secret, now + SESSION_NS

    async def log_out(self, secret: str) -> None:
        """Ends a session; one that is not there has ended."""
        await self._store.write([("end_session", (digest_of(secret[:_SECRET_MOST]),))], give_up_after=30.0)

    async def by_session(self, secret: str) -> tuple[Person, uuid.UUID]:
        """Whose session that is. Raises PermissionDenied. Not counted as an attempt: 256 random bits are not guessed,
        and a browser whose session has ended asks for ten things at once, and then logs in."""
        digest, now = digest_of(secret[:_SECRET_MOST]), now_ns()
        rows = await self._store.read("whose_session", digest)
        if not rows or not hmac.compare_digest(rows[0][1], digest) or rows[0][8] <= now:
            raise PermissionDenied("the session has ended: log in again")
        number, _digest, name, _folded, role, created, seen, used, _expires = rows[0]
        if used < now - _USED_NS:
            await self._store.write([("use_session", (number, now, now + SESSION_NS))], give_up_after=5.0)
            seen = now
        return Person(name, role, created, seen), number

    async def by_key(self, secret: str, name: str, origin: str) -> tuple[Person, uuid.UUID]:
        """Whose key that is; `name`, where it is given, must be its person's. Raises PermissionDenied,
        LimitExceeded."""
        digest = digest_of(secret.strip()[:_SECRET_MOST])
        rows = await self._store.read("whose_key", digest)
        good = bool(rows) and hmac.compare_digest(rows[0][1], digest)
        if not good or (name and rows[0][3] != fold_name(name)):
            raise self._wrong(name, origin, "the key is nobody's")
        return await self._by_row(rows[0])

    async def by_token(self, name: str, token: str, salt: str, origin: str) -> tuple[Person, uuid.UUID]:
        """Whose key a token was made of. Raises PermissionDenied, LimitExceeded, InvalidArgument."""
        if not name or len(salt) > _SECRET_MOST:
            raise InvalidArgument("a token takes a name, and a salt of bearable length")
        rows = await self._store.read("keys_of_name", fold_name(name)) if _TOKEN.match(token) else []
        found = [row for row in rows if token_matches(row[1], salt, token)]  # all of them: the time tells nothing
        if not found:
            raise self._wrong(name, origin, "the name or the token is wrong")
        return await self._by_row(found[0])

    def _wrong(self, name: str, origin: str, message: str) -> Exception:
        """What a wrong key gets: after some of them a word to wait. A right one is never kept waiting: it is 160 random
        bits, and who would be locked out is another device of that person or house."""
        self.secrets.begin(_about("", origin) or _about(name, ""))
        return PermissionDenied(message, name[:NAME_MOST])

    async def _by_row(self, row: tuple[Any, ...]) -> tuple[Person, uuid.UUID]:
        number, _secret, name, _folded, role, created, seen, used = row
        now = now_ns()
        if used is None or used < now - _USED_NS:
            await self._store.write([("use_key", (number, now))], give_up_after=5.0)
            seen = now
        return Person(name, role, created, seen), number

    async def nobody(self) -> bool:
        """No person exists at all."""
        return not (await self._store.read("any_person"))[0][0]

    # -------------------------------------------------------------- backup

    async def export(self) -> list[dict[str, Any]]:
        """What a backup keeps: names, roles, scrypt hashes; no keys, no sessions."""
        rows = await self._store.read("persons_to_export")
        return [{"name": n, "role": r, "created_ns": c, "scrypt": json.loads(s)} for n, r, c, s in rows]

    async def restore(self, persons: Iterable[dict[str, Any]]) -> int:
        """Persons of a backup who are not there yet. Returns how many came."""
        unit: list[tuple[str, tuple[Any, ...]]] = []
        for told in persons:
            number = uuid.uuid4()
            row = (number, told["name"], fold_name(told["name"]), told["role"], pack(told["scrypt"]))
            unit.append(("make_person", (*row, told["created_ns"])))
        before = len(await self._store.read("persons", ""))
        if unit:
            await self._store.write(unit, give_up_after=30.0)
        return len(await self._store.read("persons", "")) - before


def check_told(told: Any) -> dict[str, Any]:
    """A person of a backup's line. Raises ValueError, KeyError, TypeError or InvalidArgument for what is none."""
    if type(told["created_ns"]) is not int or not isinstance(told["name"], str) or not isinstance(told["role"], str):
        raise ValueError("a person has name, role, created_ns")
    check_stored(told["scrypt"])
    name, role = check_name(told["name"]), check_role(told["role"])
    return {"name": name, "role": role, "created_ns": told["created_ns"], "scrypt": told["scrypt"]}


def _about(name: str, origin: str) -> dict[str, int]:
    """What an attempt counts for, and how many each may have a minute."""
    folded = fold_name(name)
    if not origin:
        return {f"name {folded}": ATTEMPTS} if folded else {}
    found = {f"origin {origin[:200]}": ATTEMPTS}
    return {f"name {folded}": ATTEMPTS_ON_A_NAME, **found} if folded else found


def _no_person(name: str) -> NotFound:
    return NotFound("there is no person of that name", name[:200])


def _last_admin(name: str) -> Conflict:
    error = Conflict("the last admin stays one: make another first", name)
    error.retryable = False
    return error
