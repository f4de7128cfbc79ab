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
from collections.abc import Iterator
from pathlib import Path

from populations.labelled import rr_lyrae, superluminous, tidal_disruptions, type_ia, ztf_packets
from populations.replay import Curve, bare, half, moved, replayed
from populations.simulated import EXTRAGALACTIC, nights
from populations.summary import print_summary
from populations.tally import Answers, answers, print_table


def main() -> None:
    """Print a table of all real objects, and one for each population."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {platform.machine()}\n")
    if options.data.is_dir():
        real = dict(_real(options))
        print_summary([a for title, a in real.items() if " 30 d " not in title])
        print()
        for title, a in real.items():
            print_table(title, a)
    for survey, n in (("ztf", options.ztf), ("rubin", options.rubin)):
        title = f"simulated {survey}, {options.nights} nights, seed {options.seed}"
        print_table(title, answers(nights(survey, n, options.seed, options.nights)))
        known = nights(survey, n // 4, options.seed, options.nights, EXTRAGALACTIC, hosts_to=99.0)
        print_table(f"{title}, the redshift of every host known", answers(known))


def _real(options: argparse.Namespace) -> Iterator[tuple[str, Answers]]:
    """Packets as they are; light curves as ZTF's packets of 30 days and as packets with a year of history."""
    yield "real ZTF packets, every object with a label or in VSX", answers(ztf_packets(options.data))
    for name, read in (("SNe Ia", type_ia), ("TDEs", tidal_disruptions), ("SLSNe-I", superluminous)):
        curves = _kept(read(options.data), options)
        places = {"nothing known of the position": bare(curves), "in a known galaxy": curves}
        if read is type_ia:
            places["in the centre of a known galaxy"] = [moved(c, arcsec=0.2) for c in curves]
        for place, some in places.items():
            for days in (30.0, 365.0):
                title = f"real {name} as ZTF alerts with {days:.0f} d of history, {place}"
                yield title, answers(replayed(some, "ztf", days, options.per_object))
    stars = replayed(_kept(rr_lyrae(options.data), options), "rubin", 365.0, options.per_object)
    yield "real RR Lyrae stars of SDSS as Rubin alerts with 365 d of history", answers(stars)


def _kept(curves: list[Curve], options: argparse.Namespace) -> list[Curve]:
    return [curve for curve in curves if half(curve.name) == options.half]


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
