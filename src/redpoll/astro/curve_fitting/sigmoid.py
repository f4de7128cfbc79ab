"""The rise of a transient: a sigmoid, fitted to each of many light curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.curve_fitting.goodness import Goodness
from redpoll.astro.curve_fitting.inputs import Array, Baseline, Int, fit_one_band, has_baseline
from redpoll.astro.curve_fitting.shapes import NO_TEMPERATURE, SIGMOID
from redpoll.astro.curve_fitting.workspace import IS_CONVERGED, N_PARAMETERS, N_POINTS, CurveModel


@dataclass(frozen=True)
class SigmoidFit(Goodness):
    """Parameters, their errors and the goodness, one value per light curve; NaN where there is no fit.

    `amplitude` and `baseline` are in nJy, `rise_time` in days (negative for a curve that fades), `t0` in MJD. If
    the baseline is zero, the amplitude has the sign of the significant points (3 sigma) with the larger chi2. The error
    of a parameter at its bound, or that the data do not hold at all, is NaN.
    """

    amplitude: Array
    rise_time: Array
    t0: Array
    baseline: Array
    amplitude_err: Array
    rise_time_err: Array
    t0_err: Array
    baseline_err: Array
    chi2: Array
    n_points: Int
    n_params: Int
    is_converged: NDArray[np.bool_]


def sigmoid_fit(
    mjd: ArrayLike, flux: ArrayLike, flux_err: ArrayLike, offsets: ArrayLike, *, baseline: Baseline = "zero"
) -> SigmoidFit:
    """Least-squares fit of ``amplitude / (1 + exp(-(t - t0) / rise_time)) + baseline``, weighted by the errors.

    The sigmoid has no fall: give it the points up to the maximum. A point counts if its time, flux and error are
    finite and its error is positive; negative fluxes count, do not pass upper limits, but forced
    photometry. A curve with fewer such points than parameters (3, or 4 with a free baseline) has no fit.

    Parameters
    ----------
    mjd, flux, flux_err
        Times [d], fluxes and one-sigma errors [nJy] of all curves end to end, in any order within a curve.
    offsets
        Curve ``i`` is ``[offsets[i]:offsets[i + 1]]``.
    baseline
        "zero": the flux before the rise is zero, as for a difference flux. "free": it is fitted.

    References
    ----------
    Leoni et al. 2022, A&A 663, A13 (arXiv:2111.11438), whose fit ignores the errors.

    Examples
    --------
    >>> t = np.arange(60000.0, 60020.0, 2.0)
    >>> flux = 5000 / (1 + np.exp(-(t - 60009.0) / 2.5))
    >>> fit = sigmoid_fit(t, flux, np.full(10, 50.0), [0, 10])
    >>> [float(x[0].round(2)) for x in (fit.amplitude, fit.t0, fit.rise_time, fit.t0_err)]
    [5000.0, 60009.0, 2.5, 0.09]
    """
    is_free = has_baseline(baseline)
    model = CurveModel(SIGMOID, NO_TEMPERATURE, is_free, 0, 1, 1 - is_free, 2)
    a = fit_one_band(model, mjd, flux, flux_err, offsets)
    rise_time = a.sign * np.exp(a.q[:, 1])
    err = a.time_errors
    return SigmoidFit(
        a.sums[:, 0, 0], rise_time, a.q[:, 0], a.sums[:, 1, 0],
        a.sums[:, 2, 0], err[:, 1], err[:, 0], a.sums[:, 3, 0],
        a.chi2, a.number(N_POINTS), a.number(N_PARAMETERS), a.number(IS_CONVERGED) > 0,
    )  # fmt: skip
