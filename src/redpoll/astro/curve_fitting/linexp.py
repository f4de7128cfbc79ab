"""A straight rise and an exponential fall, fitted to each of many light curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.curve_fitting.goodness import Goodness
from redpoll.astro.curve_fitting.inputs import Array, Baseline, Int, fit_one_band, has_baseline
from redpoll.astro.curve_fitting.shapes import LINEXP, NO_TEMPERATURE
from redpoll.astro.curve_fitting.workspace import IS_CONVERGED, N_PARAMETERS, N_POINTS, CurveModel


@dataclass(frozen=True)
class LinexpFit(Goodness):
    """Parameters, their errors and the goodness, one value per light curve; NaN where there is no fit.

    `amplitude` (the peak above the baseline) and `baseline` are in nJy, `t0` in MJD, `rise_time` in days: the peak is
    at ``t0 + rise_time``. The error of a parameter at its bound, or that the data do not hold at all, is NaN.
    """

    amplitude: Array
    t0: Array
    rise_time: Array
    baseline: Array
    amplitude_err: Array
    t0_err: Array
    rise_time_err: Array
    baseline_err: Array
    chi2: Array
    n_points: Int
    n_params: Int
    is_converged: NDArray[np.bool_]


def linexp_fit(
    mjd: ArrayLike, flux: ArrayLike, flux_err: ArrayLike, offsets: ArrayLike, *, baseline: Baseline = "free"
) -> LinexpFit:
    """Least-squares fit of ``amplitude x exp(1 - x) + baseline``, ``x = (t - t0) / rise_time``, weighted by the errors.

    Where x is negative there is only the baseline. A negative `rise_time` is a curve that rises exponentially and falls
    linearly to t0. What counts as a point, and the parameters, are as in `sigmoid_fit`; a curve with fewer points than
    parameters (4, or 3 with a zero baseline) has no fit.

    References
    ----------
    Russeil et al. 2024, arXiv:2402.04298 (where the shape comes from, found on a superluminous supernova).

    Examples
    --------
    >>> t = np.arange(60000.0, 60080.0, 4.0)
    >>> x = np.maximum((t - 60010) / 15, 0)
    >>> fit = linexp_fit(t, 5000 * x * np.exp(1 - x), np.full(20, 50.0), [0, 20])
    >>> [float(x[0].round(1)) + 0 for x in (fit.amplitude, fit.t0, fit.rise_time, fit.baseline)]
    [5000.0, 60010.0, 15.0, 0.0]
    """
    model = CurveModel(LINEXP, NO_TEMPERATURE, has_baseline(baseline), 0, 1, 0, 2)
    a = fit_one_band(model, mjd, flux, flux_err, offsets)
    rise_time = a.sign * np.exp(a.q[:, 1])
    err = a.time_errors
    return LinexpFit(
        a.amplitude, a.q[:, 0], rise_time, a.sums[:, 1, 0],
        a.errors[:, 0], err[:, 0], err[:, 1], a.sums[:, 3, 0],
        a.chi2, a.number(N_POINTS), a.number(N_PARAMETERS), a.number(IS_CONVERGED) > 0,
    )  # fmt: skip
