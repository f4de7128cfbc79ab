"""Whatever the data: no exception, no warning, NaN where there is no answer; malformed arrays are refused."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.curve_fitting import bazin_fit, linexp_fit, paczynski_fit, rainbow_fit, sigmoid_fit


def _rainbow(**options):
    return lambda t, y, e, offsets: rainbow_fit(t, np.arange(len(t)) % 2 + 1, y, e, offsets, **options)


FITS = {
    "sigmoid": sigmoid_fit,
    "sigmoid, free": lambda *a: sigmoid_fit(*a, baseline="free"),
    "bazin": bazin_fit,
    "bazin, zero": lambda *a: bazin_fit(*a, baseline="zero"),
    "linexp": linexp_fit,
    "paczynski": lambda t, y, e, offsets: paczynski_fit(t, np.arange(len(t)) % 2 + 1, y, e, offsets),
    "rainbow": _rainbow(),
    "rainbow, bazin, free": _rainbow(bolometric="bazin", temperature="sigmoid", baseline="free"),
    "rainbow, linexp": _rainbow(bolometric="linexp", temperature="sigmoid"),
}
every_fit = pytest.mark.parametrize("fit", FITS.values(), ids=FITS.keys())
T = np.arange(60000.0, 60016.0)
BUMP = 100 * np.exp(-((T - 60008) ** 2) / 20)
ODD = {
    "all equal": (T, np.full(16, 5.0), np.ones(16)),
    "all zero": (T, np.zeros(16), np.ones(16)),
    "all negative": (T, -BUMP - 1, np.ones(16)),
    "one time": (np.full(16, 60000.0), BUMP, np.ones(16)),
    "two times": (np.repeat([60000.0, 60001.0], 8), BUMP, np.ones(16)),
    "huge": (T, 1e300 * BUMP, np.full(16, 1e298)),
    "tiny": (T, 1e-300 * BUMP, np.full(16, 1e-301)),
    "tiny errors": (T, BUMP, np.full(16, 1e-200)),
    "huge errors": (T, BUMP, np.full(16, 1e200)),
    "one sure point": (T, BUMP, np.where(T == 60008, 1e-9, 1e3)),
    "seconds": (60000 + (T - 60000) / 86400, BUMP, np.ones(16)),
    "ages": (60000 + (T - 60000) * 1e6, BUMP, np.ones(16)),
    "no MJD": (T - 60000, BUMP, np.ones(16)),
    "backwards": (T[::-1].copy(), BUMP, np.ones(16)),
    "infinite": (np.where(T < 60004, np.inf, T), BUMP, np.ones(16)),
    "spike": (T, np.where(T == 60003, 1e12, 0.0), np.ones(16)),
}


@every_fit
@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
def test_odd_data_give_numbers_or_nothing(fit, data):
    found = fit(*data, [0, 16])
    is_known = np.isfinite(found.chi2[0])
    assert is_known == np.isfinite(found.t0[0]) and (found.chi2[0] >= 0 or not is_known)
    assert not (found.is_converged[0] and not is_known)
    for name in vars(found):
        assert not np.any(getattr(found, name) < 0) or not name.endswith("_err")


@every_fit
def test_points_without_a_usable_error_do_not_count(fit):
    noisy = BUMP + np.random.default_rng(1).normal(0, 1, 16)
    t, flux, err = (np.concatenate([x, x[:6]]) for x in (T, noisy, np.ones(16)))
    err[16:19], err[19], err[20], flux[21] = 0, np.nan, -1, np.nan
    want, found = fit(T, noisy, np.ones(16), [0, 16]), fit(t, flux, err, [0, 22])
    assert found.n_points[0] == 16
    for name, values in vars(want).items():
        np.testing.assert_array_equal(values, getattr(found, name))


@every_fit
@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_points_have_no_fit(fit, n):
    found = fit(T[:n], BUMP[:n], np.ones(n), [0, n])
    assert found.n_points[0] == n and np.isnan(found.chi2[0]) and np.isnan(found.t0[0]) and not found.is_converged[0]


@every_fit
def test_as_many_points_as_parameters_have_a_fit_but_no_reduced_chi2(fit):
    n_params = int(fit(T, BUMP, np.ones(16), [0, 16]).n_params[0])
    found = fit(T[:n_params], BUMP[:n_params] + 3, np.ones(n_params), [0, n_params])
    assert np.isfinite(found.chi2[0]) and np.isnan(found.reduced_chi2[0])
    for n in (n_params + 1, n_params + 2):
        found = fit(T[:n], BUMP[:n] + 3, np.ones(n), [0, n])
        assert found.reduced_chi2[0] == found.chi2[0] / (n - n_params)


@every_fit
def test_no_curves_at_all(fit):
    assert len(fit([], [], [], [0]).chi2) == 0


@every_fit
def test_inputs_are_left_as_they_are(fit):
    data = [T[::-1].copy(), BUMP.copy(), np.ones(16)]
    before = [x.copy() for x in data]
    fit(*data, np.array([0, 16]))
    assert all(np.array_equal(a, b) for a, b in zip(before, data, strict=True))


@every_fit
@pytest.mark.parametrize("offsets", [[0, 17], [3, 1], [0, 5, 4, 16], [-1, 16], [], [[0, 16]]])
def test_offsets_outside_the_arrays_are_refused(fit, offsets):
    with pytest.raises(ValueError, match=r"offsets must ascend within 0\.\.16"):
        fit(T, BUMP, np.ones(16), offsets)


@every_fit
def test_arrays_of_different_length_are_refused(fit):
    with pytest.raises(ValueError, match="equal length"):
        fit(T, BUMP[:9], np.ones(16), [0, 16])


def test_a_band_array_of_another_length_is_refused():
    with pytest.raises(ValueError, match="band"):
        rainbow_fit(T, [1, 2], BUMP, np.ones(16), [0, 16])


def test_curve_of_very_many_points_is_averaged_first():
    rng = np.random.default_rng(5)
    t = np.sort(rng.uniform(60000, 60060, 100_000))
    flux = 5000 / (1 + np.exp(-(t - 60030) / 4)) + rng.normal(0, 50, len(t))
    found = sigmoid_fit(t, flux, np.full(len(t), 50.0), [0, len(t)])
    assert found.t0[0] == pytest.approx(60030, abs=0.02) and found.rise_time[0] == pytest.approx(4, rel=0.01)
    assert found.n_points[0] == 100_000 and found.is_converged[0]
