"""How fast the kernels of `redpoll.astro` are, and what they find in synthetic light curves, in one run.

    python benchmarks/kernels.py [--repeats 3] [--points 30]

Every rate is the best of the repeats, of CPU seconds of this one thread. Synthetic objects have `points` points in each
of two bands. What the period search finds in simulated nights and real stars: `benchmarks/periods.py`.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.timeseries import LombScargleMultiband

from redpoll.astro.cosmology import distance_modulus, redshift_from_distance_modulus
from redpoll.astro.damped_random_walk import damped_random_walk_fit
from redpoll.astro.extinction import deredden_flux
from redpoll.astro.luminosity import absolute_mag, band_luminosity, bolometric_luminosity
from redpoll.astro.magnitude_rate import rate_between, rate_from_upper_limit
from redpoll.astro.periods import multiband_periods
from redpoll.astro.photometry import apparent_photometry, mag_from_flux
from redpoll.crossmatch.dust import add_dust_map

SPANS = ((30, "a ZTF packet"), (365, "a year"), (1500, "four years"), (3650, "Rubin's ten years"))
Curves = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def main() -> None:
    """Print the tables."""
    options = _options()
    print(f"machine: {_processor()}, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"date:    {time.strftime('%Y-%m-%d')}; best of {options.repeats}, CPU time of one thread\n")
    _period_rates(options.points, options.repeats)
    _periods_found(options.points)
    _walks(options.points, options.repeats)
    _walks_found()
    _values(options.repeats)
    _rates_beside_draws(options.repeats)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--points", type=int, default=30)
    return parser.parse_known_args()[0]


def _period_rates(points: int, repeats: int) -> None:
    print(f"period search: objects/s with {points} points in each of two bands, periods from 0.05 d to twice the span")
    print(f"{'span':28}{'frequencies':>12}{'redpoll':>12}{'astropy':>12}")
    for days, name in SPANS:
        n = max(6, 6000 // days)
        curves = synthetic_stars(n, points, days, np.full(n, 0.57))
        found, seconds = _best(lambda c=curves: multiband_periods(*c), repeats)
        size = int(found.n_frequencies[0])
        print(f"{name + f' ({days} d)':28}{size:12,}{n / seconds:12,.0f}{_astropys(curves, size):12,.1f}")
    print("  (astropy: LombScargleMultiband, fast, one harmonic of each band, the power alone)\n")


def _astropys(curves: Curves, size: int) -> float:
    frequency = np.linspace(0.01, 20, size)
    model = LombScargleMultiband(*(x[: curves[4][1]] for x in (curves[0], curves[1], curves[3], curves[2])))
    _, seconds = _best(lambda: model.power(frequency, method="fast", sb_method="fast"), 1)
    return 1 / seconds


def _periods_found(points: int) -> None:
    """Fraction of right periods, of the right period or a daily alias, by amplitude over error."""
    print("synthetic sines of 0.2 to 3 d with 0.04 mag errors, by night over 365 d: fraction found within 1 %")
    print(f"{'points a band':>14}{'amplitude':>11}{'right':>8}{'+ alias':>9}{'+ second':>10}{'fap < 1e-3':>12}")
    rng = np.random.default_rng(3)
    truth = np.exp(rng.uniform(np.log(0.2), np.log(3.0), 60))
    for n in (points // 3, points // 2, points):
        for amplitude in (0.05, 0.1, 0.3):
            found = multiband_periods(*synthetic_stars(60, n, 365, truth, amplitude))
            is_right = np.abs(found.period / truth - 1) < 0.01
            alias = is_right | (np.abs(found.alias_period / truth - 1) < 0.01)
            either = alias | (np.abs(found.second_period / truth - 1) < 0.01)
            sure = found.log10_fap < -3
            fractions = "".join(f"{x.mean():{w}.2f}" for x, w in ((is_right, 8), (alias, 9), (either, 10), (sure, 12)))
            print(f"{n:14}{amplitude:11.2f}{fractions}")
    print()


def _walks(points: int, repeats: int) -> None:
    print("damped random walk: best tau and sigma, white noise and constant")
    for n in (points, 2 * points, 10 * points):
        curves = synthetic_walks(max(100, 60_000 // n), n)
        found, seconds = _best(lambda c=curves: damped_random_walk_fit(*c), repeats)
        fraction = np.mean(found.delta_bic_white > 10)
        rate = len(found.tau) / seconds
        print(
            f"  {n:4} points: {rate:8,.0f} curves/s; median tau {np.median(found.tau):.1f} d (truth 20), "
            f"{fraction:.0%} sure (delta BIC > 10)"
        )
    print()


def _walks_found() -> None:
    """Walks that are observed for few damping times and for many."""
    print("damped random walk of 20 d and 0.2 mag, 400 points, 200 curves: medians, and pulls of ln tau")
    for length in (5, 10, 20, 50, 200):
        found = damped_random_walk_fit(*synthetic_walks(200, 400, 20.0 * length / 400))
        pulls = np.log(found.tau / 20.0) / (found.tau_err / found.tau)
        tau, sigma = np.median(found.tau) / 20, np.median(found.sigma) / 0.2
        spread = f"{np.nanmedian(pulls):+.1f} +- {np.nanstd(pulls):.1f}"
        print(f"  {length:4} damping times: tau {tau:.2f} and sigma {sigma:.2f} of the truth, pulls {spread}")
    print()


def _values(repeats: int) -> None:
    n = 1_000_000
    rng = np.random.default_rng(1)
    z, flux, band = rng.uniform(0.001, 2, n), rng.uniform(100, 1e5, n), rng.integers(1, 3, n)
    mag, ebv, ra = mag_from_flux(flux), rng.uniform(0, 1, n), rng.uniform(0, 360, n)
    dec, modulus = np.degrees(np.arcsin(rng.uniform(-1, 1, n))), distance_modulus(z)
    tasks: dict[str, Callable[[], Any]] = {
        "distance modulus": lambda: distance_modulus(z),
        "redshift from distance modulus": lambda: redshift_from_distance_modulus(modulus),
        "absolute magnitude": lambda: absolute_mag(mag, z),
        "nu L_nu": lambda: band_luminosity(flux, z, band),
        "blackbody, bolometric": lambda: bolometric_luminosity(flux, 480.0 / (1 + z), 1e4 * (1 + z)),
        "apparent (DC) photometry": lambda: apparent_photometry(flux, 50.0, mag, 0.03),
        "dereddened flux": lambda: deredden_flux(flux, ebv, band),
        "rate between detections": lambda: rate_between(flux, 0.1 * flux, flux[::-1], 0.1 * flux[::-1], z),
        "rate from an upper limit": lambda: rate_from_upper_limit(flux, flux[::-1], 0.1 * flux[::-1], z),
    }
    with tempfile.TemporaryDirectory() as folder:
        dust = add_dust_map(synthetic_dust(Path(folder)), Path(folder) / "dust")
        tasks[f"E(B-V), galactic map of order {dust.order}"] = lambda: dust.ebv(ra, dec)
        print(f"one by one, {n:,} values")
        for name, run in tasks.items():
            _, seconds = _best(run, repeats)
            print(f"  {name:40}{n / seconds / 1e6:8.2f} M/s")
    print()


def synthetic_dust(folder: Path) -> Path:
    """A Galactic map of order 9 (nside 512) as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = np.arange(12 * 4**9)
    table = pa.table({"order": np.full(len(cells), 9, np.int8), "ipix": cells, "ebv": (cells % 1000) / 1000})
    pq.write_table(table.replace_schema_metadata({"frame": "galactic"}), folder / "map.parquet")
    return folder / "map.parquet"


