"""The best choice of observations for the hours there are: an integer programme, solved by HiGHS."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import RedpollError
from redpoll.learn.extras import needing

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Options:
    """Ways to observe: one entry for each target, telescope and slot in which its observation may begin.

    ``target`` and ``telescope`` are indices, ``slot`` the first slot of the telescope's night, ``n_slots`` how many are
    taken, and ``seconds`` the telescope's time that is spent, whole seconds.
    """

    target: Ints
    telescope: Ints
    slot: Ints
    n_slots: Ints
    seconds: Ints

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Optimum:
    """Indices of the chosen options, their utility, and the greatest utility that may exist: equal if proven."""

    chosen: Ints
    utility: float
    bound: float


def optimum(utility: Array, options: Options, budgets: Ints, time_limit: float = 60.0) -> Optimum:
    """The options of greatest total utility: each target once, one target a telescope at a time, within the budgets.

    Parameters
    ----------
    utility
        Of each target, above 0.
    options
        What is possible.
    budgets
        Seconds that each telescope may spend.
    time_limit
        Seconds of search; then the best choice found so far is returned, with the bound on what is better.

    Raises
    ------
    RedpollError
        If scipy is not installed, or nothing was found in the time.

    References
    ----------
    Time-indexed scheduling: Sousa & Wolsey 1992, Mathematical Programming 54, 353. HiGHS: Huangfu & Hall 2018,
    Mathematical Programming Computation 10, 119.

    Examples
    --------
    Two targets of an hour each that can begin in one slot only, and a third for both of them at once:

    >>> ints = lambda *values: np.array(values, np.int64)
    >>> ways = Options(ints(0, 1, 2), ints(0, 0, 0), ints(0, 1, 0), ints(1, 1, 2), ints(3600, 3600, 7200))
    >>> optimum(np.array([0.6, 0.5, 1.0]), ways, ints(7200)).chosen.tolist()
    [0, 1]
    """
    if not len(options):
        return Optimum(np.empty(0, np.int64), 0.0, 0.0)
    with needing("a plan of observations", "scipy"):
        from scipy.optimize import Bounds, LinearConstraint, milp
    pairs = _Pairs(options, len(budgets))
    rows, low, high = _constraints(options, pairs, budgets)
    gain = np.concatenate([np.zeros(len(options)), -utility[pairs.target]])
    with _no_output():
        found = milp(
            gain, integrality=np.ones(len(gain)), bounds=Bounds(0, 1), constraints=LinearConstraint(rows, low, high),
            options={"time_limit": time_limit, "mip_rel_gap": 0.0},
        )  # fmt: skip
    if found.x is None:
        raise RedpollError(f"no plan was found in {time_limit:g} s; give more time, longer slots or fewer targets")
    chosen = np.flatnonzero(found.x[: len(options)] > 0.5)
    reached = float(utility[options.target[chosen]].sum())
    return Optimum(chosen, reached, max(reached, float(-found.mip_dual_bound)))


class _Pairs:
    """Pairs of target and telescope: a decision each, by which the search branches before it looks for a slot."""

    def __init__(self, options: Options, n_telescopes: int) -> None:
        key, self.of_option = np.unique(options.target * n_telescopes + options.telescope, return_inverse=True)
        self.target, self.telescope = key // n_telescopes, key % n_telescopes
        self.seconds = np.full(len(key), np.inf)  # at the best slot
        np.minimum.at(self.seconds, self.of_option, options.seconds.astype(float))

    def __len__(self) -> int:
        return len(self.target)


def _constraints(options: Options, pairs: _Pairs, budgets: Ints) -> tuple[object, Array, Array]:
    """Sparse rows over options, then pairs, and their limits.

    A pair is chosen with one of its options; a target once; a slot of a telescope is free; the seconds of the best
    slots, and those beyond them, are within the budget. The seconds of the best slots alone are so as well, which
    follows, and shortens the search.
    """
    n, m = len(options), len(pairs)
    every, each = np.arange(n), np.arange(m) + n
    column = np.repeat(every, options.n_slots)
    first = np.cumsum(options.n_slots) - options.n_slots
    slot = options.slot[column] + np.arange(len(column)) - first[column]
    place = np.unique(options.telescope[column] * (int(slot.max()) + 1) + slot, return_inverse=True)[1]
    beyond = options.seconds - pairs.seconds[pairs.of_option]
    one = np.ones
    blocks = [
        ([pairs.of_option, each - n], [every, each], [one(n), -one(m)], np.zeros(m)),
        ([pairs.target], [each], [one(m)], one(int(pairs.target.max()) + 1)),
        ([place], [column], [one(len(column))], one(int(place.max()) + 1)),
        ([options.telescope, pairs.telescope], [every, each], [beyond, pairs.seconds], budgets.astype(float)),
        ([pairs.telescope], [each], [pairs.seconds], budgets.astype(float)),
    ]
    high = np.concatenate([limit for *_, limit in blocks])
    low = np.where(np.arange(len(high)) < m, 0.0, -np.inf)
    return _stacked(blocks, n + m), low, high


def _stacked(blocks: list[tuple[list[Ints], list[Ints], list[Array], Array]], n_columns: int) -> object:
    from scipy.sparse import coo_array, csr_array, vstack

    parts = [
        coo_array((np.concatenate(values), (np.concatenate(row), np.concatenate(column))), (len(limit), n_columns))
        for row, column, values, limit in blocks
    ]
    return csr_array(vstack(parts))


@contextmanager
def _no_output() -> Iterator[None]:
    """Nothing on standard output: HiGHS prints there, whatever its options, which would spoil ``--json``."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
