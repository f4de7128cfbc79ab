"""What each threshold of the rules costs and finds, at other values around its default.

    python benchmarks/thresholds.py [--data FOLDER] [--seeds 11] [--ztf 12000] [--rubin 6000] [--nights 20]
        [--per-object 8] [--flags NAME...]

Only populations that thresholds may be set on: seeds 11 to 13, 21 and 22 of the simulator, and half 0 of the real
objects, with a year of history. The graph runs once; then each module is called anew for each value of each of its
thresholds, all else at its default. `periodic` is set by `benchmarks/periods.py`; `roid`, `blazar_state` and
`young_stellar_object` repeat a catalogue or Fink's definitions. Thresholds were last set on
`--seeds 11 12`.

A row has the objects of the rule's class that are found at some time, in simulated ZTF, simulated Rubin and in reality;
wrong alerts of other classes, simulated, and how many per right alert at the fractions of classes of a default night
("noise"); and wrong alerts of real objects of other classes, with the number of objects. `*` is the default.

Criterion, fixed before the table was read. A default stays unless another value is better by more than chance:

- cleaner: the number of real objects of other classes that are called wrongly, or the simulated alerts, falls below the
  95 % interval of the default's; neither rises; and no count of objects found falls below its interval; or
- more: a count of objects found rises above its interval, and neither wrong count rises above its own; or wrong
  simulated alerts do, but fewer come with one right alert than before.

It must be so for both surveys or indifferent in one, and for the neighbouring value too: no single spike. Where both
directions are open, wrong alerts of real objects decide.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from populations.compared import Counts, better, counts
from populations.real import real_populations
from populations.simulated import EXTRAGALACTIC, MIX, nights
from populations.sweep import Population, joined, keep_fits, thresholds, values
from populations.tally import RULES

from redpoll.learn.replay import Labelled
from redpoll.plugin.discovery import installed_modules
from redpoll.plugin.node import Node

FLAGS = (
    "is_kilonova_candidate", "is_fast_transient", "is_orphan_afterglow", "is_tde_candidate", "is_slsn_candidate",
    "is_pair_instability_candidate", "is_agn_candidate", "is_microlensing_candidate", "is_dwarf_nova", "is_flare",
    "is_dipper", "is_artefact", "is_satellite_glint",
)  # fmt: skip
_NEEDS_DISTANCE = ("tde", "luminous_sn")
"""Rules that are measured on the nights on which every host is known."""


def main() -> None:
    """Print one table for each rule."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; seeds {options.seeds}, half 0\n")
    populations = tuning_populations(options)
    keep_fits()
    makers = {name: module for module in installed_modules() for name in module.outputs}
    for flag in options.flags:
        print_flag(flag, makers[flag], populations)


def tuning_populations(options: argparse.Namespace) -> dict[str, Population]:
    """The populations, after one run of the graph: "ztf", "rubin", the same with every host known, and "real"."""
    found = {}
    for survey, n in (("ztf", options.ztf), ("rubin", options.rubin)):
        for title, mix, part, hosts_to in ((survey, MIX, 1, 19.0), (f"{survey} hosts", EXTRAGALACTIC, 4, 99.0)):
            each = {seed: nights(survey, n // part, seed, options.nights, mix, hosts_to) for seed in options.seeds}
            found[title] = joined(Population.of(_named(seed, batches)) for seed, batches in each.items())
    real = real_populations(options.data, 0, options.per_object, lengths=(365.0,))
    found["real"] = joined(Population.of(batches) for _, batches in real)
    return found


def _named(seed: int, batches: Iterator[Labelled]) -> Iterator[Labelled]:
    """The batches with objects that have another name for each seed."""
    for batch, kind, unit in batches:
        yield batch, kind, np.char.add(f"{seed} ", unit)


def print_flag(flag: str, module: Node, populations: dict[str, Population]) -> None:
    """One line for each value of each threshold."""
    ending, mix = (" hosts", EXTRAGALACTIC) if module.name in _NEEDS_DISTANCE else ("", MIX)
    some = {name: populations[name + ending] for name in ("ztf", "rubin")} | {"real": populations["real"]}
    print(f"{flag}, by {module.name}")
    print(f"{'':30}{'ZTF':>12}{'Rubin':>12}{'real':>10}{'wrong, simulated':>20}{'noise':>8}{'wrong, real':>20}")
    default = _counts(module, flag, {}, some, mix)
    for name in thresholds(module):
        for value in values(name, module.settings[name]):
            is_default = value == module.settings[name]
            new = default if is_default else _counts(module, flag, {name: value}, some, mix)
            mark = "*" if is_default else " "
            print(f"{name:21}{value:>8.4g}{mark}{_cells(new)}  {better(new, default)}".rstrip())
    print(flush=True)


def _counts(
    module: Node, flag: str, settings: dict[str, float], some: dict[str, Population], mix: dict[str, float]
) -> Counts:
    selected = {name: population.selected(module, flag, settings) for name, population in some.items()}
    return counts(selected, some, RULES[flag][0], mix)


def _cells(c: Counts) -> str:
    found = "".join(f"{k}/{n}".rjust(width) for (k, n), width in zip(c.found.values(), (12, 12, 10), strict=True))
    real = f"{c.wrong_real[0]} of {c.wrong_real_objects[0]} obj."
    return found + f"{c.wrong_simulated[0]}/{c.wrong_simulated[1]}".rjust(20) + f"{c.noise:8.2f}" + real.rjust(20)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"), type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", choices=(11, 12, 13, 21, 22), default=[11])
    parser.add_argument("--ztf", type=int, default=12_000)
    parser.add_argument("--rubin", type=int, default=6_000)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--per-object", type=int, default=8)
    parser.add_argument("--flags", nargs="+", choices=FLAGS, default=FLAGS)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
