"""Apparent ("DC") magnitudes against Fink's definition, point by point as Fink computes it."""

from __future__ import annotations

import math

import numpy as np

from redpoll.astro.photometry import apparent_photometry, flux_err_from_mag_err, flux_from_mag


def fink_dc_mag(magpsf, sigmapsf, magnr, sigmagnr, isdiffpos):
    """Magnitude and error, or NaN where the sum of the fluxes is negative (fink-utils; ZTF supplement, p. 107)."""
    difference, reference = 10 ** (-0.4 * magpsf), 10 ** (-0.4 * magnr)
    total = reference + difference if isdiffpos in ("t", "1") else reference - difference
    err = math.hypot(sigmapsf / 1.0857 * difference, sigmagnr / 1.0857 * reference)
    return (-2.5 * math.log10(total), 1.0857 * err / total) if total > 0 else (math.nan, math.nan)


def test_magnitudes_and_errors_are_finks_and_what_fink_leaves_out_is_a_limit():
    rng = np.random.default_rng(4)
    magpsf, magnr = rng.uniform(15, 21, 4000), rng.uniform(14, 21, 4000)
    sigmapsf, sigmagnr = rng.uniform(0.02, 0.2, (2, 4000))
    sign = rng.choice(["t", "f", "1", "0"], 4000)
    flux = flux_from_mag(magpsf, np.isin(sign, ["t", "1"]))
    ours = apparent_photometry(flux, flux_err_from_mag_err(sigmapsf, flux), magnr, sigmagnr)
    fink = np.array([fink_dc_mag(*row) for row in zip(magpsf, sigmapsf, magnr, sigmagnr, sign, strict=True)])
    kept = fink[:, 1] < 1  # NaN is not
    np.testing.assert_array_equal(ours.is_upper_limit, ~kept)
    np.testing.assert_allclose(ours.mag[kept], fink[kept, 0], rtol=1e-9)
    np.testing.assert_allclose(ours.mag_err[kept], fink[kept, 1], rtol=1e-6)
    assert kept.sum() > 1000 and (~kept).sum() > 500 and np.isfinite(ours.mag).all()
    np.testing.assert_allclose(ours.mag[~kept], 31.4 - 2.5 * np.log10(5 * ours.flux_err[~kept]), rtol=1e-12)
