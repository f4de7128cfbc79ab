"""How often each rule that assigns a class is right, on alerts whose class is known.

    python benchmarks/rules.py [--data FOLDER] [--ztf 12000] [--rubin 6000] [--nights 20] [--seed 14]
        [--half {0,1}] [--per-object 8]

First one table of all real objects; then its populations: real packets, and real light curves of the data folder,
replayed as alerts. Then simulated nights of both surveys, with hosts brighter than 19 mag in the catalogue of galaxies,
and nights of extragalactic classes with every host in it. A cell is a count and its 95 % Clopper-Pearson interval (of
alerts that are taken as independent, which those of one object are not). "With inputs" leaves out the alerts for which
the rule lacks a quantity, such as a kilonova at its first detection. `is_young_star` repeats its catalogue, which lists
every simulated young star. Rules were tuned on seeds 11 to 13, 21 and 22 and on half 0 of the real objects: the
defaults are others.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path

from populations.real import real_populations
from populations.simulated import EXTRAGALACTIC, nights
from populations.summary import print_summary
from populations.tally import answers, print_table


def main() -> None:
    """Print a table of all real objects, and one for each population."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {platform.machine()}\n")
    if options.data.is_dir():
        some = real_populations(options.data, options.half, options.per_object)
        real = {title: answers(batches) for title, batches in some}
        print_summary([a for title, a in real.items() if " 30 d " not in title])
        print()
        for title, a in real.items():
            print_table(title, a)
    for survey, n in (("ztf", options.ztf), ("rubin", options.rubin)):
        title = f"simulated {survey}, {options.nights} nights, seed {options.seed}"
        print_table(title, answers(nights(survey, n, options.seed, options.nights)))
        known = nights(survey, n // 4, options.seed, options.nights, EXTRAGALACTIC, hosts_to=99.0)
        print_table(f"{title}, the redshift of every host known", answers(known))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"), type=Path)
    parser.add_argument("--ztf", type=int, default=12_000)
    parser.add_argument("--rubin", type=int, default=6_000)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    parser.add_argument("--per-object", type=int, default=8)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
