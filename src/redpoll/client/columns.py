"""Names of the columns that are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from redpoll.errors import UsageError, near
from redpoll.schema.alert import COLUMNS
from redpoll.schema.classifications import CLASSES

ColumnNames = str | Sequence[str] | None
"""Names of columns; as one text they are separated by commas. ``"all"`` is every column; None, the usual ones."""


def checked_columns(columns: ColumnNames, schema: pa.Schema, *, has_cone: bool) -> list[str] | None:
    """The names, each once; None for the usual ones; UsageError with near names if a column does not exist."""
    if columns is None:
        return None
    from redpoll.store.selection import SEPARATION
    from redpoll.store.stored_columns import TOPICS

    known = dict.fromkeys([*(schema.names or COLUMNS), TOPICS, CLASSES, SEPARATION])
    if isinstance(columns, str) and columns == "all":
        return [name for name in known if has_cone or name != SEPARATION]
    return listed_columns(columns, list(known))


def listed_columns(columns: str | Sequence[str], known: Sequence[str]) -> list[str]:
    """The names in a list, each once; UsageError with near names if one is not `known`.

    >>> listed_columns("ra, dec", ["ra", "dec", "mag"])
    ['ra', 'dec']
    """
    names = [name.strip() for name in columns.split(",")] if isinstance(columns, str) else columns
    if not isinstance(names, Sequence) or not names or not all(isinstance(name, str) and name for name in names):
        raise UsageError("columns are names, such as ['alert_id', 'mag'], or 'all'")
    for name in names:
        if name not in known:
            raise UsageError(f"there is no column '{name[:100]}'{near(name[:100], known)}")
    return list(dict.fromkeys(names))
