"""Reader of a Parquet file of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.tables import ROWS


class ParquetTable:
    """A Parquet file; a name with dots is a field of a struct."""

    units: Mapping[str, str] = {}

    def __init__(self, path: Path, named: Path) -> None:
        self._named = named
        try:
            self._file = pq.ParquetFile(path)
        except pa.ArrowException as error:
            raise CatalogError(f"{named}: is not a complete Parquet file: {error}") from error
        self.names = tuple(self._file.schema_arrow.names)
        self.n_rows: int | None = self._file.metadata.num_rows

    def batches(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield some of its columns in batches of rows."""
        outer = list(dict.fromkeys(name if name in self.names else name.partition(".")[0] for name in names))
        try:
            for batch in self._file.iter_batches(ROWS, columns=outer):
                yield {name: self._column(batch, name) for name in names}
        except pa.ArrowException as error:
            raise CatalogError(f"{self._named}: is damaged: {error}") from error

    def _column(self, batch: pa.RecordBatch, name: str) -> pa.Array:
        if name in self.names:
            return batch[name]
        outer, _, inner = name.partition(".")
        kind = batch.schema.field(outer).type
        if not pa.types.is_struct(kind) or kind.get_field_index(inner) < 0:
            raise CatalogError(f"{self._named}: column '{outer}' has no field '{inner}'; it is {kind}")
        return batch[outer].flatten()[kind.get_field_index(inner)]
