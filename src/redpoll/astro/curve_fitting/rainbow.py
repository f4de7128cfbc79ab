"""A blackbody that changes its brightness and temperature, fitted to each of many light curves in all bands at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.curve_fitting.goodness import Goodness
from redpoll.astro.curve_fitting.inputs import Array, Baseline, Int, fit_bands, has_baseline
from redpoll.astro.curve_fitting.shapes import CONSTANT_TEMPERATURE, LINEXP, PEAK, SIGMOID, SIGMOID_TEMPERATURE
from redpoll.astro.curve_fitting.workspace import IS_CONVERGED, N_PARAMETERS, N_POINTS, Answers, CurveModel
from redpoll.astro.extinction import WAVELENGTH, band_value

_SHAPES = {"sigmoid": (SIGMOID, 2), "bazin": (PEAK, 3), "linexp": (LINEXP, 2)}
_TEMPERATURES = {"constant": (CONSTANT_TEMPERATURE, 1), "sigmoid": (SIGMOID_TEMPERATURE, 3)}
_LIGHT = 299.792458
"""Speed of light [nm times 1e15 Hz]."""
_ERG_PER_UNIT = 1e-17
"""1 nJy times 1e15 Hz, in erg / s / cm2."""


@dataclass(frozen=True)
class RainbowFit(Goodness):
    """Parameters, their errors and the goodness, one value per object; NaN where there is no fit or no such parameter.

    `amplitude` is the bolometric flux at the peak (the plateau of a sigmoid) [erg / s / cm2], not corrected for
    extinction or redshift; `t0` the reference time [MJD], `rise_time`, `fall_time` and `colour_time` are in days;
    `temperature_start` and `temperature_end` in kelvin, equal if it is constant. `baseline` is in nJy, of shape
    (n, 6) for u g r i z y. The error of a parameter at its bound, or that the data do not hold at all, is NaN.
    """

    amplitude: Array
    t0: Array
    rise_time: Array
    fall_time: Array
    temperature_start: Array
    temperature_end: Array
    colour_time: Array
    baseline: Array
    amplitude_err: Array
    t0_err: Array
    rise_time_err: Array
    fall_time_err: Array
    temperature_start_err: Array
    temperature_end_err: Array
    colour_time_err: Array
    baseline_err: Array
    chi2: Array
    n_points: Int
    n_params: Int
    is_converged: NDArray[np.bool_]


def rainbow_fit(
    mjd: ArrayLike,
    band: ArrayLike,
    flux: ArrayLike,
    flux_err: ArrayLike,
    offsets: ArrayLike,
    *,
    bolometric: Literal["sigmoid", "bazin", "linexp"] = "sigmoid",
    temperature: Literal["constant", "sigmoid"] = "constant",
    baseline: Baseline = "zero",
    survey: ArrayLike = "rubin",
    use_cache: bool = False,
) -> RainbowFit:
    """Least-squares fit of a blackbody of changing flux and temperature, weighted by the errors.

    The flux density is ``F(t) pi B_nu(T(t)) / (sigma T(t)^4)`` at the effective wavelength of each band
    (`redpoll.astro.extinction.WAVELENGTH`). ``F`` is

    - "sigmoid": ``amplitude / (1 + exp(-(t - t0) / rise_time))``, for rising curves;
    - "bazin": ``amplitude x c / (exp(-(t - t0) / rise_time) + exp((t - t0) / fall_time))``, with c so that the peak
      is the amplitude;
    - "linexp": ``amplitude x exp(1 - x)``, ``x = (t - t0) / rise_time``, zero where x is negative; a negative
      `rise_time` is a curve that rises exponentially and falls linearly.

    ``T`` is constant, or ``end + (start - end) / (1 + exp((t - t0) / colour_time))`` with the same t0.

    A point counts if its time, flux and error are finite, its error is positive and the survey has its band;
    negative fluxes count, do not pass upper limits, but forced photometry. An object with fewer such
    points than parameters, or in one band only, has no fit.

    Parameters
    ----------
    mjd, flux, flux_err
        Times [d], fluxes and one-sigma errors [nJy] of all objects end to end, in any order within an object.
    band
        Codes 0..5 for u g r i z y.
    offsets
        Object ``i`` is ``[offsets[i]:offsets[i + 1]]``.
    baseline
        "zero", as for a difference flux; "free": one in each band.
    survey
        Whose effective wavelengths: "ztf", "rubin" or "elasticc", or an array with the survey of each point.
    use_cache
        As in `redpoll.astro.periods.multiband_periods`.

    References
    ----------
    Russeil et al. 2024, A&A 683, A251 (arXiv:2310.02916).

    Examples
    --------
    >>> t, band = np.arange(60000.0, 60020.0), np.tile([1, 2], 10)
    >>> flux = np.where(band == 1, 1.2, 1.0) * 5000 / (1 + np.exp(-(t - 60009.0) / 2.5))
    >>> fit = rainbow_fit(t, band, flux, np.full(20, 50.0), [0, 20])
    >>> [float(x[0].round(1)) for x in (fit.t0, fit.rise_time, fit.temperature_start, fit.temperature_start_err)]
    [60009.0, 2.5, 13457.9, 218.7]
    """
    if bolometric not in _SHAPES or temperature not in _TEMPERATURES:
        raise ValueError(f"bolometric must be one of {list(_SHAPES)}, temperature one of {list(_TEMPERATURES)}")
    (shape, n_times), (kind, n_temperatures) = _SHAPES[bolometric], _TEMPERATURES[temperature]
    both_signs = int(bolometric == "linexp")
    model = CurveModel(shape, kind, has_baseline(baseline), 0, both_signs, 0, n_times + n_temperatures)
    frequency = _LIGHT / band_value(WAVELENGTH, band, survey)
    answers = fit_bands(model, mjd, band, flux, flux_err, offsets, frequency, use_cache=use_cache)
    return _in_units(answers, n_times, n_temperatures)


def _in_units(a: Answers, n_times: int, n_temperatures: int) -> RainbowFit:
    n = len(a.chi2)
    value, err = a.scales, a.time_errors
    none = np.full(n, np.nan)
    first = n_times
    last = first if n_temperatures == 1 else first + 1
    has_fall, has_colour = n_times > 2, n_temperatures > 1
    return RainbowFit(
        a.amplitude * _ERG_PER_UNIT, a.q[:, 0], a.sign * value[:, 1], value[:, 2] if has_fall else none,
        value[:, first], value[:, last], value[:, last + 1] if has_colour else none, a.sums[:, 1],
        a.errors[:, 0] * _ERG_PER_UNIT, err[:, 0], err[:, 1], err[:, 2] if has_fall else none,
        err[:, first], err[:, last], err[:, last + 1] if has_colour else none, a.sums[:, 3],
        a.chi2, a.number(N_POINTS), a.number(N_PARAMETERS), a.number(IS_CONVERGED) > 0,
    )  # fmt: skip
