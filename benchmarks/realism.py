"""How well a classifier tells simulated objects from real ones of the same class: AUC 0.5 is not at all, 1 always.

    python benchmarks/realism.py [--data FOLDER] [--half {0,1}] [--seed 31] [--simulations 1] [--only CLASS ...]

Real and simulated light curves are reduced alike: detections of ZTF in g and r at five sigma, thinned as the real ones
were by their download, of the same coverage, and of the same brightest magnitude (the real ones were chosen for spectra
by it). The simulator was tuned on half 0 of the real objects; the figures are of half 1. "All" is cadence, shape and
colour, and noise together. Each AUC has a 95 % interval by bootstrap over objects; the features that separate most are
those whose shuffling costs the most AUC, with the medians of both sides. With several simulations all numbers are means
over them: the real objects are few, and which simulated ones stand beside them changes the AUC.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from populations.real_and_simulated import POPULATIONS, Sample
from populations.two_samples import separation


def main() -> None:
    """Print a table of AUCs, and for each class the features that separate most."""
    options = _options()
    machine = f"Python {platform.python_version()}, {platform.machine()}"
    print(f"date: {time.strftime('%Y-%m-%d')}; {machine}; half {options.half}\n")
    print("| class | real | simulated | features | AUC | 95 % | separate most: loss of AUC (median real, simulated) |")
    print("|---|---|---|---|---|---|---|")
    for name, read in POPULATIONS.items():
        if options.only and name not in options.only:
            continue
        seeds = range(options.seed, options.seed + options.simulations)
        for line in _lines(name, [read(options.data, options.half, seed) for seed in seeds]):
            print(line, flush=True)


def _lines(name: str, samples: list[Sample]) -> Iterator[str]:
    """One row a group of features."""
    for group in samples[0].groups():
        sides = [sample.groups()[group] for sample in samples]
        found = [separation(*side, groups=sample.objects) for side, sample in zip(sides, samples, strict=True)]
        auc, low, high = np.mean([(f.auc, f.low, f.high) for f in found], axis=0)
        loss = {feature: float(np.mean([f.loss[feature] for f in found])) for feature in found[0].loss}
        real, made = ([row for side in sides for row in side[k]] for k in (0, 1))
        most = "; ".join(
            f"{feature} {loss[feature]:.2f} ({_median(real, feature)}, {_median(made, feature)})"
            for feature in sorted(loss, key=lambda feature: -loss[feature])[:4]
        )
        n = f"{len(sides[0][0])} | {len(sides[0][1])}"
        yield f"| {name} | {n} | {group} | {auc:.2f} | {low:.2f} to {high:.2f} | {most} |"


def _median(rows: list[dict[str, float]], feature: str) -> str:
    return f"{np.nanmedian([row[feature] for row in rows]):.3g}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("REDPOLL_DATA", "../shared/data"), type=Path)
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--simulations", type=int, default=1)
    parser.add_argument("--only", nargs="*")
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
