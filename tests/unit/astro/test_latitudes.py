"""Latitudes against astropy."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord

from redpoll.astro.sky import ecliptic_latitude, galactic, galactic_latitude


def test_latitudes_are_those_of_astropy_to_an_arcsecond():
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))
    sky = SkyCoord(ra * u.deg, dec * u.deg)
    np.testing.assert_allclose(galactic_latitude(ra, dec), sky.galactic.b.deg, atol=1 / 3600)
    np.testing.assert_allclose(galactic(ra, dec)[0], sky.galactic.l.deg, atol=0.01)
    ecliptic = sky.transform_to(BarycentricMeanEcliptic(equinox="J2000")).lat.deg
    np.testing.assert_allclose(ecliptic_latitude(ra, dec), ecliptic, atol=1 / 3600)


def test_an_unknown_place_has_no_latitude():
    assert np.isnan(galactic_latitude(np.nan, 0.0)) and np.isnan(ecliptic_latitude(0.0, np.nan))


def test_rounding_at_the_ecliptic_poles_does_no_harm():
    ra, dec = [270.0000000372815, 89.99999996908814], [66.56070995556765, -66.56071004523997]
    np.testing.assert_allclose(ecliptic_latitude(ra, dec), [90.0, -90.0], atol=1e-4)
