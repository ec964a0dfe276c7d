"""What a walk and its watcher leave out: globs of names and of paths."""

from __future__ import annotations

import fnmatch
import re

TYPE_CHECKING = False  # typing costs the watcher's process 350 KB
if TYPE_CHECKING:
    from collections.abc import Callable


def compile_patterns(patterns: list[str]) -> Callable[[str], object] | None:
    """A test for any of the globs, in which `*` and `?` match a slash as well (fnmatch(3) without FNM_PATHNAME); None
    for none. Apart from mediad.workers.walk, whose import would cost the watcher 4 MB (OpenSSL)."""
    return re.compile("|".join(fnmatch.translate(p) for p in patterns)).match if patterns else None


class Names:
    """Shell patterns (fnmatch(3)) of names. Names without wildcards, `x*` and `*x` take no regular expression, and one
    look tells that a whole folder has none of them: most patterns are of these, and most folders."""

    def __init__(self, patterns: list[str]) -> None:
        plain, heads, tails, others = set(), [], [], []
        for pattern in patterns:
            wild = [at for at, letter in enumerate(pattern) if letter in "*?["]
            if not wild:
                plain.add(pattern)
            elif wild == [len(pattern) - 1] and pattern[-1] == "*":
                heads.append(pattern[:-1])
            elif wild == [0] and pattern[0] == "*":
                tails.append(pattern[1:])
            else:
                others.append(pattern)
        self._plain, self._heads, self._tails = frozenset(plain), tuple(heads), tuple(tails)
        self._match = compile_patterns(others)

    def holds(self, name: str) -> bool:
        """Whether a pattern matches the name."""
        if name in self._plain or name.startswith(self._heads) or name.endswith(self._tails):
            return True
        return self._match is not None and self._match(name) is not None

    def may_hold(self, names: list[str]) -> bool:
        """False when certainly no pattern matches any of the names."""
        if self._match is not None or not self._plain.isdisjoint(names):
            return True
        together = "/".join(names)
        return any(part in together for part in self._heads + self._tails)
