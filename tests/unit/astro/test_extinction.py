"""Extinction coefficients: the published table, ZTF's read off it, and what has no answer."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.extinction import PER_EBV, WAVELENGTH, deredden_flux, deredden_mag, extinction
from redpoll.astro.photometry import mag_from_flux

# Schlafly & Finkbeiner 2011, table 6, R_V = 3.1: wavelength [nm], A / E(B-V): LSST ugrizy, SDSS griz, DES griz
TABLE = np.array(
    [
        (369.32, 4.145), (479.73, 3.237), (619.58, 2.273), (751.53, 1.684), (866.44, 1.323), (971.03, 1.088),
        (471.67, 3.303), (616.51, 2.285), (747.59, 1.698), (892.29, 1.263),
        (638.26, 2.176), (776.90, 1.595), (910.82, 1.217),
    ]
)  # fmt: skip


def test_rubins_numbers_are_the_published_ones():
    np.testing.assert_allclose(PER_EBV["rubin"], TABLE[:6, 1])
    np.testing.assert_allclose(WAVELENGTH["rubin"], TABLE[:6, 0], atol=0.05)


def test_ztfs_numbers_lie_on_the_published_curve():
    ordered = TABLE[np.argsort(TABLE[:, 0])]
    has = np.isfinite(PER_EBV["ztf"])
    on_curve = np.interp(WAVELENGTH["ztf"][has], *ordered.T)
    np.testing.assert_allclose(PER_EBV["ztf"][has], on_curve, atol=0.01)
    for shift in (-4.0, 4.0):  # mean and pivot wavelength of a band differ by at most this, in nm
        np.testing.assert_allclose(np.interp(WAVELENGTH["ztf"][has] + shift, *ordered.T), on_curve, atol=0.04)


def test_each_alert_has_its_own_band_and_survey():
    found = extinction([0.1, 0.2, 0.1], [1, 1, 0], ["ztf", "rubin", "ztf"])
    np.testing.assert_allclose(found, [0.324, 0.6474, np.nan])


@pytest.mark.parametrize("ebv, band", [(np.nan, 1), (0.1, -1), (0.1, 6)])
def test_the_unknown_stays_unknown(ebv, band):
    assert np.isnan(extinction(ebv, band))


def test_magnitude_and_flux_are_corrected_alike():
    flux = np.array([100.0, 2500.0])
    np.testing.assert_allclose(mag_from_flux(deredden_flux(flux, 0.3, 2)), deredden_mag(mag_from_flux(flux), 0.3, 2))


def test_an_unknown_survey_is_refused():
    with pytest.raises(ValueError, match="survey sdss; known: rubin, ztf"):
        extinction(0.1, 1, ["sdss", "ztf"])


def test_each_of_the_six_bands_has_its_number_and_no_other_code_has_one():
    np.testing.assert_array_equal(extinction(1.0, np.arange(6)), PER_EBV["rubin"])
    assert np.isnan(extinction(1.0, [-9, -2, -1, 6, 7])).all()
