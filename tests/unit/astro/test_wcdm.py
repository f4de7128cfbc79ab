"""Distances in flat wCDM, against astropy."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.cosmology import FlatwCDM

from redpoll.astro.wcdm import wcdm_distance_modulus


@pytest.mark.parametrize("omega_m", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("w", [-4.0, -1.0, 1.5])
def test_moduli_are_those_of_astropy(omega_m: float, w: float) -> None:
    z = np.geomspace(1e-3, 3.0, 60)
    expected = FlatwCDM(70.0, omega_m, w0=w, Tcmb0=0.0).distmod(z).value
    np.testing.assert_allclose(wcdm_distance_modulus(z, omega_m, w), expected, rtol=0, atol=1e-8)


def test_each_universe_has_a_row_and_no_distance_has_no_modulus() -> None:
    found = wcdm_distance_modulus([0.0, 0.5], [[0.2], [0.3]], [-1.0, -0.5, 0.0])
    assert found.shape == (2, 3, 2)
    assert np.isnan(found[..., 0]).all() and np.isfinite(found[..., 1]).all()
    assert (np.diff(found[..., 1], axis=1) < 0).all()  # dark energy that dilutes accelerates less
