"""Bits of a byte string, most significant first, with the Exp-Golomb codes of H.264 and HEVC."""

from __future__ import annotations


class Bits:
    """Reads from `data`; behind its end every bit is 0 and `over` is true."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8
        self.over = False

    @property
    def left(self) -> int:
        """Bits up to the end; 0 behind it."""
        return max(self._left, 0)

    def take(self, count: int) -> int:
        """The next `count` bits as a number."""
        self._left -= count
        if self._left < 0:
            self.over = True
            return 0
        return self._value >> self._left & ((1 << count) - 1)

    def skip(self, count: int) -> None:
        self._left -= count
        self.over = self.over or self._left < 0

    def unsigned(self) -> int:
        """ue(v), ITU-T H.264 section 9.1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32 or self.over:
                self.over = True
                return 0
        return (1 << zeros) - 1 + (self.take(zeros) if zeros else 0)

    def signed(self) -> int:
        """se(v), section 9.1.1."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)
