"""Microlensing of a point source by a point lens, fitted to each of many light curves in all bands at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.curve_fitting.goodness import Goodness
from redpoll.astro.curve_fitting.inputs import Array, Int, fit_bands
from redpoll.astro.curve_fitting.shapes import LENS, NO_TEMPERATURE
from redpoll.astro.curve_fitting.workspace import IS_CONVERGED, N_PARAMETERS, N_POINTS, CurveModel


@dataclass(frozen=True)
class PaczynskiFit(Goodness):
    """Parameters, their errors and the goodness, one value per object; NaN where there is no fit.

    `t0` is the time of the peak [MJD], `einstein_time` in days, `impact` the minimum distance in Einstein radii.
    `source_flux`, the unlensed flux of what is lensed, and `baseline`, the flux long before and after, are in nJy, of
    shape (n, 6) for u g r i z y, NaN in a band without points; blended light is ``baseline - source_flux`` if the
    fluxes are whole ones. `delta_chi2` is the chi2 of a constant in each band less `chi2`. The error of a parameter at
    its bound, or that the data do not hold at all, is NaN.
    """

    t0: Array
    einstein_time: Array
    impact: Array
    source_flux: Array
    baseline: Array
    t0_err: Array
    einstein_time_err: Array
    impact_err: Array
    source_flux_err: Array
    baseline_err: Array
    chi2: Array
    delta_chi2: Array
    n_points: Int
    n_params: Int
    is_converged: NDArray[np.bool_]


def paczynski_fit(
    mjd: ArrayLike,
    band: ArrayLike,
    flux: ArrayLike,
    flux_err: ArrayLike,
    offsets: ArrayLike,
    *,
    use_cache: bool = False,
) -> PaczynskiFit:
    """Least-squares fit of ``source_flux (A(u) - 1) + baseline`` in each band, weighted by the errors.

    ``A(u) = (u^2 + 2) / (u sqrt(u^2 + 4))`` and ``u^2 = impact^2 + ((t - t0) / einstein_time)^2`` are the same in all
    bands. The fluxes of source and baseline are linear, so they are solved exactly; a source flux is never negative.
    Difference fluxes may be given as they are: the baseline is then the offset of the template. A point counts
    as in `sigmoid_fit`; an object with fewer points than parameters (3, and 2 in each band) has no fit.

    Parameters
    ----------
    mjd, flux, flux_err
        Times [d], fluxes and one-sigma errors [nJy] of all objects end to end, in any order within an object.
    band
        Codes 0..5 for u g r i z y; other points are ignored.
    offsets
        Object ``i`` is ``[offsets[i]:offsets[i + 1]]``.
    use_cache
        As in `redpoll.astro.periods.multiband_periods`.

    References
    ----------
    Paczynski 1986, ApJ 304, 1.

    Examples
    --------
    >>> t = np.arange(60000.0, 60100.0, 4.0)
    >>> u2 = 0.3**2 + ((t - 60042) / 20) ** 2
    >>> flux = 1000 * (u2 + 2) / np.sqrt(u2 * (u2 + 4)) + 500
    >>> fit = paczynski_fit(t, np.full(25, 2), flux, np.full(25, 10.0), [0, 25])
    >>> [float(x[0].round(2)) for x in (fit.t0, fit.einstein_time, fit.impact, fit.source_flux[:, 2])]
    [60042.0, 20.0, 0.3, 1000.0]
    """
    model = CurveModel(LENS, NO_TEMPERATURE, 1, 1, 0, 0, 3)
    a = fit_bands(model, mjd, band, flux, flux_err, offsets, np.ones(1), use_cache=use_cache)
    err = a.time_errors
    einstein_time, impact = np.exp(a.q[:, 1]), np.exp(a.q[:, 2])
    return PaczynskiFit(
        a.q[:, 0], einstein_time, impact, a.sums[:, 0], a.sums[:, 1],
        err[:, 0], err[:, 1], err[:, 2], a.sums[:, 2], a.sums[:, 3],
        a.chi2, a.flat_chi2 - a.chi2, a.number(N_POINTS), a.number(N_PARAMETERS), a.number(IS_CONVERGED) > 0,
    )  # fmt: skip
