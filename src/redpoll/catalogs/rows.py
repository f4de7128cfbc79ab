"""Rows of a table that a recipe keeps: positions or keys, radii, proper motions and values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.positions import read_positions
from redpoll.catalogs.recipe import Recipe
from redpoll.catalogs.tables import Table
from redpoll.catalogs.values import is_among, kept_values, plain_numbers, plain_text

Floats = NDArray[np.float64]
_MAX_KEY = 64
_MAX_ARCSEC = 180 * 3600.0


@dataclass
class KeptRows:
    """Columns of the kept rows, and the number of skipped rows by reason."""

    numbers: dict[str, Floats]
    keys: NDArray[np.bytes_]
    values: pa.Table
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def n(self) -> int:
        """Number of kept rows."""
        return int(self.values.num_rows)

    @property
    def ra(self) -> Floats:
        """Right ascension [deg]."""
        return self.numbers["ra"]

    @property
    def dec(self) -> Floats:
        """Declination [deg]."""
        return self.numbers["dec"]

    @property
    def radius(self) -> Floats:
        """Radius of a match [arcsec]."""
        return self.numbers["radius"]

    @property
    def pm_ra(self) -> Floats:
        """Proper motion in right ascension, with the cosine of the declination [mas/yr]."""
        return self.numbers["pm_ra"]

    @property
    def pm_dec(self) -> Floats:
        """Proper motion in declination [mas/yr]."""
        return self.numbers["pm_dec"]


def read_rows(table: Table, recipe: Recipe, progress: Callable[[int], None], where: str) -> KeptRows:
    """The kept rows of a table.

    Raises
    ------
    CatalogError
        If the file is damaged, or a value does not have the type in the recipe.
    """
    reader = _RowReader(recipe, where)
    n = 0
    for columns in table.batches(recipe.sources):
        reader.add(columns)
        n += len(next(iter(columns.values())))
        progress(n)
    if n_odd := getattr(table, "n_odd", 0):
        reader.skipped["with another number of values than columns"] = n_odd
    return reader.rows()


class _RowReader:
    def __init__(self, recipe: Recipe, where: str) -> None:
        self._recipe, self._where = recipe, where
        self._numbers: list[dict[str, Floats]] = []
        self._keys: list[NDArray[np.bytes_]] = []
        self._values: list[pa.RecordBatch] = []
        self.skipped: Counter[str] = Counter()

    def add(self, columns: Mapping[str, pa.Array]) -> None:
        columns = self._chosen(columns)
        numbers, keys, known = self._placed(columns)
        self.skipped["without a position" if self._recipe.key is None else "without a key"] += int((~known).sum())
        rows = pa.array(np.flatnonzero(known))
        kept = {k.name: kept_values(columns[k.source].take(rows), k, self._where) for k in self._recipe.kept}
        schema = pa.schema([pa.field(k.name, k.column.arrow_type) for k in self._recipe.kept])
        self._values.append(pa.RecordBatch.from_struct_array(_structs(kept, schema, len(rows))))
        self._numbers.append({name: values[known] for name, values in numbers.items()})
        self._keys.append(keys[known[: len(keys)]])

    def rows(self) -> KeptRows:
        names = self._numbers[0] if self._numbers else {}
        numbers = {name: np.concatenate([part[name] for part in self._numbers]) for name in names}
        keys = np.concatenate(self._keys) if self._keys else np.zeros(0, "S1")
        values = pa.Table.from_batches(self._values) if self._values else pa.table({})
        return KeptRows(numbers, keys, values, Counter({reason: n for reason, n in self.skipped.items() if n}))

    def _chosen(self, columns: Mapping[str, pa.Array]) -> Mapping[str, pa.Array]:
        """The rows that ``[where]`` selects."""
        chosen = np.ones(len(next(iter(columns.values()))), bool)
        for name, allowed in self._recipe.where.items():
            chosen &= np.asarray(is_among(columns[name], allowed, self._where).to_numpy(zero_copy_only=False), bool)
        if chosen.all():
            return columns
        self.skipped["not selected by [where]"] += int((~chosen).sum())
        rows = pa.array(np.flatnonzero(chosen))
        return {name: array.take(rows) for name, array in columns.items()}

    def _placed(
        self, columns: Mapping[str, pa.Array]
    ) -> tuple[dict[str, Floats], NDArray[np.bytes_], NDArray[np.bool_]]:
        """Positions with radius and motion, or keys, and whether each row has them."""
        recipe = self._recipe
        if recipe.position is None:
            keys = self._read_keys(columns[recipe.key or ""])
            return {}, keys, keys != b""
        ra, dec = read_positions(columns, recipe.position, self._where)
        numbers = {"ra": ra, "dec": dec, "radius": self._radii(columns, len(ra))}
        for name, source in (("pm_ra", recipe.position.pm_ra), ("pm_dec", recipe.position.pm_dec)):
            if source is not None:
                numbers[name] = plain_numbers(columns[source], f"{self._where}: {source}")
        return numbers, np.zeros(0, "S1"), np.isfinite(ra)

    def _radii(self, columns: Mapping[str, pa.Array], n: int) -> Floats:
        """The radius of each source; that of the recipe if it has none."""
        match = self._recipe.match
        if match.radius_column is None:
            return np.full(n, match.radius_arcsec)
        own = plain_numbers(columns[match.radius_column], f"{self._where}: {match.radius_column}")
        return np.where((own > 0) & (own <= _MAX_ARCSEC), own, match.radius_arcsec)

    def _read_keys(self, column: pa.Array) -> NDArray[np.bytes_]:
        text = pc.fill_null(plain_text(column), "")
        longest = pc.max(pc.binary_length(text)).as_py() or 0
        if longest > _MAX_KEY:
            raise CatalogError(
                f"{self._where}: '{self._recipe.key}' has values of {longest} bytes, which are not object ids"
            )
        return np.array([value.encode() for value in text.to_pylist()], f"S{_MAX_KEY}")


def _structs(arrays: Mapping[str, pa.Array], schema: pa.Schema, n: int) -> pa.StructArray:
    if not arrays:
        return pa.array([{}] * n, pa.struct([]))
    return pa.StructArray.from_arrays([arrays[name] for name in schema.names], fields=list(schema))
