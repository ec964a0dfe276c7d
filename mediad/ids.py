"""UUIDs of version 7: time-ordered ids that people see (RFC 9562 section 5.7)."""

from __future__ import annotations

import os
import time
import uuid


class Mint:
    """Mints UUIDs of version 7, strictly rising within this process (RFC 9562 section 6.2, method 1: a counter).

    48 bits of Unix milliseconds, 12 bits of counter, 62 random bits. When more than 4,096 are minted in a millisecond,
    or the clock steps back, the time field runs ahead of the clock: order is kept, uniqueness too."""

    __slots__ = ("_counter", "_millis", "_pool", "_used")

    def __init__(self) -> None:
        self._millis = 0
        self._counter = 0
        self._pool = b""
        self._used = 0

    def _random(self) -> int:
        # One getrandom for 512 ids: a scan mints one a name.
        if self._used >= len(self._pool):
            self._pool, self._used = os.urandom(4096), 0
        start = self._used
        self._used = start + 8
        return int.from_bytes(self._pool[start : start + 8], "big") >> 2

    def hex(self) -> str:
        """A new id as 32 hexadecimal digits."""
        now = time.time_ns() // 1_000_000
        if now > self._millis:
            self._millis, self._counter = now, 0
        else:
            self._counter += 1
            if self._counter > 0xFFF:
                self._millis, self._counter = self._millis + 1, 0
        number = (
            (self._millis & 0xFFFFFFFFFFFF) << 80 | 0x7000 << 64 | self._counter << 64 | 0b10 << 62 | self._random()
        )
        return f"{number:032x}"

    def uuid(self) -> uuid.UUID:
        """A new id."""
        return uuid.UUID(hex=self.hex())


mint = Mint()
