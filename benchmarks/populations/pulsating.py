"""RR Lyrae stars of type ab, real and simulated at the same exposures, and the shape of their light curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from populations.realism_features import Features
from redpoll.learn.curves import LabelledCurve, half
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.contract import Epochs, Window
from redpoll.simulate.instrument import ZTF

_MIN_POINTS = 15
_U, _G, _R, _I, _Z = range(5)
_MIDDLE = np.array([0.05, 0.5, 0.95])


def pulsating(data: Path, part: int, seed: int) -> tuple[list[LabelledCurve], list[LabelledCurve]]:
    """Curves of magnitudes (in ``flux``, with their errors) of real stars, and of as many simulated ones."""
    real = _real(data, part)
    return real, _simulated(real, seed)


def _real(data: Path, part: int) -> list[LabelledCurve]:
    points = pd.read_parquet(data / "labelled" / "sdss_s82_rrlyrae.parquet").sort_values("time")
    points = points[(points.mag < 50) & (points.magerr < 0.2)]
    stars = pd.read_csv(data / "labelled" / "sdss_s82_rrlyrae_periods.csv").set_index("objectId")
    found = []
    for name in stars.index[stars.type == "ab"]:
        p, about = points[points.objectId == str(name)], {"period": float(stars.period_days[name])}
        band = p.band.map(BANDS.index).to_numpy(np.int64)
        columns = (p.time.to_numpy(), band, p.mag.to_numpy(float), p.magerr.to_numpy(float))
        if half(str(name)) == part and (np.bincount(band, minlength=5) >= _MIN_POINTS).all():
            found.append(LabelledCurve(str(name), "rr_lyrae", *columns, np.full(len(p), DETECTION), about))
    return found


def _simulated(real: list[LabelledCurve], seed: int) -> list[LabelledCurve]:
    """One star for each real one, with its exposures and its errors, of the same mean r magnitude."""
    rng, n = np.random.default_rng(seed), len(real)
    model, counts = CLASSES["rr_lyrae"], [len(c.mjd) for c in real]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    mjd, band, err = (np.concatenate([getattr(c, k) for c in real]) for k in ("mjd", "band", "flux_err"))
    index = np.repeat(np.arange(n), counts)
    parameters = model.draw(rng, n, Window(float(mjd.min()), float(mjd.max()), ZTF.depth, ZTF.bright))
    parameters["mean_mag"] = np.array([np.mean(c.flux[c.band == _R]) for c in real])
    epochs = Epochs(offsets, index, mjd, band, np.ones(len(mjd)), np.ones(len(mjd), bool))
    reference = 10.0 ** (0.4 * (31.4 - model.reference_mag(parameters)[index, band]))
    mag = 31.4 - 2.5 * np.log10(reference + model.flux(parameters, epochs, rng)) + err * rng.standard_normal(len(mjd))
    return [
        replace(c, name=f"simulated {c.name}", flux=mag[offsets[k] : offsets[k + 1]],
                about={"period": float(parameters["period"][k])})
        for k, c in enumerate(real)
    ]  # fmt: skip


def pulsation(star: LabelledCurve) -> Features:
    """Period, amplitudes, colours, and how the magnitudes are spread."""
    low, middle, high = np.array([np.quantile(star.flux[star.band == b], _MIDDLE) for b in range(5)]).T
    amplitude, g = high - low, star.flux[star.band == _G]
    colours = {f"{a} - {b}": middle[BANDS.index(a)] - middle[BANDS.index(b)] for a, b in ("ug", "gr", "ri", "iz")}
    ratios = {f"amplitude of {b} over g": amplitude[BANDS.index(b)] / amplitude[_G] for b in "uriz"}
    spread = {"skewness of g": float(np.mean(((g - g.mean()) / g.std()) ** 3)), "rise": _rise(star)}
    return {"period": star.about["period"], "amplitude of g": amplitude[_G]} | colours | ratios | spread


def _rise(star: LabelledCurve) -> float:
    """Fraction of a period from the faintest to the brightest part of g, by the medians of tenths of the period."""
    mine = star.band == _G
    tenth = (star.mjd[mine] / star.about["period"] % 1.0 * 10).astype(int)
    mags = [np.median(star.flux[mine][tenth == k]) if (tenth == k).any() else np.nan for k in range(10)]
    return float((np.nanargmin(mags) - np.nanargmax(mags)) % 10) / 10
