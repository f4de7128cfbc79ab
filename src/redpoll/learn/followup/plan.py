"""Tonight's plan: which targets, by which telescope, when and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.followup.candidates import Candidates
from redpoll.learn.followup.costs import Costs, observing_costs, options_of
from redpoll.learn.followup.night_sky import NightSky, Track, night_sky, track
from redpoll.learn.followup.optimum import Optimum, Options, optimum
from redpoll.learn.followup.telescope import Telescope

Array = NDArray[np.float64]
OBSERVED, NOT_VISIBLE, TOO_FAINT, NOT_CHOSEN = "observed", "not visible", "too faint", "not chosen"
"""What becomes of a candidate."""


@dataclass(frozen=True)
class Observation:
    """One target in the plan: its index, telescope, start and end (MJD UTC), exposures, airmasses and sky.

    ``seconds`` is the telescope's time, setup and readout included.
    """

    target: int
    telescope: str
    start: float
    end: float
    n_exposures: int
    exposure: float
    seconds: int
    airmass: float
    max_airmass: float
    moon_distance: float
    sky: float


@dataclass(frozen=True)
class Plan:
    """A night's plan: observations by telescope and time, what became of each candidate, the nights and the tracks.

    ``utility`` is the sum over the targets, ``bound`` the greatest that may exist; the plan is the proven optimum where
    they are equal.
    """

    observations: list[Observation]
    outcome: list[str]
    utility: float
    bound: float
    nights: dict[str, NightSky]
    tracks: dict[str, Track]

    @property
    def is_proven(self) -> bool:
        """Whether no better plan exists, to one part in a million."""
        return self.bound - self.utility <= 1e-6 * max(self.utility, 1e-12)


def make_plan(
    candidates: Candidates, telescopes: Mapping[str, Telescope], night: int, slot_minutes: float = 10.0,
    time_limit: float = 60.0,
) -> Plan:  # fmt: skip
    """The plan of greatest total utility for a night (YYYYMMDD, of the evening at each site).

    A target is observed once, by one telescope, from one slot on without interruption, above the telescope's limits of
    altitude and moon distance in every slot it takes. The exposure is that of the worst of these slots. No telescope
    spends more than its hours.

    Raises
    ------
    RedpollError
        If scipy is not installed, or no plan was found in the time.
    """
    nights = {name: night_sky(each, night, slot_minutes) for name, each in telescopes.items()}
    tracks = {name: track(each, candidates.ra, candidates.dec) for name, each in nights.items()}
    costs = [observing_costs(candidates.mag, nights[name], tracks[name]) for name in telescopes]
    options = options_of(costs)
    budgets = np.array([int(each.hours * 3600) for each in telescopes.values()], np.int64)
    best = optimum(candidates.utility, options, budgets, time_limit)
    observed = _observations(best, options, costs, nights, tracks)
    outcome = _outcomes(costs, len(candidates), {each.target for each in observed})
    return Plan(observed, outcome, best.utility, best.bound, nights, tracks)


def _observations(
    best: Optimum, options: Options, costs: list[Costs], nights: dict[str, NightSky], tracks: dict[str, Track]
) -> list[Observation]:
    found = []
    for k in best.chosen:
        target, number, first, n = (
            int(c[k]) for c in (options.target, options.telescope, options.slot, options.n_slots)
        )
        name, cost = list(nights)[number], costs[number]
        taken, seconds = slice(first, first + n), int(options.seconds[k])
        start = float(nights[name].mjd[first])
        found.append(Observation(
            target, name, start, start + seconds / 86_400.0, int(cost.n_exposures[target, first]),
            float(cost.exposure[target, first]), seconds, float(cost.airmass[target, first]),
            float(cost.airmass[target, taken].max()), float(tracks[name].moon_distance[target, taken].min()),
            float(cost.sky[target, taken].min()),
        ))  # fmt: skip
    return sorted(found, key=lambda each: (list(nights).index(each.telescope), each.start))


def _outcomes(costs: list[Costs], n: int, observed: set[int]) -> list[str]:
    possible, visible = (
        np.any([rows.any(axis=1) for rows in each], axis=0)
        for each in ([c.n_slots > 0 for c in costs], [c.visible for c in costs])
    )
    why = [NOT_CHOSEN if possible[i] else TOO_FAINT if visible[i] else NOT_VISIBLE for i in range(n)]
    return [OBSERVED if i in observed else why[i] for i in range(n)]
