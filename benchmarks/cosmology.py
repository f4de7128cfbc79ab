"""What contaminants of a sample of SNe Ia do to the equation of state w, by class, rate, outliers and anchor.

    python benchmarks/cosmology.py [--samples 20] [--size 1000] [--plot STEM]

Simulated samples, as `redpoll cosmology impact` draws them. The bias is the mean of w less that of the same sample when
pure; intervals are 95 % of the mean over the samples. With --plot, STEM.svg is written as well.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from redpoll.learn.cosmology.impact import ContaminantImpact, ImpactPlan, contaminant_impact
from redpoll.learn.cosmology.impact_plot import plot_impact
from redpoll.learn.cosmology.posterior import CosmologyFit
from redpoll.learn.cosmology.samples import CONTAMINANTS, SimulatedSamples
from redpoll.learn.drawing import figure_bytes
from redpoll.learn.metrics import Figure

CLIP, ANCHORS = 4.0, (0, 50, 150, 500)


def main() -> None:
    """Print the tables."""
    options = _options()
    plan = ImpactPlan(size=options.size, n_samples=options.samples)
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {platform.machine()}")
    started = time.perf_counter()
    found = _impact(plan)
    print(f"{options.samples} samples of {options.size:,} in {time.perf_counter() - started:.0f} s\n")
    _print(found)
    if options.plot:
        options.plot.with_suffix(".svg").write_bytes(figure_bytes(plot_impact(found), "svg"))
    print(f"\nwithout what is more than {CLIP:g} errors off:")
    _print(_impact(replace(plan, clip=CLIP)))
    print("\n| anchor | class at 5 % | bias of w | error of w, pure |\n|---|---|---|---|")
    for n in ANCHORS:
        pure, *rows = _impact(replace(plan, rates=(0.05,)), n)
        for each in rows:
            bias, width = each.figures["bias"], pure.figures["width"].value
            print(f"| {n} | {each.kind} | {_shown(bias)} | {width:.3f} |")


def _impact(plan: ImpactPlan, n_anchor: int = 150) -> list[ContaminantImpact]:
    samples = SimulatedSamples(n_anchor=n_anchor)
    return contaminant_impact(samples, CONTAMINANTS, plan, CosmologyFit(samples.max_redshift))


def _print(found: Sequence[ContaminantImpact]) -> None:
    print("| class | rate | bias of w | error of w | earth-mover distance | bias, Fisher | cut off | outliers |")
    print("|---|---|---|---|---|---|---|---|")
    for each in found:
        bias, width, distance, fisher = (each.figures[n] for n in ("bias", "width", "distance", "fisher_bias"))
        print(
            f"| {each.kind} | {each.rate:.0%} | {_shown(bias)} | {width.value:.3f} | {_shown(distance)} | "
            f"{_shown(fisher)} | {each.at_edge:.0%} | {each.n_clipped:.1f} |"
        )


def _shown(figure: Figure) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--plot", type=Path)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
