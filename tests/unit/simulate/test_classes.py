"""Light curves of the classes against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.simulate.blackbody import blackbody_flux, colour, planck
from redpoll.simulate.classes import (
    CLASSES,
    agn,
    asteroid,
    kilonova,
    m_dwarf_flare,
    microlensing,
    orphan_afterglow,
    rr_lyrae,
    slsn,
    sn_ibc,
    supernovae,
    young_star,
)
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


def drawn(name, start, days, band, n=300, **parameters):
    """Parameters of `n` drawn objects put at day 0 (`start`) and redshift 0.01, and absolute magnitudes (n, days)."""
    p = CLASSES[name].draw(np.random.default_rng(4), n, WINDOW) | {start: np.zeros(n), "redshift": np.full(n, Z_NEAR)}
    flux = CLASSES[name].flux(p | parameters, epochs_of(days, band, n), np.random.default_rng(0)).reshape(n, -1)
    return p, 31.4 - 2.5 * np.log10(np.maximum(flux, 1e-12)) - distance_modulus(Z_NEAR)


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
    p = {"log_luminosity": 44, "temperature": 20000, "rise_days": 12, "decay_days": 40, "peak_mjd": 0, "host_ebv": 0}
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
    star = {"period": 0.5, "amplitude": 1, "epoch_mjd": 0, "mean_mag": 16, "g_minus_r": 0.25, "u_minus_g": 1.2}
    star |= {"band_contrast": 1, "z_excess": 0}
    parameters = {name: np.array([float(value)]) for name, value in star.items()}
    days = np.linspace(0, 0.5, 500, endpoint=False)
    flux = CLASSES["rr_lyrae"].flux(parameters, epochs_of(days, G), np.random.default_rng(0))
    rising = np.diff(flux) > 0
    assert rising.mean() < 0.4


def test_rr_lyrae_stars_of_large_amplitude_are_sharper():
    phase = np.linspace(0, 1, 500, endpoint=False)
    rising = [(np.diff(rr_lyrae.wave(phase, np.full(500, amplitude))) < 0).mean() for amplitude in (0.3, 1.2)]
    assert rising[1] < rising[0]
    shape = rr_lyrae.wave(phase, np.full(500, 0.8))
    assert np.ptp(shape) == pytest.approx(1, abs=0.01) and shape.mean() == pytest.approx(0, abs=0.01)


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


def test_superluminous_supernovae_are_as_luminous_slow_and_blue_as_those_of_ztf():
    days = np.arange(2.0, 250.0, 2.0)
    (_, g), (_, r) = (drawn("slsn", "explosion_mjd", days, band) for band in (G, R))
    peak, at = g.min(axis=1), g.argmin(axis=1)
    # Chen et al. 2023: -21.48 (-22.8 to -19.8) mag in g, a rise of 41.9 +- 17.8 d
    assert np.median(peak) == pytest.approx(-21.48, abs=0.25)
    assert (np.percentile(peak, [2, 98]) > [-22.9, -22.0]).all() and (
        np.percentile(peak, [2, 98]) < [-22.0, -19.6]
    ).all()
    assert days[at].mean() == pytest.approx(41.9, abs=10)
    assert np.median((g - r)[np.arange(len(at)), at]) == pytest.approx(-0.15, abs=0.15)


def test_a_superluminous_supernova_loses_light_below_300_nm(monkeypatch):
    p = {"spin_period": 2.4, "magnetic_field": 0.8, "ejecta_mass": 4.8, "kinetic_energy": 3.9, "coolest": 6500}
    arrays = {k: np.array([float(v)]) for k, v in (p | {"redshift": 1, "explosion_mjd": 0}).items()}
    whole, lost = [], []
    for found, edge in ((lost, 300.0), (whole, 1.0)):
        monkeypatch.setattr(slsn, "_UV_EDGE", edge)
        found += [CLASSES["slsn"].flux(arrays, epochs_of([60.0], b), np.random.default_rng(0))[0] for b in (0, G, R)]
    # at redshift 1, u, g and r are at 184, 241 and 311 nm
    ratio = np.divide(lost, whole)
    assert ratio / ratio[2] == pytest.approx([0.61, 0.80, 1.0], abs=0.01)


@pytest.mark.parametrize("temperature", [6000.0, 15000.0, 25000.0])
def test_the_luminosity_stays_when_light_is_lost(temperature):
    # all light, by the radiance of a black body over 20 nm to 20 um
    wavelength = np.geomspace(20.0, 2e4, 3000)
    light = planck(wavelength, temperature) / wavelength**2
    left = np.trapezoid(light * np.minimum(wavelength / 300.0, 1.0), wavelength) / np.trapezoid(light, wavelength)
    assert slsn.fraction_kept(np.array([temperature]))[0] == pytest.approx(left, abs=0.005)


def test_pair_instability_supernovae_rise_for_months_are_red_and_fade_as_cobalt():
    days = np.arange(4.0, 600.0, 4.0)
    (_, g), (_, r) = (drawn("pisn", "explosion_mjd", days, band) for band in (G, R))
    at = r.argmin(axis=1)
    assert -21.5 < r.min() < -20.5 and -19.0 < r.min(axis=1).max() < -17.5  # up to 1e44 erg/s
    assert ((days[at] > 100) & (days[at] < 150)).all()
    colour = (g - r)[np.arange(len(at)), at]
    assert colour.min() > 0.35 and colour.max() < 1.0
    # cobalt 56 halves in 77.1 d: 0.98 mag in 100 d; diffusion adds little
    assert (r[:, 140] - r[:, 115]) == pytest.approx(0.98, abs=0.15)


def test_an_afterglow_steepens_at_the_jet_break():
    time, flux = orphan_afterglow.seen_from(np.zeros(1), np.array([2.2]), np.array([0.6]))
    slope = -np.diff(flux[0]) / np.diff(time[0])
    assert slope[0] == pytest.approx(0.9, abs=0.01)  # 3 (p - 1) / 4
    assert slope[-1] == pytest.approx(2.2, abs=0.01)


def test_an_afterglow_off_the_axis_rises_late_and_joins_the_one_on_the_axis():
    axis, off = (orphan_afterglow.seen_from(np.array([q]), np.array([2.2]), np.array([0.6])) for q in (0.0, 2.0))
    peak = np.exp(off[0][0][off[1][0].argmax()])
    assert 2.0 < peak < 20.0  # the beam widens to the angle at 4 times the break
    on = np.interp(off[0][0], axis[0][0], axis[1][0])
    assert (off[1][0] < on + 0.05).all()
    assert off[1][0][-1] - on[-1] == pytest.approx(0.0, abs=0.05)


def test_afterglows_have_synchrotron_colours():
    days = np.array([1.0])
    (p, g), (_, r) = (drawn("orphan_afterglow", "burst_mjd", days, band) for band in (G, R))
    expected = 2.5 * p["spectral_slope"] * np.log10(622 / 482)
    assert (g - r)[:, 0] == pytest.approx(expected)
    assert 0.13 < expected.min() < np.median(expected) < expected.max() < 0.37


def test_an_afterglow_has_its_magnitude_at_the_break():
    p = {"break_mag": 20.0, "break_days": 0.5, "electron_index": 2.2, "spectral_slope": 0.8, "view_angle": 0.0}
    arrays = {k: np.array([v]) for k, v in (p | {"redshift": 1.0, "burst_mjd": 0.0}).items()}
    flux = CLASSES["orphan_afterglow"].flux(arrays, epochs_of([1.0], R), np.random.default_rng(0))
    assert 31.4 - 2.5 * np.log10(flux[0]) == pytest.approx(20.0, abs=0.01)


def test_a_dipper_loses_the_light_it_should_and_is_constant_otherwise():
    p = {"is_young": 0, "dip_depth": 0.4, "ingress_days": 2, "egress_days": 6, "dip_mjd": 100, "recurrence_days": 1e5,
         "dust_slope": 1.21, "mean_mag": 16, "g_minus_r": 0.6}  # fmt: skip
    arrays = {k: np.array([float(v)]) for k, v in p.items()}
    model, days = CLASSES["dipper"], np.array([95.9, 98.0, 100.0, 106.0, 112.1])
    star = 10 ** ((31.4 - model.reference_mag(arrays)[0]) / 2.5)
    loss = {b: -model.flux(arrays, epochs_of(days, b), None) / star[b] for b in (G, R, 3)}
    assert loss[R][[0, 4]] == pytest.approx(0.0, abs=1e-9)
    assert loss[R][2] == pytest.approx(0.4)
    assert loss[R][1] == pytest.approx(1 - 0.6**0.5) == loss[R][3]
    # Boyajian et al. 2018: 1.94 between 436 and 755 nm; between 482 and 755 nm that is 1.72
    tau = {b: -np.log(1 - loss[b][2]) for b in loss}
    assert tau[G] / tau[3] == pytest.approx(1.94 ** (np.log(755 / 482) / np.log(755 / 436)), rel=0.02)


def test_young_dippers_dim_every_few_days_by_tens_of_percent():
    p = CLASSES["dipper"].draw(np.random.default_rng(3), 500, WINDOW)
    young = p["is_young"] > 0
    assert young.mean() == pytest.approx(0.2, abs=0.06)
    days = (p["ingress_days"] + p["egress_days"])[young]
    # Ansdell et al. 2016: 10 to 20 dips in 80 d, of 0.5 to 2 d; Hedges et al. 2018: 10 to 50 %
    assert days.min() >= 0.5 and days.max() <= 2.0
    assert p["dip_depth"][young].min() >= 0.1 and p["dip_depth"][young].max() <= 0.5
    assert 8 < (80 / p["recurrence_days"][young]).mean() < 25
    assert p["dip_depth"][~young].max() > 0.6 and p["dip_depth"][~young].min() < 0.06


def test_young_dippers_keep_no_strict_period():
    p = {"is_young": 1, "dip_depth": 0.4, "ingress_days": 0.5, "egress_days": 0.5, "dip_mjd": 0, "recurrence_days": 5,
         "dust_slope": 1, "mean_mag": 16, "g_minus_r": 1.2}  # fmt: skip
    arrays, days = {k: np.array([float(v)]) for k, v in p.items()}, np.arange(-2.5, 97.5, 0.02)
    flux = CLASSES["dipper"].flux(arrays, epochs_of(days, R), None).reshape(20, -1)
    deepest = days.reshape(20, -1)[np.arange(20), flux.argmin(axis=1)]
    assert 0.5 < np.std(np.diff(deepest)) < 1.2
    assert len(np.unique(flux.min(axis=1).round(3))) == 20


@pytest.mark.parametrize(("kind", "low", "high"), [(0, 0.1, 2.5), (1, 1.0, 6.5), (2, 3.5, 8.0)])
def test_young_stars_brighten_as_much_as_their_kind(kind, low, high):
    n, days = 300, np.arange(-1500.0, 1500.0, 10.0)
    model, rng = CLASSES["young_star"], np.random.default_rng(6)
    p = model.draw(rng, n, WINDOW)
    of_kind = p["outburst"] == kind
    delta = p["amplitude"][of_kind, None] * young_star.burst_shape(
        days, p["rise_days"][of_kind, None], p["fall_days"][of_kind, None]
    )
    assert of_kind.mean() == pytest.approx([0.7, 0.2, 0.1][kind], abs=0.08)
    flux = model.flux(p | {"peak_mjd": np.zeros(n)}, epochs_of(days, R, n), rng).reshape(n, -1)[of_kind]
    star = 10 ** ((31.4 - p["mean_mag"][of_kind]) / 2.5)
    brightest = 2.5 * np.log10(1 + flux.max(axis=1) / star)
    assert low < np.median(brightest) < high
    # a burst of EX Lupi is over in a year or two, one of FU Orionis stays
    late = delta[:, -1]
    assert (late > 0.65 * delta.max(axis=1)).all() if kind == 2 else (late < 0.1).all()


def test_young_stars_are_bluer_when_brighter():
    p = {"outburst": 1, "walk_sigma": 1e-6, "walk_days": 5, "amplitude": 3, "rise_days": 10, "fall_days": 50,
         "peak_mjd": 0, "mean_mag": 18, "g_minus_r": 1.3}  # fmt: skip
    arrays, model = {k: np.array([float(v)]) for k, v in p.items()}, CLASSES["young_star"]
    star = 10 ** ((31.4 - model.reference_mag(arrays)[0]) / 2.5)
    change = {b: -2.5 * np.log10(1 + model.flux(arrays, epochs_of([0.0], b), np.random.default_rng(0))[0] / star[b])
              for b in (G, R)}  # fmt: skip
    assert change[R] == pytest.approx(-3.0, abs=1e-3)
    assert change[G] - change[R] == pytest.approx(-3.0 * ((622 / 482) ** 0.7 - 1), abs=1e-3)


def test_redshifts_fill_the_volume_to_the_reach():
    z = supernovae.draw_cosmic_redshift(np.random.default_rng(1), np.full(20_000, -21.0), WINDOW, evolution=1.0)
    assert distance_modulus(z.max()) == pytest.approx(41.8, abs=0.02)
    # half of a volume without evolution lies within its cube root of the comoving distance
    comoving = 10 ** (0.2 * distance_modulus(z)) / (1 + z)
    assert np.median(comoving) / comoving.max() == pytest.approx(0.5 ** (1 / 3), abs=0.01)
    assert (
        supernovae.draw_cosmic_redshift(np.random.default_rng(1), np.full(99, -30.0), WINDOW, evolution=2) <= 3
    ).all()
