"""Distances: against astropy's own integrals, and what has no answer."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.cosmology import Planck18

from redpoll.astro.cosmology import (
    Z_MAX,
    distance_modulus,
    luminosity_distance,
    modulus_of_distance,
    redshift_from_distance,
    redshift_from_distance_modulus,
)

REDSHIFTS = np.geomspace(1e-5, Z_MAX, 400)


def test_distances_are_astropys():
    np.testing.assert_allclose(luminosity_distance(REDSHIFTS), Planck18.luminosity_distance(REDSHIFTS).value, rtol=1e-9)
    np.testing.assert_allclose(distance_modulus(REDSHIFTS), Planck18.distmod(REDSHIFTS).value, atol=2e-9)


def test_the_way_back_is_the_inverse():
    np.testing.assert_allclose(redshift_from_distance(luminosity_distance(REDSHIFTS)), REDSHIFTS, rtol=1e-11)
    np.testing.assert_allclose(redshift_from_distance_modulus(distance_modulus(REDSHIFTS)), REDSHIFTS, rtol=1e-11)


@pytest.mark.parametrize("z", [0.0, -0.001, np.nan, np.inf, 20.001])
def test_a_redshift_without_a_distance_has_none(z):
    assert np.isnan(distance_modulus(z)) and np.isnan(luminosity_distance(z))


@pytest.mark.parametrize("distance", [0.0, -1.0, np.nan, np.inf, 1e7])
def test_a_distance_without_a_redshift_has_none(distance):
    assert np.isnan(redshift_from_distance(distance))


def test_shapes_are_kept():
    assert distance_modulus(0.1).shape == () and distance_modulus([]).shape == (0,)
    assert redshift_from_distance(np.full((2, 3), 100.0)).shape == (2, 3)


def test_the_table_ends_at_redshift_20():
    assert luminosity_distance(20.0) == pytest.approx(Planck18.luminosity_distance(20.0).value, rel=1e-9)
    beyond = Planck18.luminosity_distance([20.0, 20.01]).value * (1 - 1e-9)
    assert np.isfinite(redshift_from_distance(beyond)).tolist() == [True, False]


@pytest.mark.parametrize("distance", [0.0, -0.5, np.nan])
def test_no_distance_has_no_modulus(distance):
    assert np.isnan(modulus_of_distance(distance)) and modulus_of_distance(10.0) == 30.0
