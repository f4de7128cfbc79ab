"""What a table in a file looks like to whoever builds a catalogue: columns, units, batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol

import pyarrow as pa

from redpoll.catalogs.errors import CatalogError

ROWS = 1 << 18
"""Rows that are read at a time."""


class Table(Protocol):
    """A table in a file."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns."""
        ...

    @property
    def units(self) -> Mapping[str, str]:
        """Units of the columns, where the file says them."""
        ...

    @property
    def n_rows(self) -> int | None:
        """How many rows, if that is known before they are read."""
        ...

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Some of its columns, some rows at a time."""
        ...


def require_columns(table: Table, names: Sequence[str], where: str) -> None:
    """Raise CatalogError, with the near names, if a column that is wanted is not there."""
    for name in names:
        if name not in table.names and name.partition(".")[0] not in table.names:
            near = get_close_matches(name, table.names, n=3, cutoff=0.5) or table.names[:12]
            raise CatalogError(f"{where}: has no column '{name}'. Near: {', '.join(near)}")
