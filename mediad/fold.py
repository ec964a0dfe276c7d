"""Folded text, as the daemon knows it. The rule is the contract's (mediadb_contract.fold), for workers fold too."""

from __future__ import annotations

from mediadb_contract.fold import FOLDED_MAX, WORD_LENGTH, WORDS_RULE, fold, reverse, runs, shorten, tokens, unspaced

__all__ = ["FOLDED_MAX", "WORDS_RULE", "WORD_LENGTH", "fold", "reverse", "runs", "shorten", "tokens", "unspaced"]
