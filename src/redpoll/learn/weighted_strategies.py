"""Query strategies that weigh more than the classifier's doubt: past follow-up, density, cost, a budget; by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError, near
from redpoll.learn.strategies import (
    BY_SCORE,
    Array,
    QueryPool,
    Rows,
    Strategy,
    entropy,
    highest,
    in_order,
    random,
    uncertainty,
)

_NEIGHBOURS = 400
_SMALLEST = 1e-9


def canonical(pool: QueryPool, n: int, rng: np.random.Generator) -> Rows:
    """The objects most like those that past follow-up chose: for one of them at a time, its nearest free neighbour.

    It continues the traditional selection of spectroscopic targets, with its bias to bright objects
    (Ishida et al. 2019, arXiv:1804.03765).
    """
    if not len(pool.followed_up):
        return random(pool, n, rng)
    centre, width = np.median(pool.followed_up, axis=0), _width(pool.followed_up)
    free, here = np.ones(len(pool), bool), (pool.features - centre) / width
    found: list[int] = []
    for model in (pool.followed_up - centre)[rng.integers(len(pool.followed_up), size=min(n, len(pool)))] / width:
        distance = np.where(free, ((here - model) ** 2).sum(axis=1), np.inf)
        found.append(int(distance.argmin()))
        free[found[-1]] = False
    return np.array(found, np.int64)


def density(features: Array, rng: np.random.Generator) -> Array:
    """Mean similarity, 0 to 1, of each object to others of the pool, in standardised features.

    Similarity is exp(-d²/2f) of the squared distance d² in f features; up to 400 random objects stand for the pool.

    >>> rows = np.array([[0.0], [0.1], [-0.1], [9.0]])
    >>> int(density(rows, np.random.default_rng(0)).argmin())
    3
    """
    some = features[rng.permutation(len(features))[:_NEIGHBOURS]]
    a, b = ((each - features.mean(axis=0)) / _width(features) for each in (features, some))
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.exp(-np.maximum(squared, 0) / (2 * max(features.shape[1], 1))).mean(axis=1))


def density_weighted(pool: QueryPool, n: int, rng: np.random.Generator) -> Rows:
    """Highest entropy times density, so that lone outliers are not asked for.

    References
    ----------
    Information density: Proc. EMNLP 2008, p. 1070.
    """
    return in_order(entropy(pool) * density(pool.features, rng), rng)[:n]


def per_cost(pool: QueryPool) -> Array:
    """Uncertainty for each unit of cost."""
    return np.asarray(uncertainty(pool) / pool.cost)


def budgeted(pool: QueryPool, n: int, rng: np.random.Generator) -> Rows:
    """A batch of high total uncertainty whose total cost is within the budget; fewer than n if it is used up.

    Objects are taken by uncertainty for each unit of cost as long as they fit. If one affordable object alone is worth
    more than all of these it is taken in their place, so that the batch has at least half of the highest total that
    the budget allows (for n large enough).
    """
    affordable = np.flatnonzero(pool.cost <= pool.budget)
    worth = uncertainty(pool)
    chosen = _filled(in_order(per_cost(pool), rng), pool.cost, pool.budget, n)
    if n > 0 and len(affordable):
        best = int(affordable[worth[affordable].argmax()])
        if worth[best] > worth[chosen].sum():
            return np.array([best], np.int64)
    return chosen


def _filled(order: Rows, cost: Array, budget: float, n: int) -> Rows:
    """The first n of an order that fit into what is left of a budget."""
    found: list[int] = []
    left = budget
    for row in order.tolist():
        if len(found) == n:
            break
        if cost[row] <= left:
            found.append(row)
            left -= cost[row]
    return np.array(found, np.int64)


def _width(features: Array) -> NDArray[np.float64]:
    """Half of the range of the central 68 % of each feature, so that few wild values do not set the scale.

    Where that is zero it is the standard deviation, and always above zero.
    """
    low, high = np.percentile(features, (16, 84), axis=0)
    return np.asarray(np.maximum(np.where(high > low, (high - low) / 2, features.std(axis=0)), _SMALLEST))


STRATEGIES: Mapping[str, Strategy] = {
    "random": random, "canonical": canonical, **BY_SCORE, "density": density_weighted,
    "cost": partial(highest, per_cost), "budgeted": budgeted,
}  # fmt: skip
"""All strategies by name."""
OF_COMMITTEES = ("committee", "bald")
"""Strategies that need a committee of more than one member."""


def strategy_of(name: str) -> Strategy:
    """The strategy of a name; UsageError if there is none."""
    if name not in STRATEGIES:
        raise UsageError(f"there is no query strategy '{name}'{near(name, STRATEGIES)}")
    return STRATEGIES[name]
