"""Pages of a table on disk while it is fetched, so that an interrupted fetch can be resumed."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.fetch.plan import name_in_answer
from redpoll.catalogs.fetch.votable import TableReader
from redpoll.catalogs.recipe import Recipe

log = logging.getLogger(__name__)

_ROWS_A_GROUP = 100_000
_FETCHED = b"redpoll.fetch"


class Pages:
    """The pages of one catalogue, each a Parquet file that is complete or does not exist.

    Parameters
    ----------
    columns
        Names in the recipe and at the service.
    key
        Hash of the request; pages with another key are deleted.
    """

    def __init__(self, folder: Path, recipe: Recipe, columns: Mapping[str, str], key: str) -> None:
        self.out = folder / f"{recipe.name}.parquet"
        self._folder = folder / f"{recipe.name}.pages"
        self._columns, self._key = columns, key
        self._schema = _schema(recipe, columns).with_metadata({_FETCHED: key.encode()})

    @property
    def is_done(self) -> bool:
        """Whether the table of the same request is complete."""
        try:
            return bool((pq.read_schema(self.out).metadata or {}).get(_FETCHED) == self._key.encode())
        except (OSError, pa.ArrowInvalid):
            return False

    @contextmanager
    def opened(self) -> Iterator[Pages]:
        """The pages, locked for this process; CatalogError if they are locked or cannot be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise CatalogError(f"{self._folder}: another process is fetching it; wait until it ends") from error
                self._keep_if_same()
                yield self
        except OSError as error:
            raise CatalogError(f"{self._folder}: cannot be written ({error.strerror or error}); make room") from error

    def has(self, page: str) -> bool:
        """Whether a page exists."""
        return self._path(page).exists()

    def is_split(self, page: str) -> bool:
        """Whether a page was split because it was too large."""
        return (self._folder / f"{page}.split").exists()

    def note_split(self, page: str) -> None:
        """Record that a page was split."""
        (self._folder / f"{page}.split").touch()

    def write(self, page: str, readers: Iterator[TableReader]) -> int:
        """Write a page while its reader is fed, and return its number of rows; a failed page is deleted."""
        partial = self._path(page).with_suffix(".partial")
        n = 0
        try:
            with pq.ParquetWriter(partial, self._schema, compression="zstd") as writer:
                for reader in readers:
                    n = reader.n_rows
                    if len(reader.cells) >= _ROWS_A_GROUP * max(len(reader.names), 1):
                        writer.write_table(self._take(reader))
                if n:
                    writer.write_table(self._take(reader))
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        partial.replace(self._path(page))
        return n

    def assemble(self, *, may_be_empty: bool) -> Path:
        """Join all pages to the table and delete them; CatalogError if the table is empty and must not be."""
        paths = sorted(self._folder.glob("*.parquet"))
        partial = self.out.with_suffix(".parquet.part")
        n = 0
        with pq.ParquetWriter(partial, self._schema, compression="zstd") as writer:
            for path in paths:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(_ROWS_A_GROUP):
                        writer.write_batch(batch.replace_schema_metadata(self._schema.metadata))
                        n += batch.num_rows
        if not n and not may_be_empty:
            raise CatalogError(f"{self.out.stem}: the service returned no rows; check the name of the table")
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(self.out)
        shutil.rmtree(self._folder)
        log.info("%s: %d rows", self.out, n)
        return self.out

    def _path(self, page: str) -> Path:
        return self._folder / f"{page}.parquet"

    def _keep_if_same(self) -> None:
        state = self._folder / "plan.json"
        try:
            is_same = json.loads(state.read_text("utf-8"))["key"] == self._key
        except (OSError, ValueError, KeyError, TypeError):
            is_same = False
        if not is_same:
            for path in self._folder.iterdir():
                if path.name != "lock":
                    path.unlink()
            state.write_text(json.dumps({"key": self._key}), "utf-8")

    def _take(self, reader: TableReader) -> pa.Table:
        """The complete rows in a reader as a table of the recipe's columns; they are removed from the reader."""
        width = len(reader.names)
        n = len(reader.cells) // width
        cells, reader.cells = reader.cells[: n * width], reader.cells[n * width :]
        index = {name: i for i, name in enumerate(reader.names)}
        columns = []
        for field in self._schema:
            name = name_in_answer(self._columns[field.name])
            if name not in index:
                raise CatalogError(f"the response has no column '{name}', but {', '.join(reader.names)[:300]}")
            columns.append(_typed(cells[index[name] :: width], field))
        return pa.Table.from_arrays(columns, schema=self._schema)


def _schema(recipe: Recipe, columns: Mapping[str, str]) -> pa.Schema:
    """Schema of the pages: text, float64 or int64."""
    kinds = {kept.source: kept.column.arrow_type for kept in recipe.kept}
    position = recipe.position
    if position is not None:
        kinds |= dict.fromkeys(
            (position.ra, position.dec), pa.float64() if position.format == "degrees" else pa.string()
        )
        kinds |= dict.fromkeys(
            (p for p in (position.pm_ra, position.pm_dec, recipe.match.radius_column) if p), pa.float64()
        )
    return pa.schema([pa.field(name, _wide(kinds.get(name, pa.string()))) for name in columns])


def _wide(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind):
        return pa.int64()
    return pa.float64() if pa.types.is_floating(kind) else pa.string()


def _typed(cells: list[str | None], field: pa.Field) -> pa.Array:
    try:
        return pc.cast(pa.array(cells, pa.string()), field.type)
    except pa.ArrowInvalid as error:
        raise CatalogError(f"column '{field.name}' should hold numbers: {error}") from error
