"""Query strategies: which objects of the pool to ask labels for, from what is known before they are labelled.

A strategy is a pure function of the pool, the number of objects and a random generator. Ties are broken at random, so
that the order of the pool does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Score = Callable[["QueryPool"], Array]
_TINY = 1e-12


@dataclass(frozen=True)
class QueryPool:
    """The n objects that can be queried, as the present classifier sees them.

    Parameters
    ----------
    p
        Probability of each of k classes, shape (n, k).
    committee
        The same by each of m members of a committee, shape (m, n, k); their mean is `p`.
    features
        Features by which objects are compared, shape (n, f), finite.
    cost
        Cost of one label of each object, above 0, in units of the budget (telescope time, say).
    followed_up
        Features of objects that past follow-up chose, shape (l, f); the canonical strategy imitates it.
    budget
        Highest total cost of one batch.
    """

    p: Array
    committee: Array
    features: Array
    cost: Array
    followed_up: Array
    budget: float = float("inf")

    def __len__(self) -> int:
        return len(self.p)


class Strategy(Protocol):
    """Chooses objects of a pool to ask labels for."""

    def __call__(self, pool: QueryPool, n: int, rng: np.random.Generator) -> Rows:
        """Distinct rows of the pool, at most n, the most wanted first."""
        ...


def random(pool: QueryPool, n: int, rng: np.random.Generator) -> Rows:
    """Objects drawn with equal probability: passive learning, the baseline of every strategy."""
    return rng.permutation(len(pool))[:n]


def uncertainty(pool: QueryPool) -> Array:
    """One minus the probability of the most probable class (Lewis & Gale 1994).

    With two classes this orders objects as closeness to one half, as in Ishida et al. 2019 (arXiv:1804.03765).
    """
    return np.asarray(1.0 - pool.p.max(axis=1))


def margin(pool: QueryPool) -> Array:
    """One minus the difference of the two highest probabilities (Scheffer et al. 2001)."""
    if pool.p.shape[1] < 2:
        return np.zeros(len(pool))
    ordered = np.sort(pool.p, axis=1)
    return np.asarray(1.0 - (ordered[:, -1] - ordered[:, -2]))


def entropy(pool: QueryPool) -> Array:
    """Shannon entropy of the probabilities [nat]."""
    return entropy_of(pool.p)


def committee(pool: QueryPool) -> Array:
    """Entropy [nat] of the votes of the committee: query by disagreement (Dagan & Engelson 1995)."""
    votes = pool.committee.argmax(axis=2)
    classes = np.arange(pool.p.shape[1])
    return entropy_of((votes[:, :, None] == classes).mean(axis=0))


def bald(pool: QueryPool) -> Array:
    """Mutual information [nat] of the label and the member of the committee (Houlsby et al. 2011, arXiv:1112.5745).

    It is high where members are sure and disagree, and low where all of them are equally unsure.
    """
    gain = entropy_of(pool.committee.mean(axis=0)) - entropy_of(pool.committee).mean(axis=0)
    return np.asarray(np.maximum(gain, 0.0))


def entropy_of(p: Array) -> Array:
    """Shannon entropy [nat] over the last axis.

    >>> entropy_of(np.array([[1.0, 0.0], [0.5, 0.5]])).round(3).tolist()
    [0.0, 0.693]
    """
    return np.asarray(-(p * np.log(np.maximum(p, _TINY))).sum(axis=-1)) + 0.0


def highest(score: Score, pool: QueryPool, n: int, rng: np.random.Generator) -> Rows:
    """The n objects of the highest score, ties in random order."""
    return in_order(score(pool), rng)[:n]


def in_order(values: Array, rng: np.random.Generator) -> Rows:
    """All rows by falling value, equal ones in random order; NaN last."""
    shuffled = rng.permutation(len(values))
    return np.asarray(shuffled[np.argsort(-values[shuffled], kind="stable")])


SCORES: dict[str, Score] = {
    "uncertainty": uncertainty, "margin": margin, "entropy": entropy, "committee": committee, "bald": bald,
}  # fmt: skip
"""Scores by which a strategy of the same name takes the highest."""
BY_SCORE: dict[str, Strategy] = {name: partial(highest, score) for name, score in SCORES.items()}
