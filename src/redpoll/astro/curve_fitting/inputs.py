"""Checked inputs of a fit, and its model from its options."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.answer_cache import cached_answers
from redpoll.astro.curve_fitting.kernels import fit_curves
from redpoll.astro.curve_fitting.workspace import Answers, CurveModel, new_answers
from redpoll.astro.ragged import some_parts

Baseline = Literal["zero", "free"]
N_BANDS = 6
Array = NDArray[np.float64]
Int = NDArray[np.int64]


def has_baseline(baseline: str) -> int:
    """1 for a free baseline, 0 for none.

    >>> has_baseline("free")
    1
    """
    if baseline not in ("zero", "free"):
        raise ValueError(f"baseline is '{baseline}'; it must be 'zero' or 'free'")
    return int(baseline == "free")


def fit_one_band(
    model: CurveModel, mjd: ArrayLike, flux: ArrayLike, flux_err: ArrayLike, offsets: ArrayLike
) -> Answers:
    """Fit a model of one band to each curve."""
    t, y, err, bounds = _checked(mjd, flux, flux_err, offsets)
    return fit_curves(model, t, y, err, np.zeros(len(t)), np.zeros(len(t), np.int64), bounds, 1)


def fit_bands(
    model: CurveModel,
    mjd: ArrayLike,
    band: ArrayLike,
    flux: ArrayLike,
    flux_err: ArrayLike,
    offsets: ArrayLike,
    frequency: Array,
    *,
    use_cache: bool = False,
) -> Answers:
    """Fit a model of several bands to each curve; the frequency [1e15 Hz] is that of each point."""
    t, y, err, bounds = _checked(mjd, flux, flux_err, offsets)
    group = np.array(band, np.int64)
    if group.shape != t.shape:
        raise ValueError(f"band must have the shape of mjd, {t.shape}, not {group.shape}")
    nu = np.broadcast_to(frequency, t.shape).copy()
    group[(group < 0) | (group >= N_BANDS) | ~np.isfinite(nu)] = -1

    def fit(curves: Int) -> Array:
        index, some = some_parts(np.arange(len(t)), bounds, curves)
        points = t[index], y[index], err[index], nu[index], group[index]
        return fit_curves(model, *points, some, N_BANDS).as_rows()

    points, n_numbers = [t, y, err, nu, group], new_answers(1, N_BANDS).as_rows().size
    rows = cached_answers(f"fit {tuple(model)}", bounds, points, n_numbers, fit, use_cache=use_cache)
    return Answers.of_rows(rows, N_BANDS)


def _checked(
    mjd: ArrayLike, flux: ArrayLike, flux_err: ArrayLike, offsets: ArrayLike
) -> tuple[Array, Array, Array, Int]:
    t, y, err = (np.require(x, np.float64, ["C", "W"]) for x in (mjd, flux, flux_err))
    bounds = np.require(offsets, np.int64, ["C", "W"])
    n = len(t)
    if not t.shape == y.shape == err.shape == (n,):
        raise ValueError("mjd, flux and flux_err must be arrays of one dimension and equal length")
    if bounds.ndim != 1 or not len(bounds) or bounds[0] < 0 or bounds[-1] > n or (np.diff(bounds) < 0).any():
        raise ValueError(f"offsets must ascend within 0..{n}")
    return t, y, err, bounds
