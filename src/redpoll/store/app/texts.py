"""Checks of the texts that people give: names, notes, expressions."""

from __future__ import annotations

import re

from redpoll.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+ -]{0,99}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def name(value: str, what: str) -> str:
    """The name, if it has 1 to 100 letters, digits and ``_ . @ + -`` or spaces; else UsageError.

    >>> name("m31 novae", "watchlist")
    'm31 novae'
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise UsageError(f"{what} {_shown(value)}: a name has 1 to 100 letters, digits and _ . @ + - or spaces")
    return value


def text(value: str, what: str, *, longest: int, empty: bool = False) -> str:
    """The text, if it has no control characters and is not longer than allowed; else UsageError."""
    if not isinstance(value, str) or _CONTROL.search(value) or not _encodes(value):
        raise UsageError(f"{what} {_shown(value)}: expected text without control characters")
    if len(value) > longest or not (value.strip() or empty):
        raise UsageError(f"{what} {_shown(value)}: expected {'0' if empty else '1'} to {longest} characters")
    return value


def _encodes(value: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _shown(value: object) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
