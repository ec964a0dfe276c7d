"""Passwords as scrypt (RFC 7914), and the secrets that are made here. Pure but for `Hasher`, which keeps the loop
free.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import unicodedata
from typing import Any

from mediad.errors import InvalidArgument, LimitExceeded

# What the OWASP Password Storage Cheat Sheet has for scrypt: 32 MiB (128 * n * r bytes) and three passes; for a board 8
# MiB. Stored with each hash, so that another choice leaves the old ones valid.
COST = {"n": 1 << 15, "r": 8, "p": 3}
COST_BOARD = {"n": 1 << 13, "r": 8, "p": 3}
# Of a stored hash, which may come from a backup: nothing that takes more memory or time than these is computed.
_COST_MOST = {"n": 1 << 17, "r": 16, "p": 16}
_MEMORY_MOST = 160 << 20
PASSWORD_LEAST, PASSWORD_MOST = 8, 1024  # characters; NIST SP 800-63B 5.1.1.2 has 8 at least and 64 or more at most
_WAITING_MOST = 16  # logins that wait for their turn


def check_password(password: str) -> str:
    """The password as it is hashed. Raises InvalidArgument, which does not show it."""
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        raise InvalidArgument(f"a password has {PASSWORD_LEAST} to {PASSWORD_MOST} characters")
    return password


def _encode(password: str) -> bytes:
    # Two keyboards may write one letter in two ways (NIST SP 800-63B 5.1.1.2: NFKC or NFKD).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _derive(password: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return hashlib.scrypt(
        _encode(password), salt=salt, n=cost["n"], r=cost["r"], p=cost["p"], maxmem=_MEMORY_MOST, dklen=32
    )  # fmt: skip


def check_stored(stored: Any) -> dict[str, Any]:
    """A hash that comes from outside, as it is stored: {n, r, p, salt, hash}. Raises ValueError."""
    if not isinstance(stored, dict) or set(stored) != {"n", "r", "p", "salt", "hash"}:
        raise ValueError("a password's hash has n, r, p, salt, hash")
    for name, most in _COST_MOST.items():
        if type(stored[name]) is not int or not 1 <= stored[name] <= most:
            raise ValueError(f"scrypt's {name} is 1 to {most}")
    n, r, p = stored["n"], stored["r"], stored["p"]
    if n < 2 or n & (n - 1) or 128 * n * r > _MEMORY_MOST - (32 << 20) or n * r * p > (1 << 17) * 8 * 4:
        raise ValueError("scrypt's n is a power of two, and its cost bearable")
    if len(bytes.fromhex(stored["salt"])) < 8 or len(bytes.fromhex(stored["hash"])) != 32:
        raise ValueError("a salt has 8 bytes at least, a hash 32")
    return stored


def make_key_secret() -> str:
    """160 random bits in base32 (RFC 4648, section 6), lower case: an API key, which people may have to type."""
    return base64.b32encode(os.urandom(20)).decode().lower()


def make_session_secret() -> str:
    """256 random bits, for a cookie (base64url, RFC 4648 section 5)."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """By which a secret is looked up. Random bits need no slow hash: there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def token_matches(secret: str, salt: str, token: str) -> bool:
    """Whether token = md5(secret + salt) in hexadecimal, as in Subsonic 1.13, compared in constant time. MD5 proves
    nothing here but that both know the secret, of 160 random bits."""
    made = hashlib.md5((secret + salt).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return hmac.compare_digest(made.encode(), token.lower().encode("utf-8", "surrogatepass"))


class Hasher:
    """Computes hashes in threads, few at once: each takes its memory (`COST`), and a tenth of a second or more."""

    def __init__(self, *, board: bool) -> None:
        self._cost = COST_BOARD if board else COST
        self._free = asyncio.Semaphore(1 if board else 2)
        self._waiting = 0
        self._nobody: dict[str, Any] = {**self._cost, "salt": os.urandom(16).hex(), "hash": os.urandom(32).hex()}

    async def hash(self, password: str) -> dict[str, Any]:
        """The password as it is stored. Raises LimitExceeded when too many wait."""
        salt = os.urandom(16)
        made = await self._compute(password, salt, self._cost)
        return {**self._cost, "salt": salt.hex(), "hash": made.hex()}

    async def matches(self, password: str, stored: dict[str, Any] | None) -> bool:
        """Whether it is the password of a stored hash, compared in constant time. None, for a name that is not known,
        takes as long as a wrong password. Raises LimitExceeded when too many wait."""
        known = stored if stored is not None else self._nobody
        made = await self._compute(password, bytes.fromhex(known["salt"]), known)
        return hmac.compare_digest(made, bytes.fromhex(known["hash"])) and stored is not None

    async def _compute(self, password: str, salt: bytes, cost: dict[str, int]) -> bytes:
        if self._waiting >= _WAITING_MOST:
            error = LimitExceeded("too many log in at once")
            error.retryable = True
            raise error
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(_derive, password, salt, cost)
        finally:
            self._waiting -= 1
