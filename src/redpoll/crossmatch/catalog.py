"""Context of a built, memory-mapped catalogue: the nearest source of each alert, or all sources near it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.sky_index import Matches, SkyIndex, find_matches, julian_year
from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.facts import ARRAYS, KEYS, RECIPE, VALUES, Facts, read_facts, rebuild
from redpoll.catalogs.library import Library
from redpoll.catalogs.recipe import Recipe, load_recipe
from redpoll.crossmatch.context import Context, Missing
from redpoll.schema.column import Column


@dataclass(frozen=True)
class Catalog:
    """An open catalogue; made by `open_catalog`. ``index`` is None for a catalogue matched by object id."""

    recipe: Recipe
    facts: Facts
    index: SkyIndex | None
    keys: NDArray[np.bytes_] | None
    values: pa.Table

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return self.recipe.name

    @property
    def version(self) -> str:
        """Hash of the source file and the recipe."""
        return self.facts.version

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns of the recipe."""
        return self.recipe.columns

    @property
    def reads(self) -> tuple[str, ...]:
        """Position and time, or the object's identifier."""
        return ("object_id",) if self.index is None else ("ra", "dec", "hpx29", "mjd")

    def match(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """The values of each alert's match, null where it has none; lists, nearest first, where all are kept."""
        found = self.matches(batch)
        if self.recipe.match.which == "all":
            return _lists(self, found, batch.num_rows)
        return _scalars(self, found, batch.num_rows)

    def matches(self, batch: pa.RecordBatch) -> Matches:
        """Pairs of a row of an alert and a row of a source."""
        every = self.recipe.match.which == "all"
        if self.index is None:
            return self._same_id(batch["object_id"], every)
        hpx = batch["hpx29"].fill_null(-1).to_numpy(zero_copy_only=False)
        ra, dec, mjd = (batch[name].to_numpy(zero_copy_only=False) for name in ("ra", "dec", "mjd"))
        return find_matches(self.index, ra, dec, hpx=hpx, year=julian_year(mjd), every=every)

    def _same_id(self, object_ids: pa.Array, every: bool) -> Matches:
        assert self.keys is not None
        wanted = np.array([(name or "").encode() for name in object_ids.to_pylist()], np.bytes_)
        first, last = (np.searchsorted(self.keys, wanted, side) for side in ("left", "right"))
        n = np.where(wanted == b"", 0, last - first)
        n = n if every else np.minimum(n, 1)
        alert = np.repeat(np.arange(len(n)), n)
        source = np.repeat(first, n) + np.arange(len(alert)) - np.repeat(np.cumsum(n) - n, n)
        return Matches(alert, source, np.full(len(alert), np.nan))


def open_catalogs(library: Library) -> tuple[list[Context], list[Missing]]:
    """The built catalogues of a library as contexts, and those that are missing.

    Raises
    ------
    CatalogError
        If a catalogue is damaged: build it again or remove it.
    """
    contexts: list[Context] = []
    missing: list[Missing] = []
    for entry in library.entries():
        if entry.problem:
            raise CatalogError(f"{entry.problem}; or remove it: redpoll catalog remove {entry.name}")
        made = library.columns_of(entry)
        if entry.facts is None:
            missing.append(Missing(entry.name, made))
            continue
        contexts.append(catalog := open_catalog(library.folder / entry.name))
        absent = {name: column for name, column in made.items() if name not in catalog.columns}
        if absent:
            missing.append(Missing(entry.name, absent, "built by an older recipe"))
    return contexts, missing


def open_catalog(folder: Path) -> Catalog:
    """Open a built catalogue by memory-mapping its files.

    Raises
    ------
    CatalogError
        If the folder is not a complete catalogue.
    """
    facts = read_facts(folder)
    recipe = load_recipe(folder / RECIPE, folder.name)
    try:
        values = pa.ipc.open_file(pa.memory_map(str(folder / VALUES))).read_all()
        keys = _mapped(folder / KEYS) if recipe.position is None else None
        index = None if recipe.position is None else _index(folder, facts, recipe.position.epoch)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise CatalogError(f"{folder}: is damaged ({error}); {rebuild(folder)}") from error
    catalog = Catalog(recipe, facts, index, keys, values)
    _check(catalog, folder)
    return catalog


def _index(folder: Path, facts: Facts, epoch: float) -> SkyIndex:
    hpx, xyz, limit, motion, buckets = (_mapped(folder / f"{name}.npy") for name in ARRAYS)
    return SkyIndex(hpx, xyz, limit, motion, buckets, facts.layers, epoch)


def _mapped(path: Path) -> NDArray:
    # copy on write: writable arrays have the type that the kernels are compiled for
    return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))


def _check(catalog: Catalog, folder: Path) -> None:
    """Raise CatalogError if the arrays are inconsistent, because the compiled search does not check them."""
    n, index = catalog.facts.rows, catalog.index
    fits = catalog.values.num_rows == n and catalog.values.column_names == [k.name for k in catalog.recipe.kept]
    if index is None:
        fits &= catalog.keys is not None and len(catalog.keys) == n
    else:
        moving = len(index.motion)
        fits &= index.hpx.shape == index.limit.shape == (n,) and index.xyz.shape == (n, 3) and moving in (0, n)
        fits &= sum(layer.stop - layer.start for layer in index.layers) == n
        for layer in index.layers:
            buckets = index.buckets[layer.buckets : layer.buckets + 12 * 4**layer.order + 1]
            fits &= len(buckets) == 12 * 4**layer.order + 1 and bool((np.diff(buckets) >= 0).all())
            fits &= bool(0 <= layer.start == buckets[0] and buckets[-1] == layer.stop <= n)
    if not fits:
        raise CatalogError(f"{folder}: its files do not fit together; {rebuild(folder)}")


def _scalars(catalog: Catalog, found: Matches, n: int) -> dict[str, pa.Array]:
    rows = np.zeros(n, np.int64)
    unmatched = np.ones(n, bool)
    rows[found.alert], unmatched[found.alert] = found.source, False
    index = pa.array(rows, mask=unmatched)
    made = {name: _taken(catalog.values[name], index) for name in catalog.values.column_names}
    if catalog.recipe.class_ is not None:
        names = np.full(n, catalog.recipe.class_, object)
        made[catalog.recipe.class_column] = pa.array(names, pa.string(), mask=unmatched)
    if catalog.index is not None:
        arcsec = np.zeros(n, np.float32)
        arcsec[found.alert] = found.arcsec
        made[f"{catalog.name}_arcsec"] = pa.array(arcsec, mask=unmatched)
    return made


def _lists(catalog: Catalog, found: Matches, n: int) -> dict[str, pa.Array]:
    counts = np.bincount(found.alert, minlength=n)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    index, none = pa.array(found.source), pa.array(counts == 0)
    flat = {name: _taken(catalog.values[name], index) for name in catalog.values.column_names}
    if catalog.index is not None:
        flat[f"{catalog.name}_arcsec"] = pa.array(found.arcsec.astype(np.float32))
    return {name: pa.ListArray.from_arrays(pa.array(offsets), values, mask=none) for name, values in flat.items()}


def _taken(column: pa.ChunkedArray, index: pa.Array) -> pa.Array:
    """Values of these rows, null for a null row."""
    if column.num_chunks == 1:
        return column.chunk(0).take(index)
    taken = column.take(index).combine_chunks()
    return taken
