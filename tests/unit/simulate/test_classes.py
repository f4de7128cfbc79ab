"""Light curves of the classes against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.simulate.blackbody import blackbody_flux, colour
from redpoll.simulate.classes import CLASSES, agn, asteroid, kilonova, m_dwarf_flare, microlensing, sn_ibc
from redpoll.simulate.classes.contract import Epochs, Window
from redpoll.simulate.distance import distance_modulus

G, R, Z = 1, 2, 4
Z_NEAR = 0.01
WINDOW = Window(60000.0, 60001.0, 20.5, 13.0)


def epochs_of(mjd, band, n=1):
    """The same epochs for each of `n` objects, all in the window."""
    mjd, band = np.broadcast_arrays(np.asarray(mjd, float), band)
    k = len(mjd)
    flat = {"mjd": np.tile(mjd, n), "band": np.tile(band, n), "noise": np.full(k * n, 100.0)}
    return Epochs(np.arange(n + 1) * k, np.repeat(np.arange(n), k), in_window=np.ones(k * n, bool), **flat)


def absolute_mags(name, days, band, **parameters):
    """Absolute magnitudes of one object of a class at redshift 0.01."""
    parameters = {key: np.array([float(value)]) for key, value in parameters.items()} | {"redshift": np.array([Z_NEAR])}
    flux = CLASSES[name].flux(parameters, epochs_of(days, band), np.random.default_rng(0))
    return 31.4 - 2.5 * np.log10(np.maximum(flux, 1e-12)) - distance_modulus(Z_NEAR)


def ia(days, band):
    return absolute_mags("sn_ia", days, band, x1=0, c=0, absolute_mag=-19.3, peak_mjd=0)


def test_a_normal_ia_peaks_near_minus_19():
    days = np.linspace(-17, 60, 200)
    g, r = ia(days, G), ia(days, R)
    assert g.min() == pytest.approx(-19.3, abs=0.15)
    assert r.min() == pytest.approx(-19.1, abs=0.2)
    assert days[r.argmin()] == pytest.approx(1, abs=3)


def test_an_ia_fades_one_magnitude_in_fifteen_days_in_the_blue():
    assert ia([15], G)[0] - ia([0], G)[0] == pytest.approx(0.95, abs=0.25)


def test_an_ia_has_a_second_maximum_in_the_infrared():
    z = ia(np.array([-2, 13, 24]), Z)
    assert z[1] > z[2] > z[0]


def test_a_type_two_stays_on_its_plateau_then_falls():
    mags = absolute_mags(
        "sn_ii",
        np.array([20.0, 80.0, 130.0]),
        R,
        absolute_mag=-17,
        rise_days=8,
        plateau_days=95,
        slope=0.5,
        explosion_mjd=0,
    )
    assert abs(mags[1] - mags[0]) < 0.7
    assert mags[2] - mags[1] > 1.5


def test_nickel_powers_a_stripped_supernova():
    lum = sn_ibc.luminosity(sn_ibc._GRID, np.array([0.1, 0.2]), np.array([12.0, 12.0]))
    peak = sn_ibc._GRID[lum[0].argmax()]
    # Arnett's rule: at its peak the supernova shines as much as the decay heats it
    heat = 1.989e33 * 0.1 * (3.9e10 * np.exp(-peak / 8.8) + 6.78e9 * (np.exp(-peak / 111.3) - np.exp(-peak / 8.8)))
    assert lum[0].max() == pytest.approx(heat, rel=0.03)
    assert lum[1] == pytest.approx(2 * lum[0])


def test_a_kilonova_peaks_within_days_and_reddens():
    parameters = {"ejecta_mass": 0.025, "speed": 0.2, "opacity": 1.0, "merger_mjd": 0}
    days = np.array([1.0, 3.0, 7.0])
    g, r = (absolute_mags("kilonova", days, band, **parameters) for band in (G, R))
    assert -16.5 < r.min() < -13.5
    assert (np.diff(g - r) > 0).all()
    assert g[2] - g[0] > 3
    power = kilonova.luminosity(np.array([0.025]), np.array([0.2]), np.array([1.0]))
    assert 40.5 < np.log10(power.max()) < 42.5


def test_a_tde_is_blue_and_decays_as_a_power_law():
    p = {"log_luminosity": 44, "temperature": 20000, "rise_days": 12, "decay_days": 40, "peak_mjd": 0}
    days = np.array([0.0, 40.0 * (1 + Z_NEAR)])
    g, r = (absolute_mags("tde", days, band, **p) for band in (G, R))
    assert (g - r < 0).all()
    assert g[1] - g[0] == pytest.approx(2.5 * 5 / 3 * np.log10(2), abs=1e-6)


def test_magnification_of_a_point_lens():
    assert microlensing.magnification(np.array([1.0]))[0] == pytest.approx(3 / np.sqrt(5))
    assert microlensing.magnification(np.array([1e-3]))[0] == pytest.approx(1000, rel=1e-3)


@pytest.mark.parametrize("name", ["rr_lyrae", "eclipsing_binary"])
def test_a_periodic_star_repeats(name):
    rng = np.random.default_rng(1)
    model = CLASSES[name]
    parameters = model.draw(rng, 1, WINDOW)
    phase = np.linspace(0, 0.9, 10) * parameters["period"]
    days = np.concatenate([phase, phase + 7 * parameters["period"]]) + 60000
    flux = model.flux(parameters, epochs_of(days, G), rng)
    np.testing.assert_allclose(flux[:10], flux[10:], rtol=1e-6, atol=1e-3)
    assert np.ptp(flux) > 0


def test_an_rr_lyrae_rises_faster_than_it_falls():
    parameters = {
        k: np.array([v])
        for k, v in {"period": 0.5, "amplitude": 1.0, "epoch_mjd": 0.0, "mean_mag": 16.0, "g_minus_r": 0.25}.items()
    }
    days = np.linspace(0, 0.5, 500, endpoint=False)
    flux = CLASSES["rr_lyrae"].flux(parameters, epochs_of(days, G), np.random.default_rng(0))
    rising = np.diff(flux) > 0
    assert rising.mean() < 0.4


def test_a_damped_random_walk_has_its_scatter_and_forgets():
    days = np.arange(0, 400, 2.0)
    epochs = epochs_of(days, G, n=400)
    walk = agn.random_walk(epochs, np.full(400, 0.2), np.full(400, 50.0), np.random.default_rng(2)).reshape(400, -1)
    assert walk.std() == pytest.approx(0.2, rel=0.05)
    lagged = (walk[:, :-25] * walk[:, 25:]).mean() / walk.var()
    assert lagged == pytest.approx(np.exp(-1), abs=0.05)


def test_a_flare_rises_in_a_width_and_decays_slowly():
    shape = m_dwarf_flare.flare_shape(np.array([-1.01, -0.5, 0.0, 1.0, 5.0]))
    assert shape[0] == 0
    assert shape.argmax() == 2
    assert shape[3] > shape[4] > 0


def test_an_asteroid_at_unit_distances_has_its_absolute_magnitude():
    one = np.ones(1)
    assert asteroid.hg_mag(15 * one, 0.15 * one, 0 * one, one, one)[0] == pytest.approx(15)
    assert asteroid.hg_mag(15 * one, 0.15 * one, 20 * one, one, one)[0] > 15.8


def test_a_glint_is_in_one_exposure():
    rng = np.random.default_rng(3)
    parameters = CLASSES["satellite_glint"].draw(rng, 20, WINDOW)
    flux = CLASSES["satellite_glint"].flux(parameters, epochs_of(np.arange(60000, 60000.9, 0.1), R, n=20), rng)
    assert ((flux.reshape(20, -1) > 0).sum(axis=1) == 1).all()


def test_a_glint_is_a_dash_of_up_to_some_arcseconds():
    length = CLASSES["satellite_glint"].draw(np.random.default_rng(3), 1000, WINDOW)["dash_arcsec"]
    assert 0.3 <= length.min() < 0.4 and 4.0 < length.max() <= 4.5


def test_a_dwarf_nova_comes_back():
    p = {
        "amplitude": 4.0,
        "rise_days": 1.0,
        "plateau_days": 5.0,
        "decay_days": 2.0,
        "recurrence_days": 60.0,
        "outburst_mjd": 100.0,
        "mean_mag": 20.0,
    }
    parameters = {k: np.array([v]) for k, v in p.items()}
    flux = CLASSES["cataclysmic_variable"].flux(
        parameters, epochs_of([102.0, 140.0, 162.0], G), np.random.default_rng(0)
    )
    assert flux[0] == pytest.approx(flux[2])
    assert flux[1] < 0.01 * flux[0]


def test_a_hot_black_body_is_bluer_than_a_cool_one():
    band = np.array([G])
    assert colour(band, 20000.0)[0] < colour(band, 4000.0)[0]


def test_black_body_of_the_sun_at_ten_parsec():
    # AB magnitude of the Sun in r: 4.65 (Willmer 2018); a black body of 5772 K lacks its lines
    z = np.array([0.0023])
    flux = blackbody_flux(np.array([R]), 5772.0, 3.828e33, z)
    assert 31.4 - 2.5 * np.log10(flux[0]) - distance_modulus(z)[0] == pytest.approx(4.65, abs=0.15)
