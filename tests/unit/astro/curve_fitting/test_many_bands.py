"""Rainbow and microlensing: truth recovered in all bands at once, errors against scipy and against scatter."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import constants, units
from astropy.modeling.models import BlackBody
from scipy.optimize import curve_fit

from redpoll.astro.curve_fitting import paczynski_fit, rainbow_fit
from redpoll.astro.extinction import WAVELENGTH

BOLOMETRIC = {
    "sigmoid": lambda t, rise, fall: 1 / (1 + np.exp(-t / rise)),
    "bazin": lambda t, rise, fall: _peaked(t, rise, fall) / _peaked(np.linspace(-99, 199, 29801), rise, fall).max(),
    "linexp": lambda t, rise, fall: np.maximum(t / rise, 0) * np.exp(1 - np.maximum(t / rise, 0)),
}


def _peaked(t, rise, fall):
    return 1 / (np.exp(-t / rise) + np.exp(t / fall))


def _temperature(t, start, end, days):
    return end + (start - end) / (1 + np.exp(t / days))


def _flux(t, band, bolometric, temperature, survey="rubin"):
    """Flux density [nJy] of a blackbody of that bolometric flux [erg/s/cm2] and temperature [K], by astropy."""
    wavelength = WAVELENGTH[survey][band] * units.nm
    surface = (np.pi * units.sr * BlackBody(temperature * units.K)(wavelength)) / (
        constants.sigma_sb * (temperature * units.K) ** 4
    )
    return (bolometric * units.Unit("erg s-1 cm-2") * surface).to_value("nJy")


@pytest.fixture
def epochs():
    rng = np.random.default_rng(6)
    return np.sort(rng.uniform(59985, 60060, 120)), rng.permutation(np.arange(120) % 5)


@pytest.mark.parametrize("temperature", ["constant", "sigmoid"])
@pytest.mark.parametrize("bolometric", BOLOMETRIC)
def test_the_truth_comes_back(epochs, bolometric, temperature):
    t, band = epochs
    start, end = (14000.0, 14000.0) if temperature == "constant" else (14000.0, 6500.0)
    light = 2e-13 * BOLOMETRIC[bolometric](t - 60010, 5.0, 18.0)
    flux = _flux(t, band, light, _temperature(t - 60010, start, end, 7.0))
    found = rainbow_fit(
        t, band, flux, np.full(120, 0.002 * flux.max()), [0, 120], bolometric=bolometric, temperature=temperature
    )
    assert found.chi2[0] < 0.5 and found.n_points[0] == 120
    answer = [found.amplitude[0], found.t0[0], found.rise_time[0], found.temperature_start[0], found.temperature_end[0]]
    assert answer == pytest.approx([2e-13, 60010, 5, start, end], rel=3e-3, abs=0)
    if bolometric == "bazin":
        assert found.fall_time[0] == pytest.approx(18, rel=3e-3)
    if temperature == "sigmoid":
        assert found.colour_time[0] == pytest.approx(7, rel=3e-2)


def test_errors_and_chi2_are_those_of_scipy(epochs):
    t, band = epochs
    rng, truth = np.random.default_rng(7), (2.0, 60010.0, 5.0, 14.0, 6.5, 7.0)

    def shape(_, light, t0, rise, start, end, days):
        bolometric = light * 1e-13 / (1 + np.exp(-(t - t0) / rise))
        return _flux(t, band, bolometric, _temperature(t - t0, 1e3 * start, 1e3 * end, days))

    clean = shape(t, *truth)
    err = 0.02 * clean.max() * rng.uniform(0.5, 1.5, 120)
    flux = clean + rng.normal(0, err)
    found = rainbow_fit(t, band, flux, err, [0, 120], temperature="sigmoid")
    best, covariance = curve_fit(shape, t, flux, truth, err, absolute_sigma=True, epsfcn=1e-10)
    errors = np.sqrt(np.diag(covariance)) * [1e-13, 1, 1, 1e3, 1e3, 1]
    names = ("amplitude", "t0", "rise_time", "temperature_start", "temperature_end", "colour_time")
    assert found.chi2[0] == pytest.approx(np.sum(((shape(t, *best) - flux) / err) ** 2), rel=1e-4)
    assert [getattr(found, f"{n}_err")[0] for n in names] == pytest.approx(errors, rel=0.05)
    assert found.reduced_chi2[0] == pytest.approx(1, abs=0.4)


def test_a_baseline_in_each_band_is_found(epochs):
    t, band = epochs
    light = 2e-13 * BOLOMETRIC["bazin"](t - 60010, 5.0, 18.0)
    base = np.array([300.0, -200.0, 100.0, 0.0, 50.0])
    flux = _flux(t, band, light, np.full(120, 9000.0)) + base[band]
    found = rainbow_fit(t, band, flux, np.full(120, 20.0), [0, 120], bolometric="bazin", baseline="free")
    assert found.baseline[0, :5] == pytest.approx(base, abs=3) and np.isnan(found.baseline[0, 5])
    assert found.temperature_start[0] == pytest.approx(9000, rel=1e-2) and found.n_params[0] == 10
    assert np.all(found.baseline_err[0, :5] > 0)


def test_the_survey_of_each_point_sets_its_wavelength():
    t, band = np.tile(np.arange(60000.0, 60020.0), 2), np.repeat([1, 2], 20)
    survey = np.tile(["ztf", "rubin"], 20)
    light = 1e-13 / (1 + np.exp(-(t - 60008) / 3))
    flux = np.array([_flux(t[i], band[i], light[i], 11000.0, survey[i]) for i in range(40)])
    found = rainbow_fit(t, band, flux, np.full(40, 5.0), [0, 40], survey=survey)
    assert found.temperature_start[0] == pytest.approx(11000, rel=1e-3)


def test_one_band_says_nothing_of_a_temperature(epochs):
    t, _ = epochs
    found = rainbow_fit(t, np.full(120, 2), np.ones(120), np.ones(120), [0, 120])
    assert np.isnan(found.chi2[0]) and np.isnan(found.temperature_start[0]) and not found.is_converged[0]


def test_bands_that_the_survey_lacks_do_not_count(epochs):
    t, band = epochs
    found = rainbow_fit(t, band, np.ones(120), np.ones(120), [0, 120], survey="ztf")
    assert found.n_points[0] == np.isin(band, [1, 2, 3]).sum()


@pytest.mark.parametrize("options", [{"bolometric": "sine"}, {"temperature": "warm"}, {"survey": "iras"}])
def test_unknown_words_are_refused(options):
    with pytest.raises(ValueError, match=r"sine|warm|bolometric|iras"):
        rainbow_fit([1.0], [1], [1.0], [1.0], [0, 1], **options)


def _lensed(t, t0, days, impact):
    u2 = impact**2 + ((t - t0) / days) ** 2
    return (u2 + 2) / np.sqrt(u2 * (u2 + 4)) - 1


def test_a_lens_is_found_in_two_bands_with_their_own_fluxes():
    rng = np.random.default_rng(8)
    t, band = np.tile(np.arange(60000.0, 60200.0, 4.0), 2), np.repeat([1, 2], 50)
    source, base = np.array([0, 800.0, 2000.0]), np.array([0, 1500.0, 2600.0])
    flux = source[band] * _lensed(t, 60090.0, 25.0, 0.35) + base[band] + rng.normal(0, 15, 100)
    found = paczynski_fit(t, band, flux, np.full(100, 15.0), [0, 100])

    def shape(t, t0, days, impact, f1, b1, f2, b2):
        bump = _lensed(t, t0, days, impact)
        return np.where(band == 1, f1 * bump + b1, f2 * bump + b2)

    best, covariance = curve_fit(shape, t, flux, (60090, 25, 0.35, 800, 1500, 2000, 2600), np.full(100, 15.0),
                                 absolute_sigma=True)  # fmt: skip
    answer = [found.t0, found.einstein_time, found.impact, found.source_flux[:, 1], found.baseline[:, 1],
              found.source_flux[:, 2], found.baseline[:, 2]]  # fmt: skip
    errors = [found.t0_err, found.einstein_time_err, found.impact_err, found.source_flux_err[:, 1],
              found.baseline_err[:, 1], found.source_flux_err[:, 2], found.baseline_err[:, 2]]  # fmt: skip
    assert (np.concatenate(answer) - best) / np.sqrt(np.diag(covariance)) == pytest.approx(0, abs=0.03)
    assert np.concatenate(errors) == pytest.approx(np.sqrt(np.diag(covariance)), rel=0.03)
    assert np.isnan(found.source_flux[0, [0, 3, 4, 5]]).all() and found.n_params[0] == 7


def test_delta_chi2_is_against_a_constant_in_each_band():
    t, band = np.tile(np.arange(60000.0, 60100.0, 4.0), 2), np.repeat([1, 2], 25)
    flux = np.where(band == 1, 500.0, 900.0) + np.random.default_rng(9).normal(0, 10, 50)
    quiet = paczynski_fit(t, band, flux, np.full(50, 10.0), [0, 50])
    loud = paczynski_fit(t, band, flux + 300 * _lensed(t, 60050, 10.0, 0.2), np.full(50, 10.0), [0, 50])
    constant = sum(np.sum((flux[band == b] - flux[band == b].mean()) ** 2) / 100 for b in (1, 2))
    assert quiet.chi2[0] + quiet.delta_chi2[0] == pytest.approx(constant)
    assert 0 <= quiet.delta_chi2[0] < 30 and loud.delta_chi2[0] > 1000


@pytest.mark.parametrize("temperature", ["constant", "sigmoid"])
@pytest.mark.parametrize("bolometric", BOLOMETRIC)
def test_only_the_parameters_of_the_model_have_values(epochs, bolometric, temperature):
    t, band = epochs
    light = 2e-13 * BOLOMETRIC["bazin"](t - 60010, 5.0, 18.0)
    flux = _flux(t, band, light, _temperature(t - 60010, 14000.0, 6500.0, 7.0))
    found = rainbow_fit(t, band, flux, 0.02 * flux + 1.0, [0, 120], bolometric=bolometric, temperature=temperature)
    has_fall, has_colour = bolometric == "bazin", temperature == "sigmoid"
    for name, has_it in (("fall_time", has_fall), ("colour_time", has_colour)):
        assert np.isfinite(getattr(found, name)[0]) == has_it, name
        assert not (np.isfinite(getattr(found, f"{name}_err")[0]) and not has_it), name
    assert (found.temperature_start[0] == found.temperature_end[0]) == (not has_colour)
    assert found.n_params[0] == 4 + has_fall + 2 * has_colour


def test_the_errors_are_the_scatter_of_the_fits(epochs):
    """Each of its own parameter: of 150 noisy copies, within a quarter."""
    t, band = epochs
    rng, n = np.random.default_rng(8), 150
    flux = _flux(t, band, 2e-13 * BOLOMETRIC["bazin"](t - 60010, 5.0, 18.0), np.full(120, 11000.0))
    err = np.full(120, 0.02 * flux.max())
    copies = (flux + rng.normal(0, err, (n, 120))).ravel()
    found = rainbow_fit(
        np.tile(t, n), np.tile(band, n), copies, np.tile(err, n), np.arange(n + 1) * 120, bolometric="bazin"
    )
    assert found.is_converged.all() and found.is_converged.dtype == bool
    for name in ("amplitude", "t0", "rise_time", "fall_time", "temperature_start", "temperature_end"):
        ratio = np.std(getattr(found, name)) / np.median(getattr(found, f"{name}_err"))
        assert 0.75 < ratio < 1.25, (name, ratio)


def test_a_lens_that_is_fitted_has_converged():
    t = np.arange(60000.0, 60100.0, 2.0)
    flux = _lensed(t, 60050, 10.0, 0.2) * 500
    found = paczynski_fit(t, np.tile([1, 2], 25), flux, np.full(50, 10.0), [0, 50])
    assert found.is_converged[0] and found.n_points[0] == 50 and found.n_params[0] == 7


def test_a_lens_is_found_in_difference_fluxes_below_zero():
    """The template has the source at its brightest: all but the peak is negative, and the source flux is not."""
    t, band = np.arange(60000.0, 60100.0, 2.0), np.tile([0, 5], 25)
    found = paczynski_fit(t, band, _lensed(t, 60050, 10.0, 0.2) * 500 - 2500, np.full(50, 10.0), [0, 50])
    assert (found.t0[0], found.einstein_time[0], found.impact[0]) == pytest.approx((60050, 10, 0.2), rel=1e-3)
    assert found.source_flux[0, [0, 5]] == pytest.approx(500, rel=1e-3)
    assert found.baseline[0, [0, 5]] == pytest.approx(-2500, rel=1e-3)


def test_a_source_flux_and_an_amplitude_are_not_negative(epochs):
    t, band = epochs
    light = _flux(t, band, 2e-13 * BOLOMETRIC["bazin"](t - 60010, 5.0, 18.0), np.full(120, 9000.0))
    assert np.isnan(rainbow_fit(t, band, -light, np.full(120, 0.02 * light.max()), [0, 120]).amplitude[0])
    dip = paczynski_fit(t, band, -500 * _lensed(t, 60010, 10.0, 0.3), np.full(120, 10.0), [0, 120])
    assert not (dip.source_flux < 0).any()


def test_points_of_other_bands_do_not_count():
    """All of the six bands have fluxes of their own; points with another code are left out."""
    t, band = np.arange(60000.0, 60120.0), np.tile(np.arange(6), 20)
    flux = (100 + 50 * band) * _lensed(t, 60050, 10.0, 0.2) + 10 * band
    alone = paczynski_fit(t, band, flux, np.full(120, 5.0), [0, 120])
    assert alone.source_flux.shape == alone.baseline.shape == (1, 6) and alone.n_params[0] == 15
    assert alone.source_flux[0] == pytest.approx(100 + 50 * np.arange(6), rel=1e-3)
    wrong = np.tile([-1, 6, 7, -3], 5)
    more = np.append(t, t[40:60]), np.append(band, wrong), np.append(flux, np.full(20, 9e4)), np.full(140, 5.0)
    found = paczynski_fit(*more, [0, 140])
    for name, values in vars(alone).items():
        np.testing.assert_array_equal(getattr(found, name), values, err_msg=name)


def test_a_negative_rise_time_falls_linearly(epochs):
    """The mirror image of linexp in time, which a sigmoid has not: it rises, with a positive one."""
    t, band = epochs
    light = 2e-13 * BOLOMETRIC["linexp"](60050 - t, 9.0, None)
    flux = _flux(t, band, light, np.full(120, 9000.0))
    found = rainbow_fit(t, band, flux, np.full(120, 0.002 * flux.max()), [0, 120], bolometric="linexp")
    assert (found.t0[0], found.rise_time[0]) == pytest.approx((60050, -9), rel=3e-3)
    fading = _flux(t, band, 2e-13 * BOLOMETRIC["sigmoid"](60020 - t, 5.0, None), np.full(120, 9000.0))
    assert rainbow_fit(t, band, fading, np.full(120, 0.02 * fading.max()), [0, 120]).rise_time[0] > 0


def test_errors_of_baselines_are_their_scatter(epochs):
    t, band = epochs
    rng, n = np.random.default_rng(9), 150
    flux = _flux(t, band, 2e-13 * BOLOMETRIC["bazin"](t - 60010, 5.0, 18.0), np.full(120, 9000.0)) - 80.0
    err = np.where(band < 2, 60.0, 20.0)
    copies = (flux + rng.normal(0, err, (n, 120))).ravel()
    found = rainbow_fit(np.tile(t, n), np.tile(band, n), copies, np.tile(err, n), np.arange(n + 1) * 120,
                        bolometric="bazin", baseline="free")  # fmt: skip
    for b in range(5):
        ratio = np.std(found.baseline[:, b]) / np.median(found.baseline_err[:, b])
        assert 0.75 < ratio < 1.25, (b, ratio)
