"""How far simulated classes are from the Hubble diagram by SALT3, and by the fit that `redpoll cosmology impact` uses.

    python benchmarks/salt.py [--objects 30] [--depth 23.5]

Needs sncosmo and the files of SALT3: pip install 'redpoll[salt]'; pip install --no-deps jax-bandflux. Light curves in
g, r, i and z every fourth day, noise of 100 nJy for SALT. Offsets are medians, with half of their 16 to 84 % range.
"""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import RedpollError
from redpoll.learn.cosmology.salt_fits import salt_fits, salt_model
from redpoll.learn.cosmology.samples import IA
from redpoll.learn.cosmology.standardised import light_curves, standardised
from redpoll.learn.curves import LabelledCurve
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.contract import Window
from redpoll.simulate.distance import distance_modulus

Array = NDArray[np.float64]
KINDS = (IA, "sn_ibc", "sn_ii", "slsn")
NOISE, TIMES = 100.0, np.arange(-260.0, 320.0, 4.0)


def main() -> None:
    """Print one row a class."""
    options = _options()
    try:
        model = salt_model()
    except RedpollError as error:
        print(error)
        return
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {platform.machine()}\n")
    print(
        "| class | fits by SALT3 | within the cuts | offset by SALT3 [mag] | offset by our fit [mag] | seconds a fit |"
    )
    print("|---|---|---|---|---|---|")
    for kind in KINDS:
        start = time.perf_counter()
        found, _ = salt_fits(_curves(kind, options.objects, options.depth), model)
        seconds = (time.perf_counter() - start) / options.objects
        salt = np.array([each.mu - distance_modulus(each.redshift) for each in found])
        ours = standardised(kind, np.random.default_rng(1), 40 * options.objects, options.depth)
        near = (ours.redshift > 0.02) & (ours.redshift < 0.8) & (ours.in_bounds if kind == IA else True)
        offset = (ours.mu - distance_modulus(ours.redshift))[near]
        in_cuts, n = sum(each.in_cuts for each in found), options.objects
        print(f"| {kind} | {len(found)} of {n} | {in_cuts} | {_shown(salt)} | {_shown(offset)} | {seconds:.2f} |")


def _curves(kind: str, n: int, depth: float) -> list[LabelledCurve]:
    """Light curves of the first n objects of redshift 0.02 to 0.8 that are brighter than the depth at maximum."""
    rng = np.random.default_rng(1)
    parameters = CLASSES[kind].draw(rng, 20 * n, Window(0.0, 1.0, depth, 10.0))
    flux = light_curves(kind, parameters, TIMES, rng)
    z, peak = parameters["redshift"], flux.max(axis=(1, 2))
    good = np.flatnonzero((z > 0.02) & (z < 0.8) & (peak > 10 ** (0.4 * (31.4 - depth))))[:n]
    band = np.repeat([1, 2, 3, 4], len(TIMES))
    mjd, err, point = np.tile(TIMES + 60_000, 4), np.full(len(band), NOISE), np.zeros(len(band), np.int64)
    return [
        LabelledCurve(f"{kind} {i}", kind, mjd, band, flux[i].ravel() + NOISE * rng.standard_normal(len(band)), err,
                      point, {"host_redshift": float(z[i])}) for i in good
    ]  # fmt: skip


def _shown(offset: Array) -> str:
    if not len(offset):
        return "-"
    low, middle, high = np.percentile(offset, (16, 50, 84))
    return f"{middle:+.2f} ± {(high - low) / 2:.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=30)
    parser.add_argument("--depth", type=float, default=23.5)
    return parser.parse_known_args()[0]


if __name__ == "__main__":
    main()
