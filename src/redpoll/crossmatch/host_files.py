"""Cache of the data that host association derives from the galaxy catalogues, as memory-mapped files beside them.

The folder is ``.hosts-KEY``; KEY is a hash of the catalogues, the settings and the code. It is written on first use
under another name and renamed, so that it is complete or does not exist. Without write access nothing is cached.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.sky_index import SkyIndex
from redpoll.astro.sky_index_layer import Layer
from redpoll.catalogs.facts import ARRAYS
from redpoll.crossmatch.galaxies import Galaxies

_NAMES, _LAYERS, _DENSITY = "names.arrow", "layers.json", "density"
Derived = tuple[SkyIndex, Galaxies, NDArray[np.float64]]
"""Index, galaxies in its order, galaxies per square arcsec at least as bright as each one."""


def read_derived(folder: Path, key: str) -> Derived | None:
    """The data kept under a key, memory-mapped; None if they do not exist or are damaged."""
    path = folder / f".hosts-{key}"
    try:
        layers = tuple(Layer(**layer) for layer in json.loads((path / _LAYERS).read_text("utf-8")))
        names = pa.ipc.open_file(pa.memory_map(str(path / _NAMES))).read_all()["name"].combine_chunks()
        # copy on write: writable arrays have the type that the kernels are compiled for
        arrays = {p.stem: np.asarray(np.load(p, mmap_mode="c", allow_pickle=False)) for p in path.glob("*.npy")}
        hpx, xyz, limit, motion, buckets = (arrays.pop(name) for name in ARRAYS)
        index, density = SkyIndex(hpx, xyz, limit, motion, buckets, layers), arrays.pop(_DENSITY)
        galaxies = Galaxies(**arrays, name=names)
    except (OSError, EOFError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None
    sizes = {len(column) for column in (names, index.hpx, index.xyz, index.limit, density, *arrays.values())}
    return (index, galaxies, density) if len(sizes) == 1 else None


def write_derived(folder: Path, key: str, derived: Derived) -> None:
    """Write the data under a key and delete older ones, if the folder is writable."""
    try:
        for old in folder.glob(".hosts-*"):
            shutil.rmtree(old, ignore_errors=True)
        made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))
        try:
            _write(made, derived)
            made.rename(folder / f".hosts-{key}")
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError:
        return  # no write access, disk full, or written by another process


def _write(path: Path, derived: Derived) -> None:
    index, galaxies, density = derived
    arrays = {name: getattr(index, name) for name in ARRAYS} | galaxies.numbers() | {_DENSITY: density}
    for name, values in arrays.items():
        np.save(path / f"{name}.npy", values)
    table = pa.table({"name": galaxies.name})
    with pa.OSFile(str(path / _NAMES), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    (path / _LAYERS).write_text(json.dumps([asdict(layer) for layer in index.layers]), "utf-8")
