"""PDF's standard security handler with the empty user password: RC4, as far as reading goes.

Source: ISO 32000-1 7.6.2 (algorithm 1), 7.6.3 (algorithms 2, 4, 5; permissions of table 22). Files under AES are named
as encrypted and stay closed: their strings and streams read as empty.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5
from typing import Any

PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
# Table 22: bit (from 1) -> what it permits.
PERMISSIONS = {3: "print", 4: "modify", 5: "copy", 6: "annotate", 9: "fill forms", 10: "extract", 11: "assemble",
               12: "print high resolution"}  # fmt: skip


def rc4(key: bytes, data: bytes) -> bytes:
    """RC4 of `data`: the same both ways."""
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 0xFF
        state[i], state[j] = state[j], state[i]
    out = bytearray(len(data))
    i = j = 0
    for at, one in enumerate(data):
        i = (i + 1) & 0xFF
        j = (j + state[i]) & 0xFF
        state[i], state[j] = state[j], state[i]
        out[at] = one ^ state[(state[i] + state[j]) & 0xFF]
    return bytes(out)


class Security:
    """The encryption of a file: `permissions`, and whether it can be read (`key`)."""

    def __init__(self, key: bytes | None, permissions: list[str]) -> None:
        self._key = key
        self.permissions = permissions

    @property
    def readable(self) -> bool:
        return self._key is not None

    @classmethod
    def of(cls, values: Any, identifier: Any, resolve: Callable[[Any], Any]) -> Security:
        """From the encryption dictionary and the trailer's ID."""
        if not isinstance(values, dict):
            return cls(None, [])
        given = {name: resolve(value) for name, value in values.items()}
        bits = given.get("P")
        permissions = [name for bit, name in PERMISSIONS.items() if type(bits) is int and bits >> (bit - 1) & 1]
        return cls(cls._find_key(given, resolve(identifier), resolve), permissions)

    @staticmethod
    def _find_key(given: dict[str, Any], identifier: Any, resolve: Callable[[Any], Any]) -> bytes | None:
        version, revision, owner, user, bits = (given.get(name) for name in ("V", "R", "O", "U", "P"))
        if given.get("Filter") != "Standard" or version not in (1, 2, 4) or revision not in (2, 3, 4):
            return None
        if version == 4:
            filters = resolve(given.get("CF"))
            chosen = resolve(filters.get(str(given.get("StmF")))) if isinstance(filters, dict) else None
            if not isinstance(chosen, dict) or chosen.get("CFM") != "V2":
                return None
        if not isinstance(owner, bytes) or not isinstance(user, bytes) or type(bits) is not int:
            return None
        first = resolve(identifier[0]) if isinstance(identifier, list) and identifier else b""
        length = given.get("Length", 40) if version != 1 else 40
        size = length // 8 if type(length) is int and 40 <= length <= 128 else 16 if version == 4 else 5
        digest = md5(PADDING + owner[:32] + (bits & 0xFFFFFFFF).to_bytes(4, "little"), usedforsecurity=False)
        digest.update(first if isinstance(first, bytes) else b"")
        if revision == 4 and given.get("EncryptMetadata") is False:
            digest.update(b"\xff\xff\xff\xff")
        key = digest.digest()
        if revision >= 3:
            for _ in range(50):
                key = md5(key[:size], usedforsecurity=False).digest()
        key = key[:size]
        if revision == 2:
            return key if rc4(key, PADDING) == user[:32] else None
        check = rc4(key, md5(PADDING + (first if isinstance(first, bytes) else b""), usedforsecurity=False).digest())
        for step in range(1, 20):
            check = rc4(bytes(one ^ step for one in key), check)
        return key if check[:16] == user[:16] else None

    def decrypt(self, data: bytes, number: int, generation: int) -> bytes:
        """A string's or a stream's bytes; b"" when the file stays closed."""
        if self._key is None or not data:
            return b""
        salted = self._key + number.to_bytes(4, "little")[:3] + generation.to_bytes(4, "little")[:2]
        return rc4(md5(salted, usedforsecurity=False).digest()[: min(len(self._key) + 5, 16)], data)

    def decrypt_strings(self, value: Any, number: int, generation: int, depth: int = 0) -> Any:
        """The object with its strings decrypted (7.6.2: a stream's bytes are decrypted where they are read)."""
        if depth > 64:
            return None
        if isinstance(value, bytes):
            return self.decrypt(value, number, generation)
        if isinstance(value, list):
            return [self.decrypt_strings(one, number, generation, depth + 1) for one in value]
        if isinstance(value, dict):
            return {key: self.decrypt_strings(one, number, generation, depth + 1) for key, one in value.items()}
        return value
