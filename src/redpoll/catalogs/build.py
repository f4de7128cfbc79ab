"""A table and a recipe become a folder of sorted, memory-mapped arrays; all of it or nothing."""

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
    """Build the catalogue of a recipe from a table, in its folder below `catalogs`; one of that name is replaced.

    Parameters
    ----------
    recipe
        What to keep of the table.
    file
        CSV, Parquet, FITS or VOTable.
    catalogs
        Folder of all catalogues, made if need be.
    progress
        Told rows done, and rows in all if that is known.
    now
        The clock.

    Raises
    ------
    CatalogError
        If the file cannot be read, lacks a column, has values of another type, or holds no row that can be used.
    """
    with open_table(file) as table:
        require_columns(table, recipe.sources, str(file))
        if recipe.position is not None:
            refuse_odd_units(table.units, recipe.position, str(file))
        rows = read_rows(table, recipe, _told(table, progress), str(file))
    if not rows.n:
        raise CatalogError(f"{file}: holds no row that can be used: {_said(rows.skipped)}")
    catalogs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=catalogs))
    try:
        facts = _write(folder, recipe, rows, file, now())
        _replace(folder, catalogs / recipe.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return facts


def _told(table: Table, progress: Progress) -> Callable[[int], None]:
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
    """Keep the arrays of an index in a folder, a file each."""
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
        for part in _parts(order):
            for batch in table.take(pa.array(part)).combine_chunks().to_batches():
                writer.write_batch(batch)


def _parts(order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]


def _sky_fraction(hpx: NDArray[np.int64]) -> float:
    return len(np.unique(hpx >> _COVERAGE_SHIFT)) / _N_COVERAGE


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _replace(new: Path, place: Path) -> None:
    """Put a folder in the place of another: the old one steps aside, so that there is always a whole one or none."""
    new.chmod(0o755)
    if not place.exists():
        new.replace(place)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    place.replace(old)
    new.replace(place)
    shutil.rmtree(old, ignore_errors=True)


def _said(skipped: dict[str, int]) -> str:
    return "; ".join(f"{n:,} {reason}" for reason, n in skipped.items()) or "it is empty"
