"""Von Neumann's ratio of light curves: by its definition, and what it tells."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from redpoll.astro.night_steps import night_steps


def one_by_one(mjd, band, flux, offsets, n_bands):
    """The same for one curve and band after the other."""
    ratios, steps = [], []
    for first, last in pairwise(offsets):
        terms, days = [], []
        for b in range(n_bands):
            at = [i for i in range(first, last) if band[i] == b and np.isfinite(flux[i])]
            at = [i for k, i in enumerate(at) if k == 0 or mjd[i] - mjd[at[k - 1]] >= 0.5]
            if len(at) > 1:
                terms += list(np.diff(flux[at]) ** 2 / 2 / np.var(flux[at], ddof=1))
                days += list(np.diff(mjd[at]))
        ratios.append(np.mean(terms) if terms else np.nan)
        steps.append(sorted(days)[len(days) // 2] if days else np.nan)
    return ratios, steps


def test_it_is_the_ratio_of_its_definition():
    rng, offsets = np.random.default_rng(1), np.array([0, 30, 30, 31, 75])
    mjd = np.concatenate([np.sort(rng.uniform(0, 20, n)) for n in np.diff(offsets)])
    band, flux = rng.integers(-1, 3, 75).astype(np.int8), rng.normal(0, 1, 75)
    flux[::9] = np.nan
    found, expected = night_steps(mjd, band, flux, offsets, n_bands=3), one_by_one(mjd, band, flux, offsets, 3)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b)


def test_noise_is_near_one_and_what_is_smooth_near_zero():
    mjd, band, offsets = np.arange(400) * 2.0, np.ones(400, np.int8), np.array([0, 400])
    noise, wave = np.random.default_rng(2).normal(0, 1, 400), np.sin(mjd / 30)
    assert night_steps(mjd, band, noise, offsets, n_bands=2)[0][0] == pytest.approx(1.0, abs=0.15)
    assert night_steps(mjd, band, wave, offsets, n_bands=2)[0][0] < 0.01


def test_exposures_of_one_night_are_no_steps():
    mjd = np.repeat(np.arange(10.0), 5) + np.tile(np.arange(5) * 1e-3, 10)
    flux = np.repeat(np.random.default_rng(3).normal(0, 1, 10), 5)
    ratio, days = night_steps(mjd, np.zeros(50, np.int8), flux, np.array([0, 50]), n_bands=1)
    assert ratio[0] > 0.5 and days[0] == pytest.approx(1.0)


def test_a_constant_and_an_empty_curve_have_none():
    ratio, days = night_steps(np.arange(3.0), np.zeros(3, np.int8), np.ones(3), np.array([0, 3, 3]), n_bands=1)
    assert np.isnan(ratio).all() and days[0] == 1.0 and np.isnan(days[1])


def test_half_a_day_is_a_step_and_one_step_has_a_ratio_of_one():
    """The variance of two values is half the square of their difference. A curve without steps stands before."""
    mjd, flux = np.array([0.0, 0.0, 0.5, 0.0, 0.499]), np.array([7.0, 1.0, 4.0, 1.0, 4.0])
    ratio, days = night_steps(mjd, np.zeros(5, np.int8), flux, np.array([0, 1, 3, 5]), n_bands=1)
    np.testing.assert_array_equal(ratio, [np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(days, [np.nan, 0.5, np.nan])
