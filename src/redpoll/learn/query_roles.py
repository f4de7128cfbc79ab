"""What each object of an experiment is for: test, first labels, audit or pool; and what is known of it by when."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.learn.audit import drawn
from redpoll.learn.held_out import in_test
from redpoll.learn.loop_options import LoopOptions
from redpoll.learn.query_table import QueryTable

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Roles:
    """What each object is for; no object is for two things.

    Parameters
    ----------
    table, options
        The rows, and how the experiment runs. Where the table names objects of the test or the first labels, these are
        taken; else the test is drawn by a hash of the object's name, the same for every seed, and the first labels
        by the seed.
    seed
        Seed of what is drawn.

    Raises
    ------
    UsageError
        If the test has not both sides, or there are too few objects for the first labels or for the audit.
    """

    def __init__(self, table: QueryTable, options: LoopOptions, seed: int) -> None:
        self.names, first, self.place = np.unique(table.object_id, return_index=True, return_inverse=True)
        self._split, self._is_class = table.split[first], table.label[first] == options.positive
        rng = np.random.default_rng(seed)
        self.is_test = self._test(options.test_fraction)
        self.is_labelled = self._first_labels(options.initial, rng)
        pool = ~(self.is_test | self.is_labelled)
        self.inclusion = _inclusion(options, int(pool.sum()))
        self.is_audited = pool & drawn(np.full(len(pool), self.inclusion), rng)

    def _test(self, fraction: float) -> Bools:
        is_test = self._split == "test"
        if not is_test.any():
            is_test = (self._split == "") & in_test(self.names, fraction)
        n = int((is_test & self._is_class).sum())
        if not 0 < n < is_test.sum():
            raise UsageError(
                f"the test has {n} objects of the class among {is_test.sum()}: it needs both; change its fraction"
            )
        return np.asarray(is_test)

    def _first_labels(self, n: int, rng: np.random.Generator) -> Bools:
        is_labelled = self._split == "train"
        if is_labelled.any():
            return np.asarray(is_labelled)
        for side, wanted in ((self._is_class, (n + 1) // 2), (~self._is_class, n // 2)):
            free = np.flatnonzero(side & ~self.is_test)
            if len(free) < wanted or not wanted:
                raise UsageError(
                    f"{n} first labels: need 2 or more, and {wanted} of a side that has {len(free)} objects"
                )
            is_labelled[rng.permutation(free)[:wanted]] = True
        return np.asarray(is_labelled)


class KnownObjects:
    """What is known of each object at a time: its last row until then."""

    def __init__(self, table: QueryTable, place: Ints) -> None:
        self._mjd, self._place = table.mjd, place
        self._order = np.argsort(table.mjd, kind="stable")
        self._n = 0
        self.rows = np.zeros(len(table), bool)
        """Which rows are known."""
        self.last = np.full(int(place.max()) + 1, -1)
        """The last known row of each object; -1 if it has none."""
        self.end = float("-inf")
        """Until when rows are known [MJD]."""

    def nights(self, *, by_night: bool) -> Iterator[float]:
        """The end of each night, by when its rows are known; else the end of all, again and again."""
        days = np.unique(np.floor(self._mjd)) + 1.0
        for end in days.tolist() if by_night else repeat(float(days[-1])):
            self._advance(end)
            yield end

    def _advance(self, end: float) -> None:
        n = int(np.searchsorted(self._mjd[self._order], end, side="left"))
        new = self._order[self._n : n]
        self.rows[new] = True
        self.last[self._place[new]] = new  # of several rows of one object, the last one stays
        self._n, self.end = n, end


def _inclusion(options: LoopOptions, n_pool: int) -> float:
    """Probability of each object of the pool to be audited, so that a fraction of the queries is expected to be."""
    if not 0 <= options.audit < 1:
        raise UsageError(f"audit of {options.audit} of the queries: use a fraction from 0 to below 1")
    wanted = options.audit * options.queries
    if wanted > n_pool:
        raise UsageError(f"audit of {wanted:.0f} labels: the pool has {n_pool} objects")
    return wanted / n_pool if n_pool else 0.0
