"""Interface of the readers of catalogue files: columns, units and batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from redpoll.catalogs.errors import CatalogError
from redpoll.errors import near

ROWS = 1 << 18
"""Maximum number of rows of a batch."""


class Table(Protocol):
    """A table in a file."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns."""
        ...

    @property
    def units(self) -> Mapping[str, str]:
        """Units of the columns that have one in the file."""
        ...

    @property
    def n_rows(self) -> int | None:
        """Number of rows; None if unknown before reading."""
        ...

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield some of its columns in batches of rows."""
        ...


def require_columns(table: Table, names: Sequence[str], where: str) -> None:
    """Raise CatalogError, with similar names, if one of these columns does not exist."""
    for name in names:
        if name not in table.names and name.partition(".")[0] not in table.names:
            raise CatalogError(f"{where}: has no column '{name}'{near(name, table.names)}")
