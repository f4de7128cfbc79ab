"""Errors of the store as errors of a user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redpoll.errors import ExpressionError, SchemaError, UnknownColumn, UsageError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raise UsageError where a condition or a column does not fit the store."""
    try:
        yield
    except UnknownColumn as error:
        raise UsageError(f"there is no column '{error.name}'{error.near}") from error
    except (ExpressionError, SchemaError) as error:
        raise UsageError(str(error)) from error
