"""Parts of a table on disk while it is fetched, so that a cut fetch goes on where it was; then the whole table."""

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
    """The parts of one catalogue, each a Parquet file that is whole or not there.

    Parameters
    ----------
    columns
        Names in the recipe and at the service.
    key
        Parts of another key are thrown away: they answer another question.
    """

    def __init__(self, folder: Path, recipe: Recipe, columns: Mapping[str, str], key: str) -> None:
        self.out = folder / f"{recipe.name}.parquet"
        self._folder = folder / f"{recipe.name}.pages"
        self._columns, self._key = columns, key
        self._schema = _schema(recipe, columns).with_metadata({_FETCHED: key.encode()})

    @property
    def is_done(self) -> bool:
        """Whether the whole table is there, fetched by the same question."""
        try:
            return bool((pq.read_schema(self.out).metadata or {}).get(_FETCHED) == self._key.encode())
        except (OSError, pa.ArrowInvalid):
            return False

    @contextmanager
    def opened(self) -> Iterator[Pages]:
        """The parts, for this process alone; CatalogError if another is at work or the disk fails."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise CatalogError(f"{self._folder}: another fetch is writing it; wait for that one") from error
                self._keep_if_same()
                yield self
        except OSError as error:
            raise CatalogError(f"{self._folder}: cannot be written ({error.strerror or error}); make room") from error

    def has(self, page: str) -> bool:
        """Whether a part is there."""
        return self._path(page).exists()

    def is_split(self, page: str) -> bool:
        """Whether a part was found too large and split."""
        return (self._folder / f"{page}.split").exists()

    def note_split(self, page: str) -> None:
        """Remember that a part is too large."""
        (self._folder / f"{page}.split").touch()

    def write(self, page: str, parts: Iterator[TableReader]) -> int:
        """Write a part from a reader as it is fed; the number of its rows. Nothing is left of one that fails."""
        partial = self._path(page).with_suffix(".partial")
        n = 0
        try:
            with pq.ParquetWriter(partial, self._schema, compression="zstd") as writer:
                for reader in parts:
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
        """The whole table from all parts, which are then deleted; CatalogError if it should not be empty but is."""
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
            raise CatalogError(f"{self.out.stem}: the service has no rows of it; is the table still called so?")
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
        """The whole rows a reader holds, as a table of the recipe's columns; they are taken from the reader."""
        width = len(reader.names)
        n = len(reader.cells) // width
        cells, reader.cells = reader.cells[: n * width], reader.cells[n * width :]
        places = {name: i for i, name in enumerate(reader.names)}
        columns = []
        for field in self._schema:
            name = name_in_answer(self._columns[field.name])
            if name not in places:
                raise CatalogError(f"the answer has no column '{name}', but {', '.join(reader.names)[:300]}")
            columns.append(_typed(cells[places[name] :: width], field))
        return pa.Table.from_arrays(columns, schema=self._schema)


def _schema(recipe: Recipe, columns: Mapping[str, str]) -> pa.Schema:
    """Text as text, numbers as float64 or int64."""
    kinds = {kept.source: kept.column.arrow_type for kept in recipe.kept}
    place = recipe.position
    if place is not None:
        kinds |= dict.fromkeys((place.ra, place.dec), pa.float64() if place.format == "degrees" else pa.string())
        kinds |= dict.fromkeys((p for p in (place.pm_ra, place.pm_dec, recipe.match.radius_column) if p), pa.float64())
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
