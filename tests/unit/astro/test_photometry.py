"""Photometry: golden values, worked by hand or published, and what is unknown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.astro.photometry import (
    MAG_PER_RELATIVE_FLUX,
    apparent_photometry,
    flux_err_from_limiting_mag,
    flux_err_from_mag_err,
    flux_from_mag,
    limiting_mag,
    mag_err_from_flux,
    mag_from_flux,
)


@pytest.mark.parametrize("flux, mag", [(1000.0, 23.9), (100.0, 26.4), (36307.8, 20.0), (-36307.8, 20.0)])
def test_golden_magnitudes(flux, mag):
    assert mag_from_flux(flux) == pytest.approx(mag, abs=5e-4)
    assert flux_from_mag(mag, flux > 0) == pytest.approx(flux, rel=1e-6)


# the published values in uJy rest on 3631 Jy, ours on a zero point of 31.4, which is 3630.78 Jy
MICROJANSKY = 1e-3 * 3631e9 / 10 ** (0.4 * 31.4)


def test_golden_difference_flux():
    flux = flux_from_mag(18.0)
    assert flux * MICROJANSKY == pytest.approx(229.10, abs=5e-3)
    assert flux_err_from_mag_err(0.1, flux) * MICROJANSKY == pytest.approx(21.10, abs=5e-3)


@given(st.floats(10.0, 28.0), st.floats(1e-3, 1.0), st.booleans())
def test_magnitude_and_error_survive_the_way_there_and_back(mag, mag_err, positive):
    flux = flux_from_mag(mag, positive)
    assert mag_from_flux(flux) == pytest.approx(mag, rel=1e-12)
    assert mag_err_from_flux(flux, flux_err_from_mag_err(mag_err, flux)) == pytest.approx(mag_err, rel=1e-12)
    assert limiting_mag(flux_err_from_limiting_mag(mag)) == pytest.approx(mag, rel=1e-12)


def test_unknown_and_zero_flux_have_no_magnitude():
    assert np.isnan(mag_from_flux([0.0, np.nan])).all()
    assert np.isnan(mag_err_from_flux([0.0, np.nan, 1.0], [1.0, 1.0, np.nan])).all()
    assert np.isnan(limiting_mag([0.0, -1.0, np.nan])).all()


def _apparent(mag, mag_err, positive):
    flux = flux_from_mag(mag, positive)
    return apparent_photometry(flux, flux_err_from_mag_err(mag_err, flux), 17.5, 0.02)


@pytest.mark.parametrize(
    "mag, mag_err, positive, flux, flux_err, total_mag, total_err",
    [(18.0, 0.1, True, 592.20, 22.14, 16.9689, 0.0406), (18.0, 0.1, False, 134.00, 22.14, 18.5823, 0.1794)],
)
def test_golden_apparent_magnitudes(mag, mag_err, positive, flux, flux_err, total_mag, total_err):
    total = _apparent(mag, mag_err, positive)
    assert (total.flux * MICROJANSKY, total.flux_err * MICROJANSKY) == pytest.approx((flux, flux_err), abs=5e-3)
    assert (total.mag, total.mag_err) == pytest.approx((total_mag, total_err), abs=5e-5)
    assert not total.is_upper_limit


def test_a_negative_total_is_an_upper_limit():
    total = _apparent(17.0, 0.05, False)
    assert (total.flux * MICROJANSKY, total.flux_err * MICROJANSKY) == pytest.approx((-212.4, 27.3), abs=0.05)
    assert total.is_upper_limit and total.mag == pytest.approx(limiting_mag(total.flux_err)) and np.isnan(total.mag_err)


def test_a_total_lost_in_its_noise_is_an_upper_limit():
    total = apparent_photometry(0.0, 1000.0, mag_from_flux(900.0), 0.0)
    assert total.is_upper_limit and total.mag == pytest.approx(mag_from_flux(5000.0))


def test_an_unknown_reference_gives_no_apparent_magnitude():
    total = apparent_photometry([1000.0, np.nan], 100.0, [np.nan, 17.5], 0.02)
    assert np.isnan(total.mag).all() and np.isnan(total.mag_err).all() and not total.is_upper_limit.any()


def test_a_flux_below_one_nanojansky_is_one():
    assert mag_from_flux(0.5) == pytest.approx(31.4 + 2.5 * np.log10(2.0))
    assert mag_err_from_flux(0.5, 0.05) == pytest.approx(0.1 * 1.0857, rel=1e-4)
    assert limiting_mag(0.5) == pytest.approx(31.4 - 2.5 * np.log10(2.5)) and np.isnan(limiting_mag(-0.5))


@pytest.mark.parametrize(
    ("flux", "flux_err", "is_upper_limit"),
    [
        (0.0, 0.01, True), (0.5, 0.01, False), (-0.5, 0.01, True), (0.0, 0.0, True),
        (MAG_PER_RELATIVE_FLUX, 1.0, True), (MAG_PER_RELATIVE_FLUX + 1e-9, 1.0, False),
    ],
)  # fmt: skip
def test_a_total_of_zero_or_with_an_error_of_one_magnitude_is_an_upper_limit(flux, flux_err, is_upper_limit):
    reference = flux_from_mag(99.0)  # 1e-27 nJy
    assert apparent_photometry(flux - reference, flux_err, 99.0, 0.0).is_upper_limit == is_upper_limit
