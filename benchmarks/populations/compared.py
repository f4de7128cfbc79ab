"""Counts of a rule's right and wrong answers, and whether they are better than other ones by more than chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from populations.sweep import Population
from populations.tally import bounds
from redpoll.simulate.population import FRACTIONS

Hits = tuple[int, int]
"""A count, and the number that it is of."""


@dataclass(frozen=True)
class Counts:
    """Objects found in each population, and wrong alerts and objects of other classes.

    ``noise`` is the number of wrong alerts for one right alert in simulated nights of default fractions.
    """

    found: dict[str, Hits]
    wrong_simulated: Hits
    noise: float
    wrong_real: Hits
    wrong_real_objects: Hits


def counts(
    selected: Mapping[str, NDArray[np.bool_]],
    populations: Mapping[str, Population],
    classes: tuple[str, ...],
    mix: Mapping[str, float],
) -> Counts:
    """Counts of what was selected in each population; the one named "real" is, the others have this mix of classes."""
    is_meant = {name: np.isin(p.kind, classes) for name, p in populations.items()}
    wrong = {n: (int((s & ~is_meant[n]).sum()), int((~is_meant[n]).sum())) for n, s in selected.items()}
    simulated = [name for name in populations if name != "real"]
    right_and_wrong = sum(
        (_weighted(populations[n], selected[n] & is_meant[n], selected[n] & ~is_meant[n], mix) for n in simulated),
        np.zeros(2),
    )
    is_wrong = selected["real"] & ~is_meant["real"]
    return Counts(
        {n: (_objects(p, selected[n] & is_meant[n]), _objects(p, is_meant[n])) for n, p in populations.items()},
        (sum(wrong[n][0] for n in simulated), sum(wrong[n][1] for n in simulated)),
        float(right_and_wrong[1] / right_and_wrong[0]) if right_and_wrong[0] else np.inf,
        wrong["real"],
        (_objects(populations["real"], is_wrong), _objects(populations["real"], ~is_meant["real"])),
    )


def _objects(population: Population, rows: NDArray[np.bool_]) -> int:
    return len(set(population.unit[rows].tolist()))


def _weighted(
    population: Population, right: NDArray[np.bool_], wrong: NDArray[np.bool_], mix: Mapping[str, float]
) -> NDArray[np.float64]:
    """Right and wrong alerts as a fraction of a night in which classes are as frequent as the simulator's default."""
    kinds = np.where(population.kind == "young_dipper", "dipper", population.kind)
    ratio = {name: FRACTIONS[name] / mix[name] for name in mix}
    weight = np.array([ratio[kind] for kind in kinds]) / len(kinds)
    return np.array([weight[right].sum(), weight[wrong].sum()])


def better(new: Counts, old: Counts) -> str:
    """Whether counts are better than others: "cleaner", "more" or "" (see `benchmarks/thresholds.py`).

    >>> old = Counts({"ztf": (50, 100)}, (30, 1000), 0.5, (0, 100), (0, 10))
    >>> better(Counts({"ztf": (70, 100)}, (30, 1000), 0.4, (0, 100), (0, 10)), old)
    'more'
    """
    found = [_side(new.found[name], old.found[name]) for name in old.found]
    simulated = _side(new.wrong_simulated, old.wrong_simulated)
    real = _side(new.wrong_real_objects, old.wrong_real_objects)
    is_no_worse = new.wrong_real[0] <= old.wrong_real[0] and new.wrong_simulated[0] <= old.wrong_simulated[0]
    if min(simulated, real) < 0 and is_no_worse and min(found) >= 0:
        return "cleaner"
    is_clean = real <= 0 and (simulated <= 0 or new.noise < old.noise)
    return "more" if max(found) > 0 and min(found) >= 0 and is_clean else ""


def _side(new: Hits, old: Hits) -> int:
    """-1, 0 or 1: the new count is below, within or above the 95 % interval of the old one."""
    if not old[1]:
        return 0
    low, high = bounds(*old)
    fraction = new[0] / new[1]
    return int(fraction > high) - int(fraction < low)
