"""Absolute magnitudes and luminosities: against astropy's units and constants, and a blackbody put together by hand."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.cosmology import Planck18
from astropy.modeling.models import BlackBody

from redpoll.astro.luminosity import (
    absolute_mag,
    absolute_mag_at,
    apparent_mag,
    band_luminosity,
    blackbody_radius,
    bolometric_luminosity,
    nu_l_nu,
)


def test_absolute_magnitude_is_its_definition():
    found = absolute_mag([19.0, 22.0], [0.05, 1.2], extinction=[0.0, 0.3])
    expected = [19.0 - Planck18.distmod(0.05).value + 2.5 * np.log10(1.05)]
    expected += [22.0 - Planck18.distmod(1.2).value - 0.3 + 2.5 * np.log10(2.2)]
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_distance_and_redshift_agree():
    distance = Planck18.luminosity_distance(0.3).value
    assert absolute_mag_at(20.0, distance) == pytest.approx(absolute_mag(20.0, 0.3), abs=1e-8)
    assert apparent_mag(absolute_mag(20.0, 0.3, extinction=0.2), 0.3, extinction=0.2) == pytest.approx(20.0)


@pytest.mark.parametrize("z", [0.0, -0.01, -1.0, -2.0, np.nan, 21.0])
def test_no_redshift_no_absolute_magnitude(z):
    assert np.isnan(absolute_mag(20.0, z)) and np.isnan(nu_l_nu(1.0, z, 500.0))


def test_luminosity_is_its_definition():
    area = 4 * np.pi * Planck18.luminosity_distance(0.2) ** 2
    expected = (area * 500 * u.nJy * (500 * u.nm).to(u.Hz, u.spectral())).to(u.erg / u.s).value
    assert nu_l_nu(500.0, 0.2, 500.0) == pytest.approx(expected, rel=1e-8)


def test_a_band_the_survey_lacks_has_no_luminosity():
    assert np.isnan(band_luminosity(500.0, 0.2, 0, "ztf")) and np.isfinite(band_luminosity(500.0, 0.2, 0, "rubin"))


@pytest.mark.parametrize("temperature", [3000.0, 10_000.0, 40_000.0])
def test_a_blackbody_seen_in_one_band_gives_its_whole_light_and_radius(temperature):
    radius, wavelength = 1e15, 400.0
    surface = np.pi * u.sr * BlackBody(temperature * u.K)(wavelength * u.nm)
    seen = (4 * np.pi * (radius * u.cm) ** 2 * surface * (wavelength * u.nm).to(u.Hz, u.spectral())).to(u.erg / u.s)
    whole = bolometric_luminosity(seen.value, wavelength, temperature)
    assert blackbody_radius(whole, temperature) == pytest.approx(radius, rel=1e-6)


def test_no_temperature_no_bolometric_luminosity():
    assert np.isnan(bolometric_luminosity(1e43, 400.0, [0.0, -5.0, np.nan])).all()


def test_a_source_behind_dust_is_brighter_than_it_seems_and_dust_is_zero_unless_given():
    distance = Planck18.luminosity_distance(0.3).value
    assert absolute_mag_at(20.0, distance, extinction=0.4) == pytest.approx(absolute_mag(20.0, 0.3) - 0.4, abs=1e-8)
    assert absolute_mag_at(20.0, distance) == pytest.approx(absolute_mag(20.0, 0.3, extinction=0.0), abs=1e-8)
    assert apparent_mag(-19.0, 0.3) == pytest.approx(apparent_mag(-19.0, 0.3, extinction=0.0), abs=1e-12)


def test_a_band_without_a_survey_is_rubins():
    assert (
        band_luminosity(500.0, 0.2, 1)
        == band_luminosity(500.0, 0.2, 1, "rubin")
        != band_luminosity(500.0, 0.2, 1, "ztf")
    )
