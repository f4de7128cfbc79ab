"""How fast the light-curve statistics and the science modules are, beside the `light-curve` package, in one run.

    python benchmarks/science.py [--curves 40000] [--points 30] [--repeats 5]

Every rate is the best of the repeats, of CPU seconds of this one thread. The package is called once per curve, which
is here faster than its method for many curves.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import light_curve as package
import numpy as np

from redpoll.astro.light_curve_statistics import FEATURES, light_curve_statistics
from redpoll.plugin.columns import Columns
from redpoll.testing.batches import sample_batch

MODULES = ("light_curve_statistics", "rise_rate", "mag_slope", "colour", "brightness_history", "age", "is_good", "roid")
BAR = 200_000  # curves/s: 100,000 objects in two bands


def main() -> None:
    """Print the tables."""
    options = _options()
    print(f"machine: {_processor()}, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"date:    {time.strftime('%Y-%m-%d')}; best of {options.repeats}, CPU time of one thread\n")
    _statistics(options.curves, options.points, options.repeats)
    _modules(options.repeats)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curves", type=int, default=40_000)
    parser.add_argument("--points", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_known_args()[0]


def _statistics(n_curves: int, n_points: int, repeats: int) -> None:
    t, m, sigma = synthetic_curves(n_curves, n_points)
    offsets = np.arange(n_curves + 1) * n_points
    flat = [x.ravel() for x in (t, m, sigma)]
    curves = list(zip(t - t[:, :1], m, sigma, strict=True))
    extractor = package.Extractor(*package_features())
    ours, fast = _best(lambda: light_curve_statistics(*flat, offsets), repeats)
    theirs, slow = _best(lambda: [extractor(*c, sorted=True, check=False) for c in curves], repeats)
    print(f"26 statistics of {n_curves:,} synthetic curves of {n_points} points (times over 100 d, normal magnitudes)")
    print(f"{'':30}{'curves/s':>12}{'objects/s in 2 bands':>22}{'ratio':>8}")
    rows = [("redpoll", n_curves / fast), ("light-curve, called per curve", n_curves / slow)]
    for name, rate in rows:
        print(f"{name:30}{rate:12,.0f}{rate / 2:22,.0f}{rate / rows[0][1]:8.2f}")
    print(f"bar of issue 3: {BAR // 2:,} objects/s: {'met' if rows[0][1] >= BAR else 'NOT MET'}")
    _agreement(ours, np.asarray(theirs))


def _agreement(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Differences relative to the value, of a slope relative to value and error together."""
    scale = np.abs(theirs)
    for slope, error in (("linear_trend", "linear_trend_sigma"), ("linear_fit_slope", "linear_fit_slope_sigma")):
        scale[:, FEATURES.index(slope)] += np.abs(theirs[:, FEATURES.index(error)])
    worst = np.max(np.abs(ours - theirs) / np.maximum(scale, 1e-12), axis=0)
    print(f"\nlargest relative difference over all {len(ours):,} curves")
    for name, value in sorted(zip(FEATURES, worst, strict=True), key=lambda pair: -pair[1]):
        print(f"  {name:36}{value:.1e}")
    print("  (the three percentile ranges differ by the package's single-precision place: see docs/explanation)\n")


def _modules(repeats: int) -> None:
    batch = sample_batch(5000, seed=1)
    print(f"science modules on {batch.num_rows:,} synthetic alerts of 1 to 40 points, from Arrow and back")
    print(f"{'':30}{'alerts/s':>12}")
    total = 0.0
    for name in MODULES:
        module = getattr(import_module(f"redpoll.science.{name}"), name)
        _, seconds = _best(lambda m=module: m.compute(Columns(batch), {}), repeats)
        total += seconds
        print(f"{name:30}{batch.num_rows / seconds:12,.0f}")
    print(f"{'all, one after another':30}{batch.num_rows / total:12,.0f}")


def synthetic_curves(n_curves: int, n_points: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times [MJD], magnitudes and errors, of shape (n_curves, n_points)."""
    rng = np.random.default_rng(20)
    t = 60_000 + np.sort(rng.uniform(0, 100, (n_curves, n_points)), axis=1)
    m = rng.normal(rng.uniform(15, 20, (n_curves, 1)), 0.3, (n_curves, n_points))
    return t, m, rng.uniform(0.02, 0.2, (n_curves, n_points))


def package_features() -> list[object]:
    """The package's features in the order of ours."""
    p = package
    return [
        p.Mean(), p.WeightedMean(), p.StandardDeviation(), p.Median(), p.Amplitude(), p.BeyondNStd(1.0), p.Cusum(),
        p.InterPercentileRange(0.1), p.Kurtosis(), p.LinearTrend(), p.LinearFit(),
        p.MagnitudePercentageRatio(0.4, 0.05), p.MagnitudePercentageRatio(0.2, 0.1), p.MaximumSlope(),
        p.MedianAbsoluteDeviation(), p.MedianBufferRangePercentage(0.1), p.PercentAmplitude(), p.MeanVariance(),
        p.AndersonDarlingNormal(), p.ReducedChi2(), p.Skew(), p.StetsonK(),
    ]  # fmt: skip


def _best(run: Callable[[], object], repeats: int) -> tuple[object, float]:
    answer, seconds = run(), float("inf")
    for _ in range(repeats):
        start = time.thread_time()
        answer = run()
        seconds = min(seconds, time.thread_time() - start)
    return answer, seconds


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
