"""Unbiased estimates from labels that are drawn with known probability (Horvitz & Thompson 1952).

The labels that a query strategy asks for are those of difficult objects: how good a classifier is on them says little
of the others. A small random part of all labels is therefore drawn independently of the strategy, and is never
used for training. A label that had the probability pi to be drawn stands for 1/pi objects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.learn.metrics import Figure

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
_Z = 1.959963984540054


def drawn(inclusion: Array, rng: np.random.Generator) -> Bools:
    """Which objects are audited: each on its own, with its probability."""
    return np.asarray(rng.random(len(inclusion)) < inclusion)


def total(values: Array, inclusion: Array) -> Figure:
    """Total over the population of a quantity that is known for the audited objects, with its 95 % interval.

    Parameters
    ----------
    values, inclusion
        The quantity and the inclusion probability of each audited object, which were drawn independently.

    Examples
    --------
    >>> total(np.array([1.0, 0.0]), np.array([0.1, 0.5])).value
    10.0
    """
    _check(inclusion)
    value = float((values / inclusion).sum())
    error = float(np.sqrt(((1 - inclusion) * (values / inclusion) ** 2).sum()))
    return Figure(value, value - _Z * error, value + _Z * error)


def ratio(part: Array, whole: Array, inclusion: Array) -> Figure:
    """Ratio of two totals, such as true positives over candidates, with its 95 % interval by linearisation.

    NaN if no audited object counts in the denominator.

    >>> ratio(np.array([1.0, 0.0, 1.0]), np.ones(3), np.array([0.1, 0.1, 0.2])).value
    0.6
    """
    _check(inclusion)
    below = float((whole / inclusion).sum())
    if below <= 0:
        return Figure(float("nan"), float("nan"), float("nan"))
    value = float((part / inclusion).sum()) / below
    residual = (part - value * whole) / inclusion
    error = float(np.sqrt(((1 - inclusion) * residual**2).sum())) / below
    return Figure(value, value - _Z * error, value + _Z * error)


@dataclass(frozen=True)
class Audit:
    """The audited objects: truth, whether the classifier calls them members of the class, inclusion probability."""

    is_class: Bools
    is_candidate: Bools
    inclusion: Array

    def figures(self) -> dict[str, Figure]:
        """Accuracy, efficiency and purity in the population, with 95 % intervals."""
        hit = (self.is_class & self.is_candidate).astype(float)
        right = (self.is_class == self.is_candidate).astype(float)
        return {
            "accuracy": ratio(right, np.ones(len(right)), self.inclusion),
            "efficiency": ratio(hit, self.is_class.astype(float), self.inclusion),
            "purity": ratio(hit, self.is_candidate.astype(float), self.inclusion),
        }


def inclusion_probability(p: Array, mean: float, *, even: float = 0.5) -> Array:
    """Probabilities to audit objects, more for likely members of a class, so that its purity is known soon.

    Parameters
    ----------
    p
        Probability of the class of each object, as it was when the object became known.
    mean
        Mean of the inclusion probabilities: the fraction of the population to audit.
    even
        The part of it that is the same for all objects; it must be above 0, so that every object can be drawn.
    """
    if not 0 < mean <= 1 or not 0 < even <= 1:
        raise UsageError(f"audit of {mean} of the objects, {even} of it evenly: use numbers above 0 and up to 1")
    return np.asarray(np.minimum(mean * (even + (1 - even) * p / max(float(p.mean()), 1e-9)), 1.0))


def _check(inclusion: Array) -> None:
    if len(inclusion) and not ((inclusion > 0) & (inclusion <= 1)).all():
        raise UsageError("an inclusion probability must be above 0 and not above 1")
