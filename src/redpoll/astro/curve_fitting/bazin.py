"""Rise and fall of a supernova: Bazin's function, fitted to each of many light curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.curve_fitting.goodness import Goodness
from redpoll.astro.curve_fitting.inputs import Array, Baseline, Int, fit_one_band, has_baseline
from redpoll.astro.curve_fitting.shapes import BAZIN, NO_TEMPERATURE
from redpoll.astro.curve_fitting.workspace import IS_CONVERGED, N_PARAMETERS, N_POINTS, CurveModel


@dataclass(frozen=True)
class BazinFit(Goodness):
    """Parameters, their errors and the goodness, one value per light curve; NaN where there is no fit.

    `amplitude` and `baseline` are in nJy, `t0` in MJD, `fall_time` and `rise_time` in days. The error of a parameter
    at its bound, or that the data do not hold at all, is NaN.
    """

    amplitude: Array
    t0: Array
    fall_time: Array
    rise_time: Array
    baseline: Array
    amplitude_err: Array
    t0_err: Array
    fall_time_err: Array
    rise_time_err: Array
    baseline_err: Array
    chi2: Array
    n_points: Int
    n_params: Int
    is_converged: NDArray[np.bool_]


def bazin_fit(
    mjd: ArrayLike, flux: ArrayLike, flux_err: ArrayLike, offsets: ArrayLike, *, baseline: Baseline = "free"
) -> BazinFit:
    """Least-squares fit of ``amplitude x exp(-(t - t0) / fall) / (1 + exp(-(t - t0) / rise)) + baseline``, weighted.

    A rise_time longer than the fall_time means that no rise was observed: the function then always falls. The
    amplitude is never negative, and it is not the flux at the peak. What counts as a point, and the parameters, are as
    in `sigmoid_fit`; a curve with fewer points than parameters (5, or 4 with a zero baseline) has no fit.

    References
    ----------
    Bazin et al. 2009, A&A 499, 653.

    Examples
    --------
    >>> t = np.arange(60000.0, 60080.0, 4.0)
    >>> flux = 9000 * np.exp(-(t - 60015) / 25) / (1 + np.exp(-(t - 60015) / 4)) + 100
    >>> fit = bazin_fit(t, flux, np.full(20, 50.0), [0, 20])
    >>> [float(x[0].round(1)) for x in (fit.amplitude, fit.t0, fit.fall_time, fit.rise_time, fit.baseline)]
    [9000.0, 60015.0, 25.0, 4.0, 100.0]
    """
    model = CurveModel(BAZIN, NO_TEMPERATURE, has_baseline(baseline), 0, 0, 0, 3)
    a = fit_one_band(model, mjd, flux, flux_err, offsets)
    rise_time, fall_time = np.exp(a.q[:, 1]), np.exp(a.q[:, 2])
    err = a.time_errors
    return BazinFit(
        a.amplitude, a.q[:, 0], fall_time, rise_time, a.sums[:, 1, 0],
        a.errors[:, 0], err[:, 0], err[:, 2], err[:, 1], a.sums[:, 3, 0],
        a.chi2, a.number(N_POINTS), a.number(N_PARAMETERS), a.number(IS_CONVERGED) > 0,
    )  # fmt: skip
