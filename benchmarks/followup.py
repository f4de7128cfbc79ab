"""What an exact plan of follow-up gains over greedy ones, and how long the proof takes.

    python benchmarks/followup.py [--nights 20] [--candidates 30 100] [--time-limit 120]

Two telescopes (1 m imager on Tenerife, 3 h; 4 m spectrograph in Chile, 3 h) on nights through a year, candidates at
random on the sky, r of 16 to 20.5, utility even in 0 to 1. Both greedy planners go down a list, by utility or by that
per second of their cheapest observation, and take the cheapest slot of any telescope that is still free. Intervals are
95 % of the mean over the nights, by bootstrap.
"""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.followup.candidates import Candidates
from redpoll.learn.followup.costs import observing_costs, options_of
from redpoll.learn.followup.night_sky import night_sky, track
from redpoll.learn.followup.optimum import Options, optimum
from redpoll.learn.followup.telescope import Telescope

Array = NDArray[np.float64]
TELESCOPES = (
    Telescope(latitude=28.3, longitude=-16.51, elevation=2390, aperture=1.0, hours=3.0),
    Telescope(latitude=-30.24, longitude=-70.74, elevation=2713, aperture=4.1, hours=3.0, setup=10.0, throughput=0.15,
              bandwidth=1.0, signal_to_noise=10.0, max_exposure=1200.0),
)  # fmt: skip
BUDGETS = np.array([int(each.hours * 3600) for each in TELESCOPES], np.int64)
SLOT = 10.0


def main() -> None:
    """Print one row for each number of candidates."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {platform.machine()}\n")
    print("| candidates | plan, utility | by utility | by utility per second | proven | seconds, median (max) |")
    print("|---|---|---|---|---|---|")
    for n in options.candidates:
        nights = [_one_night(n, i, options.time_limit) for i in range(options.nights)]
        best, by_utility, by_rate, proven, seconds = np.array(nights).T
        print(
            f"| {n} | {_mean(best)} | {_mean(by_utility / best, True)} | {_mean(by_rate / best, True)} | "
            f"{int(proven.sum())} of {len(nights)} | {np.median(seconds):.1f} ({seconds.max():.1f}) |"
        )


def _one_night(n: int, i: int, time_limit: float) -> tuple[float, float, float, bool, float]:
    """Utility of the exact plan and of both greedy ones, whether it is proven, and its seconds."""
    rng = np.random.default_rng(i)
    dec = np.degrees(np.arcsin(rng.uniform(-0.9, 0.9, n)))
    found = Candidates(
        [str(k) for k in range(n)],
        [""] * n,
        rng.uniform(0, 360, n),
        dec,
        rng.uniform(16, 20.5, n),
        rng.uniform(0, 1, n),
    )
    start = time.perf_counter()
    nights = [night_sky(each, 20260100 + 100 * (i % 12) + 1 + 7 * (i % 4), SLOT) for each in TELESCOPES]
    ways = options_of([observing_costs(found.mag, each, track(each, found.ra, found.dec)) for each in nights])
    best = optimum(found.utility, ways, BUDGETS, time_limit)
    seconds = time.perf_counter() - start
    cheapest = np.full(n, np.inf)
    np.minimum.at(cheapest, ways.target, ways.seconds.astype(float))
    lists = (found.utility, found.utility / cheapest)
    greedy = [_greedy(found.utility, np.argsort(-key, kind="stable"), ways) for key in lists]
    return best.utility, *greedy, best.bound - best.utility < 1e-6 * best.utility, seconds


def _greedy(utility: Array, order: NDArray[np.int64], ways: Options) -> float:
    """Utility of a plan that takes targets in this order, each by its cheapest way that is still free."""
    free, left, total = np.ones((2, int(1440 / SLOT)), bool), BUDGETS.copy(), 0.0
    by_cost = np.argsort(ways.seconds, kind="stable")
    of_target = {int(t): by_cost[ways.target[by_cost] == t] for t in np.unique(ways.target)}
    for target in order.tolist():
        for k in of_target.get(target, ()):
            telescope, slots = ways.telescope[k], slice(ways.slot[k], ways.slot[k] + ways.n_slots[k])
            if ways.seconds[k] <= left[telescope] and free[telescope, slots].all():
                free[telescope, slots], total = False, total + float(utility[target])
                left[telescope] -= ways.seconds[k]
                break
    return total


def _mean(values: Array, is_fraction: bool = False) -> str:
    drawn = values[np.random.default_rng(0).integers(0, len(values), (1000, len(values)))].mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    if is_fraction:
        return f"{values.mean():.1%} [{low:.1%}, {high:.1%}]"
    return f"{values.mean():.2f} [{low:.2f}, {high:.2f}]"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--candidates", type=int, nargs="+", default=[30, 100])
    parser.add_argument("--time-limit", type=float, default=120.0)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
