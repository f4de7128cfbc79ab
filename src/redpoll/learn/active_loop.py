"""One realisation of active learning: fit, measure, ask for labels, and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.audit import Audit
from redpoll.learn.learners import Committee, learner_of
from redpoll.learn.loop_options import LoopOptions, check_options
from redpoll.learn.metrics import METRICS, Figure, equal_weights
from redpoll.learn.query_roles import KnownObjects, Roles
from redpoll.learn.query_table import QueryTable
from redpoll.learn.strategies import QueryPool
from redpoll.learn.weighted_strategies import strategy_of

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
_JUDGED = ("efficiency", "purity", "figure of merit")


@dataclass(frozen=True)
class CurvePoint:
    """One measurement: labels asked for until then, their cost, and the classifier on the objects of the test.

    ``audited_*`` are estimates of the same from the audit alone, None without one, with the number of its labels.
    """

    strategy: str
    seed: int
    night: float
    queries: int
    cost: float
    positive_fraction: float
    accuracy: float
    efficiency: float
    purity: float
    figure_of_merit: float
    audited: int
    audited_accuracy: float | None
    audited_efficiency: float | None
    audited_purity: float | None


def learning_curve(
    table: QueryTable, options: LoopOptions, strategy: str, seed: int, *, stop: Callable[[], bool] = lambda: False
) -> list[CurvePoint]:
    """The measurements of one realisation, the first before any query.

    The same arguments give the same curve, and all strategies of one seed begin with the same labels. Without nights,
    the last row of each object is all that there is. `stop` is asked before each fit; a curve that was stopped ends
    there.

    Raises
    ------
    UsageError
        If the options do not fit the table.
    """
    check_options(table, options, strategy)
    loop = _Loop(table if options.by_night else table.last_rows(), options, strategy, seed)
    return loop.run(stop)


class _Loop:
    """State of a realisation: which objects are labelled, what was asked for, what was measured."""

    def __init__(self, table: QueryTable, options: LoopOptions, strategy: str, seed: int) -> None:
        self._table, self._options, self._name, self._seed = table, options, strategy, seed
        self._classes, self._y = np.unique(table.label, return_inverse=True)
        self._positive = self._classes.tolist().index(options.positive)
        self._roles = Roles(table, options, seed)
        self._known = KnownObjects(table, self._roles.place)
        self._compared = _compared(table, options.similar_by)
        self._rng = np.random.default_rng([seed, 1])
        self._labelled = self._roles.is_labelled.copy()
        self._audited = np.zeros(len(self._labelled), bool)
        self._queries, self._cost = 0, 0.0
        self._points: list[CurvePoint] = []

    def run(self, stop: Callable[[], bool]) -> list[CurvePoint]:
        """All measurements."""
        for _ in self._known.nights(by_night=self._options.by_night):
            if stop():
                return self._points
            self._audit()
            committee = self._fitted()
            if not self._points or self._queries - self._points[-1].queries >= self._options.every:
                self._measure(committee)
            is_full = self._queries >= self._options.queries
            if is_full or not (self._ask(committee) or self._options.by_night):
                break
        if not self._points or self._queries > self._points[-1].queries:
            self._measure(self._fitted())
        return self._points

    def _fitted(self) -> Committee:
        """A classifier of all that is known of the labelled objects; the first ones are known in full."""
        place = self._roles.place
        rows = np.flatnonzero(self._roles.is_labelled[place] | (self._known.rows & self._labelled[place]))
        seed = int(np.random.default_rng([self._seed, 2, self._queries]).integers(2**31))
        weight = equal_weights(place[rows])
        fit = learner_of(self._options.learner)
        X, y, trees = self._table.features[rows], self._y[rows], self._options.trees
        return fit(X, y, weight, len(self._classes), seed, trees=trees)

    def _queryable(self) -> Bools:
        """Objects that are known, bright enough and seen of late, and are not for the test."""
        last = self._known.last
        is_seen = (last >= 0) & ~self._roles.is_test & ~self._roles.is_labelled
        is_bright = self._table.mag[last] <= self._options.mag_limit
        is_recent = self._known.end - self._table.mjd[last] <= self._options.recent_days
        return np.asarray(is_seen & is_bright & is_recent)

    def _audit(self) -> None:
        """Ask for the labels of audited objects that can be queried for the first time."""
        new = self._queryable() & self._roles.is_audited & ~self._audited
        self._audited |= new
        self._count(np.flatnonzero(new))

    def _ask(self, committee: Committee) -> bool:
        """Ask for one batch of labels; whether there were any."""
        objects = np.flatnonzero(self._queryable() & ~self._roles.is_audited & ~self._labelled)
        n = min(self._options.batch, self._options.queries - self._queries)
        if not len(objects) or n <= 0:
            return False
        chosen = objects[strategy_of(self._name)(self._pool(committee, objects), n, self._rng)]
        self._labelled[chosen] = True
        self._count(chosen)
        return len(chosen) > 0

    def _count(self, objects: Ints) -> None:
        self._queries += len(objects)
        self._cost += float(self._table.cost[self._known.last[objects]].sum())

    def _pool(self, committee: Committee, objects: Ints) -> QueryPool:
        rows = self._known.last[objects]
        p = committee(self._table.features[rows])
        past = self._compared[self._roles.is_labelled[self._roles.place]]
        return QueryPool(p.mean(axis=0), p, self._compared[rows], self._table.cost[rows], past, self._options.budget)

    def _measure(self, committee: Committee) -> None:
        table, options, place = self._table, self._options, self._roles.place
        test = np.flatnonzero(self._roles.is_test[place])
        p = committee(table.features[test]).mean(axis=0)
        weight, is_class = equal_weights(place[test]), self._y[test] == self._positive
        right = float(np.average(p.argmax(axis=1) == self._y[test], weights=weight))
        efficiency, purity, merit = (METRICS[name](is_class, p[:, self._positive], weight) for name in _JUDGED)
        labelled = table.label[np.unique(place, return_index=True)[1][self._labelled]] == options.positive
        self._points.append(
            CurvePoint(self._name, self._seed, self._known.end, self._queries, self._cost, float(labelled.mean()),
                       right, efficiency, purity, merit, int(self._audited.sum()),
                       *self._audit_figures(committee))
        )  # fmt: skip

    def _audit_figures(self, committee: Committee) -> tuple[float | None, float | None, float | None]:
        """Estimates from the audited objects as they are known now."""
        rows = self._known.last[self._audited]
        if not len(rows):
            return None, None, None
        p = committee(self._table.features[rows]).mean(axis=0)[:, self._positive]
        found = Audit(self._y[rows] == self._positive, p > 0.5, np.full(len(rows), self._roles.inclusion)).figures()
        return _known(found["accuracy"]), _known(found["efficiency"]), _known(found["purity"])


def _known(figure: Figure) -> float | None:
    return figure.value if np.isfinite(figure.value) else None


def _compared(table: QueryTable, names: tuple[str, ...]) -> Array:
    """The features by which objects are compared, unknown ones at the median."""
    columns = [table.names.index(name) for name in names or table.names]
    values = table.features[:, columns].astype(np.float64)
    known = np.isfinite(values)
    middle = [float(np.median(v[k])) if k.any() else 0.0 for v, k in zip(values.T, known.T, strict=True)]
    return np.asarray(np.where(known, values, middle))
