"""Hand-made light curves."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag
from redpoll.schema.bands import BANDS, KINDS
from redpoll.schema.light_curve import LightCurves

sys.path.insert(0, str(Path(__file__).parent))  # rule_inputs, simulated_curves


def _curves(*alerts: list[tuple[object, ...]]) -> LightCurves:
    """One light curve per argument, each a list of (band, mjd, flux, flux_err[, kind]); the last is the alert's own."""
    points = [(*p, "detection")[:5] for alert in alerts for p in alert]
    band, mjd, flux, err, kind = zip(*points, strict=True) if points else ((),) * 5
    return LightCurves(
        np.cumsum([0, *map(len, alerts)]),
        np.array(mjd, np.float64),
        np.array([BANDS.index(b) if b in BANDS else -1 for b in band], np.int8),
        np.array(flux, np.float32),
        np.array(err, np.float32),
        np.array([KINDS.index(k) for k in kind], np.int8),
    )


def _seen(band: str, mjd: float, mag: float, mag_err: float = 0.05, kind: str = "detection") -> tuple[object, ...]:
    flux = float(flux_from_mag(mag))
    return band, mjd, flux, float(flux_err_from_mag_err(mag_err, flux)), kind


def _limit(band: str, mjd: float, mag: float) -> tuple[object, ...]:
    return band, mjd, np.nan, float(flux_from_mag(mag)) / 5, "upper_limit"


@pytest.fixture
def curves():
    """``curves([point, ...], [point, ...])``: a batch of light curves."""
    return _curves


@pytest.fixture
def seen():
    """``seen(band, mjd, mag)``: a detection, as a point for `curves`."""
    return _seen


@pytest.fixture
def limit():
    """``limit(band, mjd, mag)``: a five-sigma upper limit, as a point for `curves`."""
    return _limit


@pytest.fixture
def every_point(monkeypatch):
    """Every point counts at once: for tests of what is done with the points of a stepwise light curve."""
    monkeypatch.setattr(LightCurves, "stepwise", property(lambda curves: curves))
