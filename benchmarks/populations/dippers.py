"""Dimming events of stars, one in two years, as ZTF would have seen them."""

from __future__ import annotations

import numpy as np

from populations.replay import Curve
from redpoll.schema.bands import DETECTION, FORCED

_START, _DAYS = 60939.0, 730.0


def dippers(n: int, seed: int) -> list[Curve]:
    """Stars of 12.5 to 17.5 mag with one dimming event in the second year, 10 to 70 % deep, 5 to 120 d long (FWHM).

    Two years in g and r: a pair every two to three nights, a third of the nights lost, four months a year not
    observable. What is not five sigma below the template is forced photometry.
    """
    rng = np.random.default_rng(seed)
    return [c for i in range(n) if ((c := _dipper(i, rng)).kind == DETECTION).any()]


def _dipper(number: int, rng: np.random.Generator) -> Curve:
    night = np.cumsum(rng.integers(2, 4, 365))
    night = night[(night < _DAYS) & ((night + rng.integers(0, 365)) % 365 < 245) & (rng.random(365) > 1 / 3)]
    mjd = np.sort(np.concatenate([night + 0.2 + rng.uniform(0, 0.1, len(night)), night + 0.35])) + _START
    band = np.tile([1, 2], len(night))
    star = 10 ** ((31.4 - rng.uniform(12.5, 17.5)) / 2.5)
    depth, width, centre = rng.uniform(0.1, 0.7), 10 ** rng.uniform(0.7, 2.08), _START + rng.uniform(365, _DAYS)
    phase = np.abs(mjd - centre) / width
    dip = depth * np.where(phase < 1, 0.5 * (1 + np.cos(np.pi * phase)), 0.0)
    err = np.hypot(0.01 * star, 10 ** ((31.4 - rng.normal(20.5, 0.3, len(mjd))) / 2.5) / 5)
    flux = -dip * star + rng.normal(0, err)
    kind = np.where(np.abs(flux) > 5 * err, DETECTION, FORCED)
    about = {
        "reference_mag": 31.4 - 2.5 * np.log10(star), "reference_mag_err": 0.01, "reference_distance_arcsec": 0.1,
        "star_score": 0.95, "star_distance_arcsec": 0.1, "ra": rng.uniform(0, 360), "dec": rng.uniform(0, 60),
    }  # fmt: skip
    return Curve(f"dipper {number:06d}", "dipper", mjd, band, flux, err, kind, about)
