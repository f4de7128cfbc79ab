"""Which alerts a scan returns, and in which order."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import N_CELLS, cone_ranges, merged
from redpoll.errors import UsageError

Order = Literal["newest", "oldest", "separation", "hpx29"]
"""``newest`` and ``oldest``: by mjd, then alert_id; ``separation``: nearest to the centre of the cone first, then
alert_id; ``hpx29``: along the sky, then alert_id."""
_ORDERS = get_args(Order)
SEPARATION = "separation_arcsec"
"""Column that a scan with a cone can return: distance from the centre."""
MAX_OBJECTS = 100_000
MAX_ALERTS = 100_000
MAX_RANGES = 100_000


@dataclass(frozen=True)
class Cone:
    """A circle on the sky: centre in ICRS degrees, radius in arcsec; UsageError if there is no such cone."""

    ra: float
    dec: float
    radius_arcsec: float

    def __post_init__(self) -> None:
        self.ranges()

    def ranges(self) -> NDArray[np.int64]:
        """Ranges [start, stop) of order-29 cells that cover the cone."""
        try:
            return _cone_ranges(self.ra, self.dec, self.radius_arcsec)
        except ValueError as error:
            raise UsageError(str(error)) from error


@dataclass(frozen=True)
class Selection:
    """Alerts that fulfil every condition that is given; all alerts by default.

    Parameters
    ----------
    where
        Expression over any columns, indexed or archived, as in filters.
    cone
        Alerts within a circle.
    ranges
        Alerts whose ``hpx29`` is in one of these ranges [start, stop): a MOC or a sky map's credible region at
        order 29. No ranges select no alerts.
    night
        Alerts of this night, YYYYMMDD.
    class_
        Alerts classified as this class or as a subclass of it, by any classifier.
    topic
        Alerts that passed this filter.
    object_ids
        Alerts of these objects.
    survey
        Alerts of this survey.
    alert_ids
        Alerts with these identifiers, which are unique within a survey.
    """

    where: str | None = None
    cone: Cone | None = None
    ranges: Sequence[tuple[int, int]] | None = None
    night: int | None = None
    class_: str | None = None
    topic: str | None = None
    object_ids: Sequence[str] | None = None
    survey: str | None = None
    alert_ids: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.object_ids is not None:
            _freeze(self, "object_ids", tuple(_checked_objects(self.object_ids)))
        if self.alert_ids is not None:
            _freeze(self, "alert_ids", tuple(_checked_alerts(self.alert_ids)))
        if self.ranges is not None:
            _freeze(self, "ranges", tuple(map(tuple, _checked_ranges(self.ranges).tolist())))

    def cells(self) -> NDArray[np.int64] | None:
        """The ranges that hold every selected alert, those of ``ranges`` or else of the cone; None: the whole sky."""
        if self.ranges is not None:
            return np.array(self.ranges, np.int64).reshape(-1, 2)
        return None if self.cone is None else self.cone.ranges()


@lru_cache(maxsize=16)
def _cone_ranges(ra: float, dec: float, radius_arcsec: float) -> NDArray[np.int64]:
    """Ranges of a cone, which a scan asks for several times."""
    ranges = cone_ranges(ra, dec, radius_arcsec)
    ranges.setflags(write=False)
    return ranges


def order_of(selection: Selection, order_by: Order | None) -> Order:
    """The order of a scan: nearest first for a cone, else newest first; UsageError if `order_by` does not fit."""
    if order_by is None:
        return "newest" if selection.cone is None else "separation"
    if order_by not in _ORDERS:
        raise UsageError(f"no order '{order_by}'; use one of {', '.join(_ORDERS)}")
    if order_by == "separation" and selection.cone is None:
        raise UsageError("the order 'separation' needs a cone")
    return order_by


def _freeze(selection: Selection, name: str, value: object) -> None:
    object.__setattr__(selection, name, value)


def _checked_objects(object_ids: Sequence[str]) -> Sequence[str]:
    if isinstance(object_ids, str) or len(object_ids) > MAX_OBJECTS:
        raise UsageError(f"object_ids is a list of at most {MAX_OBJECTS:,} identifiers")
    return list(dict.fromkeys(object_ids))


def _checked_alerts(alert_ids: Sequence[int]) -> Sequence[int]:
    try:
        numbers = [operator.index(number) for number in alert_ids]
    except TypeError as error:
        raise UsageError(f"alert_ids are integers: {error}") from error
    if len(numbers) > MAX_ALERTS or any(not -(2**63) <= number < 2**63 for number in numbers):
        raise UsageError(f"alert_ids are at most {MAX_ALERTS:,} integers of 64 bits")
    return list(dict.fromkeys(numbers))


def _checked_ranges(ranges: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    if len(ranges) > MAX_RANGES:
        raise UsageError(f"at most {MAX_RANGES:,} ranges of cells can be selected")
    cells = _integers(ranges)
    if (cells[:, 0] < 0).any() or (cells[:, 1] > N_CELLS).any() or (cells[:, 0] > cells[:, 1]).any():
        raise UsageError(f"ranges of hpx29 are [start, stop) with 0 <= start <= stop <= {N_CELLS}")
    cells = cells[cells[:, 0] < cells[:, 1]]
    return merged(cells[:, 0], cells[:, 1])


def _integers(ranges: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    try:
        cells = np.array([(int(start), int(stop)) for start, stop in ranges], np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"ranges of hpx29 are pairs of integers: {error}") from error
    return cells.reshape(-1, 2)
