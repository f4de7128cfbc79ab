"""Conditions of a query, checked, as a selection of the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from redpoll.client.tables import checked_night, checked_survey
from redpoll.errors import ExpressionError, SchemaError, UnknownColumn, UsageError, near
from redpoll.schema.names import PASS
from redpoll.schema.taxonomy import taxonomy

if TYPE_CHECKING:
    from redpoll.store import Cone, Selection, Store

Moc = str | PathLike[str] | Sequence[tuple[int, int]] | Any
"""File of a region, ranges [start, stop) of order-29 cells, or a ``mocpy.MOC``."""
_MAX_LETTERS = 100
"""Of a name; classes have fewer."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raise UsageError where a condition or a column does not fit the store."""
    try:
        yield
    except UnknownColumn as error:
        raise UsageError(f"there is no column '{error.name}'{error.near}") from error
    except (ExpressionError, SchemaError) as error:
        raise UsageError(str(error)) from error


def select(
    store: Store,
    *,
    where: str | None,
    topic: str | None,
    class_: str | None,
    night: int | None,
    cone: Sequence[float] | Sequence[str] | None,
    moc: Moc | None,
    survey: str | None,
) -> Selection:
    """The selection of these conditions; UsageError if one is invalid, with near names of a class or topic."""
    from redpoll.store import Selection

    return Selection(
        where=None if where is None else _condition(where),
        cone=None if cone is None else _cone(cone),
        ranges=None if moc is None else _ranges(moc),
        night=checked_night(night),
        class_=None if class_ is None else _class(class_),
        topic=None if topic is None else _topic(topic, store),
        survey=None if survey is None else checked_survey(survey),
    )


def _condition(where: str) -> str:
    """An expression; UsageError if it is blank, as of a variable of the shell that is not set."""
    text = _text(where, "where")
    if not text:
        raise UsageError("the condition is empty: leave it out for all alerts, or write one such as 'mag < 18'")
    return text


def _text(value: str | None, name: str) -> str:
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} is a text, not {type(value).__name__}")
    return (value or "").strip()


def _cone(cone: Sequence[float] | Sequence[str]) -> Cone:
    from redpoll.store import Cone

    try:
        ra, dec, radius = (float(value) for value in cone)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError("a cone is three numbers: right ascension, declination [deg] and radius [arcsec]") from error
    return Cone(ra, dec, radius)


def _class(name: str) -> str:
    try:
        return taxonomy().check(_text(name, "class")[:_MAX_LETTERS])
    except SchemaError as error:
        raise UsageError(str(error)) from error


def _topic(name: str, store: Store) -> str:
    name = _text(name, "topic")
    known = {*store.ledger.topics(), *_passed(store)}
    if name not in known:
        raise UsageError(f"no alert passed a filter of the topic '{name[:100]}'{near(name[:100], known)}")
    return name


def _passed(store: Store) -> list[str]:
    names = store.alerts.schema().names
    return [name.removeprefix(PASS) for name in names if name.startswith(PASS)]


def _ranges(moc: Moc) -> Sequence[tuple[int, int]]:
    if isinstance(moc, str | PathLike):
        from redpoll.crossmatch.moc import read_region  # brings the readers of regions

        try:
            cells = read_region(Path(moc))
        except ValueError as error:  # of the system's: half a character, or a zero byte
            raise UsageError(f"moc: {str(moc)[:100]!r} cannot be the name of a file: {error}") from error
    else:
        cells = _array(getattr(moc, "to_depth29_ranges", moc))
    return [(start, stop) for start, stop in cells.tolist()]


def _array(moc: Any) -> Any:
    try:
        cells = np.asarray(moc)
    except ValueError as error:
        raise UsageError("ranges of hpx29 are pairs of integers [start, stop)") from error
    if cells.size == 0:
        return cells.reshape(0, 2)
    if cells.ndim != 2 or cells.shape[1] != 2 or cells.dtype.kind not in "iu":
        raise UsageError("ranges of hpx29 are pairs of integers [start, stop)")
    return cells
