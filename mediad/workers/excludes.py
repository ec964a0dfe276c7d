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
