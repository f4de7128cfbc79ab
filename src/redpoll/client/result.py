"""The answer to a query: read when it is used, as Arrow, pandas, polars or astropy table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from redpoll.client.frames import AstropyTable, PandasFrame, PolarsFrame

Reader = Callable[[Sequence[str] | None, int | None], tuple[pa.Schema, Iterator[pa.RecordBatch]]]
"""Starts reading: columns (None: those asked for) and maximum number of rows (None: all) -> schema and batches."""
_SHOWN = 5


class QueryResult:
    """Rows of a query. Each use reads them anew; `to_arrow` once and keep the table to use them often.

    ``polars.DataFrame(result)``, ``duckdb`` and every library that takes Arrow's C stream read it directly.
    """

    def __init__(self, read: Reader, count_column: str) -> None:
        self._read, self._count_column = read, count_column
        self.schema: pa.Schema = read(None, 0)[0]
        """Names and types of the columns; units, UCDs and meanings are in the metadata of the fields."""

    @classmethod
    def of_table(cls, table: pa.Table) -> QueryResult:
        """The rows of a table."""

        def read(columns: Sequence[str] | None, max_rows: int | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
            part = (table if columns is None else table.select(columns)).slice(0, max_rows)
            return part.schema, iter(part.to_batches())

        return cls(read, table.column_names[0])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as record batches, in bounded memory however many there are."""
        return self._read(None, None)[1]

    def reader(self) -> pa.RecordBatchReader:
        """The rows as Arrow's reader of record batches."""
        schema, batches = self._read(None, None)
        return pa.RecordBatchReader.from_batches(schema, batches)

    def to_arrow(self) -> pa.Table:
        """All rows as a `pyarrow.Table`."""
        return self.reader().read_all()

    def to_pandas(self) -> PandasFrame:
        """All rows as a pandas DataFrame with Arrow's types: integers with nulls stay exact."""
        from redpoll.client.frames import to_pandas

        return to_pandas(self.to_arrow())

    def to_polars(self) -> PolarsFrame:
        """All rows as a polars DataFrame."""
        from redpoll.client.frames import to_polars

        return to_polars(self.to_arrow())

    def to_astropy(self) -> AstropyTable:
        """All rows as an astropy Table: units and descriptions set, nulls masked.

        ``astropy.table.QTable(result.to_astropy())`` makes quantities of the columns with units.
        """
        from redpoll.client.frames import to_astropy

        return to_astropy(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.reader().__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return sum(batch.num_rows for batch in self._read([self._count_column], None)[1])

    def __bool__(self) -> bool:
        return any(batch.num_rows for batch in self._read([self._count_column], 1)[1])

    def __repr__(self) -> str:
        from redpoll.client.preview import as_text

        return as_text(*self._preview())

    def _repr_html_(self) -> str:
        from redpoll.client.preview import as_html

        return as_html(*self._preview())

    def _preview(self) -> tuple[pa.Table, bool]:
        """The first rows, and whether more follow."""
        schema, batches = self._read(None, _SHOWN + 1)
        table = pa.Table.from_batches(list(batches), schema)
        return table.slice(0, _SHOWN), table.num_rows > _SHOWN


def lower(limit: int | None, max_rows: int | None) -> int | None:
    """The lower of two limits on a number of rows; None is no limit.

    >>> lower(None, 5), lower(3, 5), lower(None, None)
    (5, 3, None)
    """
    given = [n for n in (limit, max_rows) if n is not None]
    return min(given, default=None)
