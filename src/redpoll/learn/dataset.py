"""Labelled data sets: a table of light curves, a simulated night or a store, as batches of alerts of known class."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

from redpoll.errors import UsageError
from redpoll.learn.curve_table import read_curves
from redpoll.learn.curves import LabelledCurve
from redpoll.learn.replay import Labelled, replayed
from redpoll.learn.simulated import simulated_alerts
from redpoll.learn.stored_labels import stored_alerts
from redpoll.schema.bands import DETECTION, SURVEYS
from redpoll.simulate.source import simulated_source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """Alerts of known class, read anew by each iteration.

    An item is a batch of canonical alerts with the columns of hosts as far as they are known, and for each alert its
    class in the taxonomy (empty if unknown) and its object. ``name`` tells where the data are from.
    """

    name: str
    read: Callable[[], Iterator[Labelled]]

    def __iter__(self) -> Iterator[Labelled]:
        return self.read()


def open_dataset(spec: str | Path, *, per_object: int = 8, history_days: float = inf, survey: str = "ztf") -> Dataset:
    """A labelled data set.

    Parameters
    ----------
    spec
        The path of a table of light curves (see `redpoll.learn.curve_table.read_curves`); the folder of a store, whose
        labels are read; or a URI such as ``simulate://ztf?alerts=1000&seed=1``, with the parameters of
        `redpoll.simulate.source.simulated_source`.
    per_object
        Maximum number of alerts of an object, spread over its detections.
    history_days
        Length of the light curve before each alert of a table [d].
    survey
        Survey of the objects of a table that names none: its alerts are written as that survey's.

    Raises
    ------
    UsageError
        If an option is invalid.
    DatasetError, SourceError, StoreError
        If the data cannot be read.

    Examples
    --------
    >>> batch, label, _ = next(iter(open_dataset("simulate://ztf?alerts=20&seed=3")))
    >>> batch.num_rows == len(label)
    True
    """
    if per_object < 1:
        raise UsageError(f"per_object {per_object}: use at least 1")
    if not history_days > 0:
        raise UsageError(f"history_days {history_days}: use a number of days above 0")
    if survey not in SURVEYS:
        raise UsageError(f"survey '{survey}': use {' or '.join(SURVEYS)}")
    if str(spec).startswith("simulate:"):
        recipe = simulated_source(str(spec)).recipe
        return Dataset(str(spec), partial(simulated_alerts, recipe, per_object))
    path = Path(spec)
    if path.is_dir():
        return Dataset(str(path), partial(stored_alerts, path, per_object))
    return Dataset(str(path), partial(_replayed, read_curves(path), survey, history_days, per_object))


def _replayed(curves: Sequence[LabelledCurve], survey: str, history_days: float, per_object: int) -> Iterator[Labelled]:
    """The alerts of curves, those of each survey in batches of their own."""
    n_unseen = sum(not (curve.kind == DETECTION).any() for curve in curves)
    if n_unseen:
        log.warning("objects without a detection give no alert", extra={"n": n_unseen})
    for name in SURVEYS:
        some = [curve for curve in curves if (curve.survey or survey) == name]
        yield from replayed(some, name, history_days, per_object)
