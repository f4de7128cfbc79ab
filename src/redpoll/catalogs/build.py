"""Build of a catalogue: a table and a recipe become a folder of sorted, memory-mapped arrays, atomically."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.sky_index import SkyIndex, build_index
from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.facts import ARRAYS, KEYS, RECIPE, VALUES, Facts, write_facts
from redpoll.catalogs.positions import refuse_hours_and_radians, refuse_odd_units
from redpoll.catalogs.recipe import Recipe
from redpoll.catalogs.rows import KeptRows, read_rows
from redpoll.catalogs.table_file import open_table
from redpoll.catalogs.tables import Table, require_columns

Progress = Callable[[int, int | None], None]
_BATCH = 1 << 22
_COVERAGE_SHIFT = 2 * (29 - 4)
_N_COVERAGE = 12 * 4**4


def build_catalog(
    recipe: Recipe, file: Path, catalogs: Path, *,
    progress: Progress = lambda done, total: None, now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Facts:  # fmt: skip
    """Build the catalogue of a recipe from a table, in a folder below `catalogs`; replaces one of the same name.

    Parameters
    ----------
    recipe
        Recipe of the catalogue.
    file
        CSV, Parquet, FITS or VOTable.
    catalogs
        Folder of all catalogues, created if needed.
    progress
        Called with the rows read and the total, None if unknown.
    now
        Clock.

    Raises
    ------
    CatalogError
        If the file cannot be read, lacks a column, has values of another type, or has no usable row.
    """
    with open_table(file) as table:
        require_columns(table, recipe.sources, str(file))
        if recipe.position is not None:
            refuse_odd_units(table.units, recipe.position, str(file))
        rows = read_rows(table, recipe, _row_progress(table, progress), str(file))
    if not rows.n:
        raise CatalogError(f"{file}: has no usable row: {_listed(rows.skipped)}")
    catalogs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=catalogs))
    try:
        facts = _write(folder, recipe, rows, file, now())
        _replace(folder, catalogs / recipe.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return facts


def _row_progress(table: Table, progress: Progress) -> Callable[[int], None]:
    return lambda done: progress(done, table.n_rows)


def _write(folder: Path, recipe: Recipe, rows: KeptRows, file: Path, now: datetime) -> Facts:
    index, order = _index(recipe, rows, file)
    _write_values(folder, rows, order)
    if index is None:
        np.save(folder / KEYS, rows.keys[order])
    else:
        save_index(index, folder)
    (folder / RECIPE).write_text(recipe.text, encoding="utf-8")
    digest = _sha256(file)
    facts = Facts(
        version=hashlib.sha256(f"{digest} {recipe.name} {recipe.text}".encode()).hexdigest()[:8],
        rows=rows.n, skipped=dict(rows.skipped), source=file.name, sha256=digest,
        built=now.isoformat(timespec="seconds"), redpoll=version("redpoll"),
        sky_fraction=None if index is None else _sky_fraction(index.hpx),
        n_bytes=sum(f.stat().st_size for f in folder.iterdir()), layers=() if index is None else index.layers,
    )  # fmt: skip
    write_facts(facts, folder)
    return facts


def save_index(index: SkyIndex, folder: Path) -> None:
    """Write the arrays of an index to a folder, one file each."""
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(index, name))


def _index(recipe: Recipe, rows: KeptRows, file: Path) -> tuple[SkyIndex | None, NDArray[np.int64]]:
    if recipe.position is None:
        return None, np.argsort(rows.keys, kind="stable").astype(np.int64)
    if recipe.position.format == "degrees":
        refuse_hours_and_radians(rows.ra, rows.dec, str(file))
    motions = {} if recipe.position.pm_ra is None else {"pm_ra": rows.pm_ra, "pm_dec": rows.pm_dec}
    return build_index(rows.ra, rows.dec, rows.radius, epoch=recipe.position.epoch, **motions)


def _write_values(folder: Path, rows: KeptRows, order: NDArray[np.int64]) -> None:
    table = rows.values
    with pa.OSFile(str(folder / VALUES), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        for rows_ in _batches(order):
            for batch in table.take(pa.array(rows_)).combine_chunks().to_batches():
                writer.write_batch(batch)


def _batches(order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]


def _sky_fraction(hpx: NDArray[np.int64]) -> float:
    return len(np.unique(hpx >> _COVERAGE_SHIFT)) / _N_COVERAGE


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _replace(new: Path, folder: Path) -> None:
    """Replace a folder by another; at any time the folder is complete or does not exist."""
    new.chmod(0o755)
    if not folder.exists():
        new.replace(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    folder.replace(old)
    new.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def _listed(skipped: dict[str, int]) -> str:
    return "; ".join(f"{n:,} {reason}" for reason, n in skipped.items()) or "it is empty"
