"""Contexts of sky regions: whether each alert lies in a footprint, a field or any other MOC."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.crossmatch.bounded_file import fingerprint
from redpoll.crossmatch.cells import CellIndex, Cells, area_deg2
from redpoll.crossmatch.moc import read_region
from redpoll.schema.column import Column
from redpoll.schema.names import valid_name


class Region:
    """A region `name` of the sky; adds ``in_<name>``, which is never null.

    Parameters
    ----------
    name
        Lower-case letters, digits and underscores.
    ranges
        Ranges [start, stop) of order-29 cells, sorted and disjoint, int64 of shape (n, 2).
    version
        Version of the region.

    Examples
    --------
    >>> Region("north", np.array([[0, 4 << 58]])).contains(np.array([1 << 58, 5 << 58])).tolist()
    [True, False]
    """

    reads = ("hpx29",)

    def __init__(self, name: str, ranges: Cells, version: str = "1") -> None:
        valid_name(name, "a region's name")
        self.name, self.version, self.ranges = name, version, ranges

    @property
    def columns(self) -> Mapping[str, Column]:
        """``in_<name>``."""
        doc = f"Whether the alert lies in the region {self.name} ({area_deg2(self.ranges):.4g} deg2). Never null."
        return {f"in_{self.name}": Column("bool", doc=doc)}

    def match(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """Whether each alert lies in the region."""
        cells = batch["hpx29"].to_numpy(zero_copy_only=False)
        return {f"in_{self.name}": pa.array(self.contains(cells))}

    def contains(self, cells: Cells) -> NDArray[np.bool_]:
        """Whether each cell of order 29 is in the region."""
        return np.asarray(self._edges.find(cells) & 1 == 0)

    @cached_property
    def _edges(self) -> CellIndex:
        """Index of alternating starts and stops; a cell after a start, which has an even index, is inside."""
        return CellIndex(self.ranges.ravel())


def open_region(name: str, path: Path) -> Region:
    """The region in a file, in any of the forms that `redpoll.crossmatch.moc.read_region` takes.

    Raises
    ------
    SkyFileError
        If the file cannot be read as a region.
    """
    return Region(name, read_region(path), fingerprint(path))
