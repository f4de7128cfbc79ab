"""A rule's answers for other values of one of its thresholds, without a new run of the modules before it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from populations.tally import scored
from redpoll.learn.replay import Labelled
from redpoll.plugin.columns import Columns
from redpoll.plugin.node import Node

_FACTORS = (0.5, 0.75, 1.0, 4 / 3, 2.0)
_STEPS = {"colour": 0.1, "score": 0.1, "absolute_mag": 0.25, "faint_limit": 0.25, "star_mag": 0.5}
"""Thresholds of this ending have no natural zero: they are shifted by up to two steps either way."""
_NO_THRESHOLD = ("max_points", "visit_days")
"""Settings that limit the cost of a fit."""
_FITS = {
    "redpoll.science.microlensing": "paczynski_fit",
    "redpoll.science.agn": "damped_random_walk_fit",
}
_UNREAD = ["cutout_science", "cutout_template"]


@dataclass(frozen=True)
class Population:
    """Alerts of known class with the columns of all modules; one entry an alert in `kind` and `unit`."""

    batches: tuple[Columns, ...]
    kind: NDArray[np.str_]
    unit: NDArray[np.str_]

    @classmethod
    def of(cls, batches: Iterable[Labelled]) -> Population:
        """The population of some batches; the graph runs here, and only here."""
        found, kinds, units = zip(*scored(batches), strict=True)
        return cls(tuple(Columns(b.drop_columns(_UNREAD)) for b in found), np.concatenate(kinds), np.concatenate(units))

    def selected(self, module: Node, flag: str, settings: dict[str, float]) -> NDArray[np.bool_]:
        """What the module selects with these settings, all others at their defaults."""
        settings = {**module.settings, **settings}
        parts = [module.compute(columns, settings)[flag].fill_null(False) for columns in self.batches]
        return np.concatenate([part.to_numpy(zero_copy_only=False) for part in parts])


def joined(populations: Iterable[Population]) -> Population:
    """Some populations as one."""
    some = list(populations)
    batches = tuple(b for p in some for b in p.batches)
    return Population(batches, np.concatenate([p.kind for p in some]), np.concatenate([p.unit for p in some]))


def thresholds(module: Node) -> list[str]:
    """Names of the numeric settings that decide something."""
    return [n for n, v in module.settings.items() if type(v) in (int, float) and n not in _NO_THRESHOLD]


def values(name: str, default: float) -> list[float]:
    """Values around a default, in order; it is one of them.

    >>> values("min_points", 3)
    [2, 3, 4, 6]
    >>> values("max_colour", 0.0)
    [-0.2, -0.1, 0.0, 0.1, 0.2]
    """
    step = next((s for ending, s in _STEPS.items() if name.endswith(ending)), None)
    around = [default * f for f in _FACTORS] if step is None else [round(default + i * step, 3) for i in range(-2, 3)]
    return sorted({type(default)(round(v) if isinstance(default, int) else v) for v in around})


def keep_fits() -> None:
    """Compute the fits of the most expensive modules once for each input: most thresholds act after them."""
    for place, name in _FITS.items():
        setattr(sys.modules[place], name, kept(getattr(sys.modules[place], name)))


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of arrays, computed once for each content of its arguments."""
    found: dict[bytes, Any] = {}

    def once(*arrays: Any) -> Any:
        key = blake2b(digest_size=16)
        for array in arrays:
            key.update(_bytes(array))
        if key.digest() not in found:
            found[key.digest()] = function(*arrays)
        return found[key.digest()]

    return once


def _bytes(values: Any) -> bytes:
    """The contents of an array, or of an object that holds arrays."""
    if isinstance(values, np.ndarray):
        return values.tobytes()
    parts = values if isinstance(values, tuple) else vars(values).values()
    return b"".join(np.asarray(part).tobytes() for part in parts)