def _rates_beside_draws(repeats: int) -> None:
    rng = np.random.default_rng(2)
    n = 300
    flux, limit = rng.uniform(500, 5000, n), rng.uniform(300, 2000, n)

    def draws() -> list[float]:
        return [
            float(np.std(-2.5 * np.log10(rng.normal(f, 0.05 * f, 10_000) / rng.uniform(0, u, 10_000))))
            for f, u in zip(flux, limit, strict=True)
        ]

    _, slow = _best(draws, 1)
    many = [np.tile(x, 100) for x in (limit, flux, 0.05 * flux, np.ones(n))]
    _, fast = _best(lambda: rate_from_upper_limit(*many), repeats)
    print(f"rate from an upper limit beside 10,000 draws of numpy: {n * 100 / fast:,.0f}/s against {n / slow:,.0f}/s")


def synthetic_stars(n: int, points: int, days: float, periods: np.ndarray, amplitude: float = 0.3) -> Curves:
    """Sines in g and r, observed in the night, with errors of 0.04 mag."""
    rng = np.random.default_rng(1)
    t = 60_000 + np.floor(rng.uniform(0, days, (n, 2 * points))) + rng.uniform(0, 0.35, (n, 2 * points))
    band = np.broadcast_to(np.repeat([1, 2], points), t.shape)
    signal = amplitude * (1.3 - 0.3 * band) * np.sin(2 * np.pi * t / periods[:, None] + 0.2 * band)
    mag = 18 + 0.4 * band + signal + rng.normal(0, 0.04, t.shape)
    return t.ravel(), mag.ravel(), np.full(t.size, 0.04), band.ravel(), np.arange(n + 1) * 2 * points


def synthetic_walks(
    n: int, points: int, days_a_point: float = 10.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Walks of 20 d and 0.2 mag, with errors of 0.02 mag."""
    rng = np.random.default_rng(1)
    t = np.sort(rng.uniform(0, days_a_point * points, (n, points)), axis=1)
    decay = np.exp(-np.diff(t, prepend=-np.inf) / 20.0)
    mag = np.zeros_like(t)
    for i in range(points):
        mag[:, i] = decay[:, i] * mag[:, i - 1] + 0.2 * np.sqrt(1 - decay[:, i] ** 2) * rng.normal(size=n)
    mag += 19 + rng.normal(0, 0.02, t.shape)
    return t.ravel(), mag.ravel(), np.full(t.size, 0.02), np.arange(n + 1) * points


def _best(run: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    answer, seconds = run(), float("inf")
    for _ in range(repeats):
        answer, once = _once(run)
        seconds = min(seconds, once)
    return answer, seconds


def _once(run: Callable[[], Any]) -> tuple[Any, float]:
    start = time.thread_time()
    answer = run()
    return answer, time.thread_time() - start


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
