"""Tokens of an expression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from redpoll.errors import ExpressionError

MAX_LENGTH = 2_000
"""Maximum number of characters of an expression."""
KEYWORDS = frozenset(["and", "or", "not", "in", "between", "is", "null", "true", "false"])
Kind = Literal["number", "string", "name", "symbol", "end"]

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z_.]))
    |(?P<string>"(?:[^"]|"")*"|'(?:[^']|'')*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<symbol><=|>=|==|!=|[<>+\-*/(),])""",
    re.VERBOSE,
)
_HINTS = {"=": "write == to compare", "&": "write 'and'", "|": "write 'or'", "!": "write 'not'"}
_WINDOW = 60


@dataclass(frozen=True)
class Token:
    """One token: kind, text (keywords and symbols have kind "symbol") and start position."""

    kind: Kind
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """The tokens of an expression, the last one of kind "end".

    Raises
    ------
    ExpressionError
        If the text is too long or contains an invalid token.

    Examples
    --------
    >>> [token.text for token in tokens("mag<18 and band == 'r'")]
    ['mag', '<', '18', 'and', 'band', '==', "'r'", '']
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise complaint(text, at, _unexpected(text[at]))
        if match.lastgroup != "space":
            found.append(_token(match, at))
        at = match.end()
    return [*found, Token("end", "", len(text))]


def complaint(text: str, at: int, what: str) -> ExpressionError:
    """An ExpressionError with the reason, the position and a caret below it."""
    start = max(0, at - _WINDOW)
    line = "".join(c if c.isprintable() else " " for c in text[start : at + _WINDOW])
    return ExpressionError(f"{what} at character {at + 1}\n  {line}\n  {' ' * (at - start)}^")


def _token(match: re.Match[str], at: int) -> Token:
    word = match.group()
    if match.lastgroup == "number":
        return Token("number", word, at)
    if match.lastgroup == "string":
        return Token("string", word, at)
    if match.lastgroup == "name" and word.lower() not in KEYWORDS:
        return Token("name", word, at)
    return Token("symbol", word.lower(), at)


def _unexpected(character: str) -> str:
    if character in "\"'":
        return "this quote is never closed"
    if character.isdigit() or character == ".":
        return "this is not a number"
    hint = f"; {_HINTS[character]}" if character in _HINTS else ""
    return f"unexpected {character!r}{hint}"
