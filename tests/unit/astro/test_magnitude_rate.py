"""Rates with their bounds, against draws from the distributions they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.magnitude_rate import rate_between, rate_from_upper_limit
from redpoll.astro.photometry import flux_err_from_mag_err, flux_from_mag

DAYS = np.array([2.0])


def _one(flux, err):
    return np.array([float(flux)]), np.array([float(err)])


def _assert_quantiles(found, changes):
    rates = np.sort(changes / DAYS)
    fraction_below = [np.searchsorted(rates, bound[0]) / len(rates) for bound in (found.lower, found.upper)]
    assert fraction_below == pytest.approx([0.05, 0.95], abs=0.001)


@pytest.mark.parametrize("snr0, snr1", [(5, 5), (5, 50), (20, 8), (100, 100)])
def test_bounds_between_detections_are_the_quantiles(snr0, snr1):
    rng = np.random.default_rng(1)
    found = rate_between(*_one(1000, 1000 / snr0), *_one(3000, 3000 / snr1), DAYS)
    draws = rng.normal(3000, 3000 / snr1, 400_000) / np.abs(rng.normal(1000, 1000 / snr0, 400_000))
    _assert_quantiles(found, -2.5 * np.log10(np.maximum(draws, 1e-9)))


@pytest.mark.parametrize("snr", [5, 12, 200])
@pytest.mark.parametrize("flux", [300.0, 1000.0, 9000.0])
def test_bounds_from_an_upper_limit_are_the_quantiles(flux, snr):
    rng = np.random.default_rng(2)
    found = rate_from_upper_limit(np.array([1000.0]), *_one(flux, flux / snr), DAYS)
    draws = rng.normal(flux, flux / snr, 400_000) / rng.uniform(0, 1000, 400_000)
    changes = -2.5 * np.log10(np.maximum(draws, 1e-9))
    _assert_quantiles(found, changes)
    if snr > 5:
        assert (changes.mean() / 2, changes.std() / 2) == pytest.approx((found.rate[0], found.err[0]), abs=0.005)


def test_rate_and_error_are_those_of_the_magnitudes():
    flux0, flux1 = flux_from_mag([20.0]), flux_from_mag([19.4])
    err0, err1 = flux_err_from_mag_err(0.03, flux0), flux_err_from_mag_err(0.04, flux1)
    found = rate_between(flux0, err0, flux1, err1, DAYS)
    assert (found.rate[0], found.err[0]) == pytest.approx((-0.3, 0.025))
    assert (found.lower[0], found.upper[0]) == pytest.approx((-0.3 - 0.025 * 1.645, -0.3 + 0.025 * 1.645), abs=5e-4)


def test_a_flux_lost_in_its_error_has_no_bounds():
    found = rate_between(*_one(1000, 700), *_one(3000, 30), DAYS)
    assert np.isfinite([found.rate[0], found.err[0]]).all() and np.isnan([found.lower[0], found.upper[0]]).all()
    assert np.isnan(rate_from_upper_limit(np.array([1000.0]), *_one(300, 200), DAYS).lower).all()


@pytest.mark.parametrize(
    "flux0, flux1, days",
    [(-1, 1, 1), (-0.5, 1, 1), (1, -1, 1), (1, -0.5, 1), (0, 1, 1), (np.nan, 1, 1), (1, 1, 0), (1, 1, -1)],
)
def test_no_positive_fluxes_or_no_time_gives_no_rate(flux0, flux1, days):
    days = np.array([float(days)])
    assert np.isnan(rate_between(*_one(flux0, 0.1), *_one(flux1, 0.1), days)).all()
    assert np.isnan(rate_from_upper_limit(np.array([float(flux0)]), *_one(flux1, 0.1), days)).all()


Z95 = 1.6448536269514722


@pytest.mark.parametrize(("factor", "is_bounded"), [(1.0, False), (1.0001, True)])
def test_a_flux_of_exactly_1_645_errors_has_no_bounds(factor, is_bounded):
    flux = factor * Z95
    for found in (
        rate_between(*_one(flux, 1.0), *_one(900, 1), DAYS), rate_between(*_one(900, 1), *_one(flux, 1.0), DAYS),
        rate_from_upper_limit(np.array([900.0]), *_one(flux, 1.0), DAYS),
    ):  # fmt: skip
        assert np.isfinite([found.lower[0], found.upper[0]]).tolist() == [is_bounded] * 2 and np.isfinite(found.rate[0])


def test_rates_are_the_same_in_any_unit_of_flux_and_inverse_to_the_time():
    for rate, flux0 in ((rate_between, _one(1000, 90)), (rate_from_upper_limit, (np.array([1000.0]),))):
        large, small = (
            rate(*(scale * x for x in (*flux0, *_one(3000, 200))), days)
            for scale, days in ((1.0, DAYS), (1e-5, DAYS / 4))
        )
        np.testing.assert_allclose(4 * np.array(large), np.array(small), rtol=1e-9)


@pytest.mark.parametrize("err", [0.0, -0.5])
def test_a_flux_without_an_error_has_no_bounds_from_an_upper_limit(err):
    found = rate_from_upper_limit(np.array([1000.0]), *_one(3000, err), DAYS)
    assert np.isnan([found.lower[0], found.upper[0]]).all()
