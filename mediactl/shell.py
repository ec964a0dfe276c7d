"""Completion in bash. A question has `:`, `=`, `<`, `>` and quotes in its words, which bash takes for ends of words:
click's own class sees `artist`, `:`, `bj` there. zsh and fish part words by white space alone, and click's
classes serve.
"""

from __future__ import annotations

import os
import re
from typing import Any

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, split_arg_string

# COMP_LINE up to the cursor, the word as bash sees it, and what it takes for ends of words.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' response line
    response=$(env COMP_UNTIL="${COMP_LINE:0:COMP_POINT}" COMP_WORD="${COMP_WORDS[COMP_CWORD]}" \\
        COMP_BREAKS="$COMP_WORDBREAKS" %(complete_var)s=bash_complete $1)
    COMPREPLY=()
    for line in $response; do
        case $line in
            dir,*) compopt -o dirnames ;;
            file,*) compopt -o default ;;
            open,*) compopt -o nospace; COMPREPLY+=("${line#open,}") ;;
            plain,*) COMPREPLY+=("${line#plain,}") ;;
        esac
    done
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(ShellComplete):
    """Bash 4.4 and later."""

    name = "bash"
    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """(words before the one under the cursor, that one as far as it is written), without their quotes."""
        words = split_arg_string(os.environ["COMP_UNTIL"] + "\1")  # the mark ends the last word, which may be empty
        self._written = words[-1][:-1]
        return words[1:-1], self._written

    def format_completion(self, item: CompletionItem) -> str:
        """A line for bash: the part of the word that bash replaces, quoted as what stands before it."""
        word, value = os.environ.get("COMP_WORD", ""), str(item.value)
        kind = "open" if item.type == "plain" and value.endswith(":") else item.type
        raw = os.environ["COMP_UNTIL"].rsplit(None, 1)[-1] if os.environ["COMP_UNTIL"].strip() else ""
        if word[:1] not in ("'", '"') or not raw.startswith(word[:1]):
            breaks = [at for at, char in enumerate(self._written) if char in os.environ.get("COMP_BREAKS", "")]
            if breaks and word[:1] != "'":
                value = value[breaks[-1] + 1 :]
        if word.startswith('"'):
            value = re.sub(r'(["$`\\\\])', r"\\\1", value)
        elif not word.startswith("'"):
            value = re.sub(r"([^\w@%+=:,./-])", r"\\\1", value)
        return f"{kind},{value}"


def register() -> Any:
    """From now on click uses it."""
    return add_completion_class(Bash)
