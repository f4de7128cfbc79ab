"""Errors of the store as errors of a user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from redpoll.errors import ExpressionError, SchemaError, UnknownColumn, UsageError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raise UsageError where a condition or a column does not fit the store."""
    try:
        yield
    except UnknownColumn as error:
        raise UsageError(f"there is no column '{error.name}'{hint(error.near)}") from error
    except (ExpressionError, SchemaError) as error:
        raise UsageError(str(error)) from error


def near(name: str, names: Iterable[str]) -> str:
    """The end of a message with the names that resemble one, if any do.

    >>> near("ztff", ["ztf", "rubin"])
    '; near: ztf'
    """
    return hint(get_close_matches(name, [*names], n=3, cutoff=0.5))


def hint(names: Iterable[str]) -> str:
    """The end of a message with these names; empty if there are none."""
    text = ", ".join(names)
    return f"; near: {text}" if text else ""
