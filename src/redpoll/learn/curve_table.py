"""Reader of a table of light curves in long form, one point a row, as Parquet or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.table_file import open_table
from redpoll.catalogs.tables import Table
from redpoll.catalogs.text_table import TextTable
from redpoll.errors import near
from redpoll.learn.curve_objects import NUMBERS, TEXTS, ObjectConstants
from redpoll.learn.curve_rows import PointRows, RowRange, point_rows
from redpoll.learn.curves import LabelledCurve
from redpoll.learn.errors import DatasetError

REQUIRED = ("object_id", "mjd", "band")
PAIRS = (("flux", "flux_err"), ("mag", "mag_err"))
OPTIONAL = ("kind", *NUMBERS, *TEXTS)


def read_curves(path: Path | str) -> list[LabelledCurve]:
    """The light curves of a table, each by time, in the order of their first rows.

    The columns are described in the how-to guide "Make a training set from light curves"; others are ignored. Of
    several points of one object, time and band, one is kept: a detection before forced photometry before an upper
    limit, and then the first.

    Raises
    ------
    DatasetError
        If the file or a value in it cannot be used; the message names file, row and column, and what to do.

    Examples
    --------
    >>> import tempfile
    >>> text = "object_id,mjd,band,mag,mag_err,label\\nx1,60001,r,19.5,0.05,sn_ia\\nx1,60000,g,20.0,0.1,sn_ia\\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "curves.csv").write_text(text)
    ...     (curve,) = read_curves(Path(folder, "curves.csv"))
    >>> curve.name, curve.label, curve.mjd.tolist()
    ('x1', 'sn_ia', [60000.0, 60001.0])
    """
    path, objects, parts, first = Path(path), ObjectConstants(), [], 1
    with _opened(path) as table:
        for batch in table.batches(_columns(table, path)):
            if isinstance(table, TextTable) and table.n_odd:
                raise DatasetError(f"{path}: {table.n_odd} rows have too many or too few values; correct them")
            rows = RowRange(path, first)
            parts.append((objects.add(batch, rows), point_rows(batch, rows)))
            first += len(parts[-1][0])
    if first == 1:
        raise DatasetError(f"{path}: has no rows; a table of light curves has one point a row")
    numbers = np.concatenate([part for part, _ in parts])
    return _curves(path, objects, numbers, _joined([part for _, part in parts]))


@contextmanager
def _opened(path: Path) -> Iterator[Table]:
    try:
        with open_table(path) as table:
            yield table
    except CatalogError as error:
        raise DatasetError(f"{error}. A table of light curves is a Parquet or CSV file") from error


def _columns(table: Table, path: Path) -> list[str]:
    """The columns that are read; DatasetError if one is missing."""
    if missing := [name for name in REQUIRED if name not in table.names]:
        raise DatasetError(f"{path}: has no column '{missing[0]}'{near(missing[0], table.names)}")
    given = [pair for pair in PAIRS if any(name in table.names for name in pair)]
    if len(given) != 1:
        wrong = "has both flux and mag" if given else "has neither flux nor mag"
        raise DatasetError(f"{path}: {wrong}; give flux and flux_err [nJy], or mag and mag_err [AB]")
    if missing := [name for name in given[0] if name not in table.names]:
        raise DatasetError(f"{path}: has no column '{missing[0]}'{near(missing[0], table.names)}")
    return [*REQUIRED, *given[0], *(name for name in OPTIONAL if name in table.names)]


def _joined(parts: list[PointRows]) -> PointRows:
    columns = ("mjd", "band", "flux", "flux_err", "kind")
    return PointRows(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def _curves(path: Path, objects: ObjectConstants, numbers: NDArray[np.int64], points: PointRows) -> list[LabelledCurve]:
    order = np.lexsort((points.kind, points.band, points.mjd, numbers))
    key = (numbers[order], points.mjd[order], points.band[order])
    is_first = np.ones(len(order), bool)
    is_first[1:] = np.any([values[1:] != values[:-1] for values in key], axis=0)
    order = order[is_first]
    starts = np.searchsorted(numbers[order], np.arange(len(objects.names) + 1))
    found = []
    for number, name in enumerate(objects.names):
        part = order[starts[number] : starts[number + 1]]
        mjd, band, flux, err, kind = (
            getattr(points, column)[part] for column in ("mjd", "band", "flux", "flux_err", "kind")
        )
        try:
            about = objects.about(number)
        except DatasetError as error:
            raise DatasetError(f"{path}: {error}") from error
        found.append(
            LabelledCurve(name, objects.label(number), mjd, band, flux, err, kind, about, objects.survey(number))
        )
    return found
