"""Periods: against astropy's periodograms, on curves with known periods, on noise, and on real RR Lyrae stars."""

from __future__ import annotations

import numpy as np
import pandas
import pytest
from astropy.timeseries import LombScargle
from scipy.special import gammaln
from scipy.stats import beta

from redpoll.astro.periodogram import one_harmonic, padded
from redpoll.astro.periods import log10_false_alarm, multiband_periodogram, multiband_periods


def sines(periods, days, n=(30, 30), amplitude=0.3, seed=1, shape=0.0):
    """One curve a period, with points in g and r by night: times, magnitudes, errors, bands, offsets."""
    rng = np.random.default_rng(seed)
    size = (len(periods), sum(n))
    t = 59_000 + np.floor(rng.uniform(0, days, size)) + rng.uniform(0, 0.35, size)
    band = np.broadcast_to(np.repeat([1, 2], n), size)
    phase = 2 * np.pi * (t / np.asarray(periods)[:, None] + 0.03 * band)
    err = rng.uniform(0.02, 0.06, size)
    signal = amplitude * (1.3 - 0.3 * band) * (np.sin(phase) + shape * np.sin(2 * phase))
    mag = 18 + 0.4 * band + signal + err * rng.normal(size=size)
    return t.ravel(), mag.ravel(), err.ravel(), band.ravel(), np.arange(len(periods) + 1) * size[1]


@pytest.mark.parametrize("n_harmonics", [1, 2])
def test_power_of_one_band_is_astropys(n_harmonics):
    t, y, err, band, _ = sines([0.57], 900, n=(0, 40))
    frequency = 0.01 + 0.0037 * np.arange(1500)
    alone = LombScargle(t, y, err, nterms=n_harmonics).power(frequency, method="chi2")
    found = multiband_periodogram(t, y, err, band, (0.01, 0.0037, 1500), n_harmonics=n_harmonics)
    np.testing.assert_allclose(found, alone, atol=1e-9)


def test_rotations_do_not_drift():
    t, y, err, band, _ = sines([0.57], 4000, n=(0, 60))
    found = multiband_periodogram(t, y, err, band, (0.0005, 5e-5, 400_000))
    frequency = 0.0005 + 5e-5 * np.arange(400_000 - 500, 400_000)
    expected = LombScargle(t, y, err).power(frequency, method="chi2")
    np.testing.assert_allclose(found[-500:], expected, atol=1e-9)


def test_false_alarm_probability_is_astropys_for_one_band():
    t, y, err, band, _ = sines([0.57], 900, n=(30, 0), amplitude=0.05)
    found = multiband_periods(t, y, err, band, [0, 30])
    mean = np.average(y, weights=err**-2)
    floor = 0.2 * np.sqrt(np.sum((y - mean) ** 2) / 29)
    search = LombScargle(t, y, np.hypot(err, floor))
    grid = 0.5 / np.ptp(t) + np.arange(4 * found.n_frequencies[0]) / (12 * np.ptp(t))
    highest = grid[search.power(grid).argmax()]
    top = search.power(highest + np.linspace(-1, 1, 41) / (12 * np.ptp(t))).max()
    expected = search.false_alarm_probability(top, method="baluev", maximum_frequency=20)
    assert found.log10_fap[0] == pytest.approx(np.log10(expected), abs=3e-3)


@pytest.mark.parametrize("n", [(30, 0), (30, 30), (12, 10)])
def test_white_noise_alarms_as_often_as_stated(n):
    rng, n_curves = np.random.default_rng(8), 600
    t, _, err, band, offsets = sines(np.ones(n_curves), 25, n=n)
    t = rng.uniform(0, 25, t.size)
    noise = 5 * err * rng.normal(size=t.size)  # the errors given are too small by five
    found = multiband_periods(t, noise, err, band, offsets, shortest=0.2, oversampling=10)
    for level in (0.1, 0.01):
        fraction = np.mean(found.log10_fap < np.log10(level))
        assert fraction < level + 3 * np.sqrt(level / n_curves)  # an upper bound
    assert np.mean(found.log10_fap < -1) > 0.033  # and a close one


@pytest.mark.parametrize("period", [0.34, 0.67, 1.94, 2.05, 3.3])
def test_only_faint_blocks_get_the_classical_periodogram(period):
    """Points at one hour of the night favour one phase near 1 and 2 d, where the classical periodogram is too low."""
    rng = np.random.default_rng(3)
    t = np.sort(rng.choice(120, 52, replace=False) + rng.uniform(-0.06, 0.06, 52)) - 60
    y = np.sin(2 * np.pi * (t / period + 0.1)) + 0.1 * rng.normal(size=52)
    y -= y.mean()
    start, step, n = 0.5 / np.ptp(t), 0.3 / np.ptp(t), padded(int(30 * np.ptp(t)))
    found = np.empty(n)
    one_harmonic(np.array([t, y, np.full(52, 1 / 52)]), 1.0, start, step, found)
    frequency = start + step * np.arange(n)
    exact = LombScargle(t, y).power(frequency, normalization="psd", method="chi2") * 2 / 52
    classical = 2 * np.abs(np.exp(2j * np.pi * np.outer(frequency, t)) @ y / 52) ** 2
    is_exact = np.isclose(found, exact, atol=1e-5)
    assert is_exact[classical > 0.4 * found.max()].all()
    assert found.argmax() == exact.argmax()
    assert np.mean(~is_exact) > 0.1
    np.testing.assert_allclose(found[~is_exact], classical[~is_exact], atol=1e-5)


def test_certain_and_impossible_peaks_have_finite_chances():
    assert np.isfinite(log10_false_alarm([0.0, 1.0], 1000.0, 4, 30)).all()
    assert log10_false_alarm(0.0, 1000.0, 4, 30) == pytest.approx(0.0)


@pytest.mark.parametrize("period", [0.06, 0.31, 0.57, 3.3, 41.0, 160.0])
def test_period_and_amplitudes_are_found(period):
    found = multiband_periods(*sines([period] * 20, 400))
    pull = (found.period - period) / found.period_err
    assert np.mean(np.abs(pull) < 4) == 1.0 and 0.4 < np.sqrt(np.mean(pull**2)) < 1.7
    np.testing.assert_allclose(found.amplitude[:, 1:3], np.array([[0.3, 0.21]] * 20), atol=0.06)
    assert np.isnan(found.amplitude[:, [0, 3, 4, 5]]).all() and (found.log10_fap < -15).all()


def test_two_harmonics_find_what_one_takes_for_half_the_period():
    t, y, err, band, offsets = sines([0.57] * 10, 400, shape=2.0)
    step, n = 1 / 2000.0, 20_000
    one = multiband_periodogram(t[:60], y[:60], err[:60], band[:60], (step, step, n))
    assert 1 / (step * (1 + one.argmax())) == pytest.approx(0.285, rel=1e-3)
    np.testing.assert_allclose(multiband_periods(t, y, err, band, offsets).period, 0.57, rtol=1e-3)


def test_a_sine_is_not_taken_for_two_waves_of_twice_its_period():
    found = multiband_periods(*sines(np.linspace(0.3, 0.9, 30), 60, n=(15, 15)))
    np.testing.assert_allclose(found.period, np.linspace(0.3, 0.9, 30), rtol=1e-3)


def test_the_daily_alias_is_named_and_weighed():
    t, y, err, band, offsets = sines([0.57] * 10, 400)
    found = multiband_periods(t, y, err, band, offsets)
    turns = 1 / found.alias_period[:, None] - np.array([[1, -1]]) / found.period[:, None]
    assert (np.abs(np.abs(turns)[..., None] - [1, 1.0027, 2, 2.0054]).min(axis=(1, 2)) < 0.004).all()
    assert (found.alias_margin > 2).all() and (found.alias_power < found.power).all()
    same_time = multiband_periods(59_000 + np.floor(t - 59_000) + 0.3, y, err, band, offsets, shortest=0.3)
    assert (same_time.alias_margin < 0.01).all()  # the best and its alias are the same model


def test_a_period_of_the_sampling_itself_is_shown():
    rng = np.random.default_rng(1)
    t = 59_000.2 + np.sort(rng.choice(300, 60, replace=False)) + rng.uniform(0, 0.03, 60)
    trend = 18 + 0.02 * (t - t[0]) + 0.02 * rng.normal(size=60)
    found = multiband_periods(t, trend, np.full(60, 0.02), np.ones(60), [0, 60], shortest=0.6)
    assert found.window_power[0] > 0.5 or found.period[0] > 60
    assert multiband_periods(*sines([0.57], 400)).window_power[0] < 0.2


def test_the_second_period_is_another_peak():
    found = multiband_periods(*sines([0.57] * 10, 400))
    assert (np.abs(1 / found.second_period - 1 / found.period) > 1.5 / 401).all()
    assert (found.second_power <= found.power).all() and (found.second_margin >= 0).all()


def test_unknown_points_do_not_count():
    t, y, err, band, _ = sines([0.57], 400)
    bad = [(np.nan, 1.0, 1.0, 1), (t[0], np.inf, 1.0, 1), (t[0], 1.0, 0.0, 1), (t[0], 1.0, 1.0, -1), (0.0, 1.0, 1.0, 6)]
    bad.append((t[0], 1.0, 1.0, 257))
    more = [np.append(x, v) for x, v in zip((t, y, err, band), zip(*bad, strict=True), strict=True)]
    for one, other in zip(multiband_periods(t, y, err, band, [0, 60]), multiband_periods(*more, [0, 66]), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "t, y",
    [
        ([], []),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 1.0]),
        (np.full(20, 5.0), np.arange(20.0)),
        (np.arange(20.0) / 1000, np.arange(20.0)),  # too short for the shortest period
        (np.linspace(0, 1e9, 20), np.arange(20.0)),  # too many frequencies
        (np.arange(20.0), np.ones(20)),
    ],
)
def test_no_search_no_answer(t, y):
    found = multiband_periods(t, y, np.ones(len(t)), np.ones(len(t)), [0, len(t)])
    assert all(np.isnan(x).all() for x in found if x.dtype == float) and found.n_frequencies.tolist() == [0]


@pytest.mark.parametrize(
    "options", [{"shortest": [0.1, 0.0]}, {"oversampling": 0.5}, {"n_bands": 0}, {"min_cycles": 0}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="must be positive; oversampling at least 1"):
        multiband_periods([1.0, 2.0], [1.0, 1.0], [1.0, 1.0], [1, 1], [0, 1, 2], **options)
    with pytest.raises(ValueError, match="n_harmonics must be 1 or 2, not 3"):
        multiband_periodogram([], [], [], [], (0.1, 0.1, 1), n_harmonics=3)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="equal length"):
        multiband_periods([1.0], [1.0, 2.0], [1.0], [1], [0, 1])
    with pytest.raises(ValueError, match="offsets must ascend from 0 to 1"):
        multiband_periods([1.0], [1.0], [1.0], [1], [0, 2])
    for offsets in ([0, 2, 1, 3], [1, 3], [], [[0, 3]]):
        with pytest.raises(ValueError, match="offsets must ascend from 0 to 3"):
            multiband_periods([1.0] * 3, [1.0] * 3, [1.0] * 3, [1] * 3, offsets)


def test_real_rr_lyrae_stars_have_their_published_periods(data_dir):
    """Sesar et al. 2010 found them with templates; nine years of SDSS in all five bands."""
    table = pandas.read_parquet(data_dir / "labelled" / "sdss_s82_rrlyrae.parquet")
    truth = pandas.read_csv(data_dir / "labelled" / "sdss_s82_rrlyrae_periods.csv").astype({"objectId": str})
    truth = truth.set_index("objectId").period_days
    table = table[(table.mag < 50) & (table.magerr < 5)].astype({"objectId": str})
    table = table[table.objectId.isin(truth.index)].sort_values(["objectId", "time"])
    offsets = np.append(0, table.groupby("objectId").size().cumsum())
    band = table.band.map({name: code for code, name in enumerate("ugriz")}).to_numpy()
    found = multiband_periods(table.time, table.mag, table.magerr, band, offsets, shortest=0.15)
    is_right = np.abs(found.period / truth[table.objectId.unique()].to_numpy() - 1) < 1e-3
    margin = np.fmin(found.second_margin, found.alias_margin)
    assert is_right.mean() >= 0.87 and (found.log10_fap < -4).all()
    assert is_right[margin > 2].mean() >= 0.95 and np.mean(margin > 2) > 0.6
    assert is_right[margin < 1].mean() < 0.8  # it does tell the sure from the unsure


def _lstsq_power(t, y, err, band, frequency, n_harmonics):
    """The slow twin: a design matrix of the bands' means and the harmonics that they share."""
    means = (band[:, None] == np.unique(band)).astype(float)
    left = []
    for columns in (means, *(np.hstack([means, _harmonics(t, f, n_harmonics)]) for f in frequency)):
        a, b = columns / err[:, None], y / err
        left.append(np.sum((b - a @ np.linalg.lstsq(a, b)[0]) ** 2))
    return 1 - np.array(left[1:]) / left[0]


def _harmonics(t, f, n_harmonics):
    angles = 2 * np.pi * f * (t - t.mean())[:, None] * np.arange(1, n_harmonics + 1)
    return np.hstack([np.cos(angles), np.sin(angles)])


@pytest.mark.parametrize("n_harmonics", [1, 2])
def test_shared_harmonics_are_those_of_a_least_squares_fit(n_harmonics):
    t, y, err, band, _ = sines([0.57], 300, n=(9, 14))
    band = np.where(np.arange(23) == 0, 4, band)  # one point alone says nothing
    frequency = 0.01 + 0.021 * np.arange(400)
    found = multiband_periodogram(t, y, err, band, (0.01, 0.021, 400), n_harmonics=n_harmonics)
    kept = slice(1, None)
    slow = _lstsq_power(t[kept], y[kept], err[kept], band[kept], frequency, n_harmonics)
    np.testing.assert_allclose(found, slow, atol=1e-8)


def test_points_of_one_visit_count_once():
    """Bands at the same time, as those of SDSS, do not make the best period any surer."""
    t, y, err, _, _ = sines([0.57], 200, n=(24, 0), amplitude=0.1)
    rng = np.random.default_rng(2)
    more = [np.concatenate([x] * 4) for x in (t, y, err)]
    more[1] = more[1] + 1e-4 * rng.normal(size=96)
    one = multiband_periods(t, y, err, np.full(24, 1), [0, 24])
    four = multiband_periods(*more, np.repeat([1, 2, 3, 4], 24), [0, 96])
    assert four.second_margin[0] == pytest.approx(one.second_margin[0], rel=0.05)
    apart = multiband_periods(more[0] + np.repeat([0.0, 200, 400, 600], 24), *more[1:], np.ones(96), [0, 96])
    assert apart.second_margin[0] > 2 * one.second_margin[0]


@pytest.mark.parametrize("d", [2, 4, 6])
def test_the_chance_at_one_frequency_is_that_of_a_beta_distribution(d):
    """With no range of frequencies nothing is left but the tail of the distribution (scipy's)."""
    power, free = np.array([0.05, 0.3, 0.6, 0.9]), 27.0
    found = log10_false_alarm(power, 1e-30, d, free)
    np.testing.assert_allclose(found, np.log10(beta.sf(power, d / 2, free / 2)), rtol=1e-6)


def test_the_margins_count_each_visit_once():
    """Half the visits without five, times the logarithm of the ratio of what is left unexplained."""
    rng = np.random.default_rng(1)
    t = 1.5 * np.arange(40) + rng.uniform(0, 1, 40)
    y = np.sin(2 * np.pi * t / 0.7) + rng.normal(0, 0.3, 40)
    found = multiband_periods(t, y, np.full(40, 0.3), np.ones(40), [0, 40], shortest=0.3, oversampling=1.0)
    for margin, power in ((found.second_margin, found.second_power), (found.alias_margin, found.alias_power)):
        np.testing.assert_allclose(margin, 0.5 * 35 * np.log10((1 - power) / (1 - found.power)))
    assert found.alias_power < found.second_power - 0.1


def test_a_periodogram_of_no_frequencies_is_empty():
    t = np.arange(20.0) * 0.77
    assert multiband_periodogram(t, np.sin(t), np.ones(20), np.ones(20), (0.1, 0.03, 0)).shape == (0,)


@pytest.mark.parametrize("length", [20.01, 20.023])
def test_the_grid_is_as_fine_and_as_long_as_documented(length):
    """From half a cycle in all to 20 a day, in steps of a third of a cycle in all."""
    t = np.linspace(0, length, 8)
    found = multiband_periods(t, np.sin(t), np.full(8, 0.1), np.ones(8), [0, 8])
    assert found.n_frequencies[0] == np.floor((20 - 0.5 / length) * 3 * length) + 1


def test_no_more_than_two_million_frequencies_are_searched():
    for length, n in ((33333.35, 2_000_000), (33333.37, 0)):
        t = np.array([0.0, 10, 300, 4000, 9000, 20_000, length])
        found = multiband_periods(t, np.sin(t), np.ones(7), np.ones(7), [0, 7])
        assert found.n_frequencies[0] == n


def test_each_curve_has_its_own_shortest_period():
    t, y, err, band, offsets = sines([0.57, 0.57], 20)
    found = multiband_periods(t, y, err, band, offsets, shortest=[0.3, 0.6])
    assert found.n_frequencies[0] > 1.9 * found.n_frequencies[1] and found.period[1] >= 0.6 * (1 - 1e-3)


def test_bands_are_those_of_six_codes_unless_asked():
    t, y, err, band, _ = sines([0.57], 100)
    alone = multiband_periods(t, y, err, band + 3, [0, 60])
    assert np.isfinite(alone.amplitude[0]).tolist() == [False] * 4 + [True] * 2
    power = multiband_periodogram(t, y, err, band + 3, (1.7, 0.01, 9))
    more = np.append(t, t), np.append(y, 3 * y[::-1]), np.append(err, err), np.append(band + 3, np.full(60, 6))
    np.testing.assert_array_equal(multiband_periodogram(*more, (1.7, 0.01, 9)), power)
    assert multiband_periods(*more, [0, 120]).power == alone.power
    assert multiband_periods(t, y, err, band - 1, [0, 60], n_bands=2).power == alone.power
    one = multiband_periods(t, y - 0.4 * band, err, np.zeros(60), [0, 60], n_bands=1)
    assert one.amplitude.shape == (1, 1) and one.amplitude[0, 0] == pytest.approx(0.25, abs=0.05)


def test_the_amplitude_is_that_of_a_sine_even_of_few_points():
    """The second harmonic does not add to it; four points have one."""
    t, y, err, band, _ = sines([0.57], 100, n=(26, 4), shape=0.5)
    found = multiband_periods(t, y, err, band, [0, 30])
    for b in (1, 2):
        angle, one = 2 * np.pi * t[band == b] / found.period[0], 1 / err[band == b]
        columns = np.stack([one, one * np.cos(angle), one * np.sin(angle)], axis=1)
        _, c, s = np.linalg.lstsq(columns, one * y[band == b])[0]
        assert found.amplitude[0, b] == pytest.approx(np.hypot(c, s), rel=1e-4)


@pytest.mark.parametrize("n_visits", [4, 5])
def test_as_many_visits_as_parameters_have_no_margin(n_visits):
    rng = np.random.default_rng(9)
    t = np.array([0.0, 3.1, 7.7, 12.4, 20.0])[np.arange(8) % n_visits] + 0.001 * np.arange(8)
    found = multiband_periods(t, rng.normal(size=8), np.full(8, 0.3), np.ones(8), [0, 8], shortest=1.0)
    assert found.second_margin[0] == 0.0 and abs(found.second_power[0] - found.power[0]) > 1e-4


def test_the_margin_of_a_perfect_fit_is_finite():
    """No more than if 1e-15 of the variance were left."""
    rng = np.random.default_rng(4)
    t = 1.5 * np.arange(40) + rng.uniform(0, 1, 40)
    found = multiband_periods(t, np.sin(2 * np.pi * t / 0.7), np.full(40, 0.3), np.ones(40), [0, 40], shortest=0.3)
    rest = np.log10(np.maximum(1 - found.power, 1e-15))
    np.testing.assert_allclose(found.second_margin, 0.5 * 35 * (np.log10(1 - found.second_power) - rest), rtol=1e-6)
    assert found.power[0] > 1 - 1e-9


def test_a_certain_peak_has_the_chance_of_a_nearly_certain_one():
    assert log10_false_alarm(1.0, 1e-300, 2, 27) == pytest.approx(13.5 * -15, abs=0.2)


@pytest.mark.parametrize("width", [1.0, 1000.0])
def test_the_chance_in_a_search_is_that_of_baluev(width):
    """No alarm at one frequency and no crossing of the level elsewhere; for several numbers of coefficients at once."""
    power, d, free = np.meshgrid([0.05, 0.3, 0.6, 0.9, 0.99], [2.0, 4.0, 6.0], [3.0, 27.0], indexing="ij")
    constant = gammaln((free + d) / 2) - gammaln(d / 2) - gammaln((free + 1) / 2)
    crossings = width * np.exp(constant) * power ** ((d - 1) / 2) * (1 - power) ** ((free - 1) / 2)
    expected = -np.expm1(np.log1p(-beta.sf(power, d / 2, free / 2)) - crossings)
    is_large = expected > 1e-12
    found = log10_false_alarm(power, width, d, free)
    np.testing.assert_allclose(found[is_large], np.log10(expected[is_large]), rtol=1e-4, atol=1e-6)
    assert is_large.sum() > 20


def test_without_free_points_there_is_no_chance():
    assert np.isnan(log10_false_alarm(0.5, 1000.0, 2, [-1.0, -2.0])).all()


def test_the_power_does_not_depend_on_the_unit_of_the_errors():
    t, y, err, band, _ = sines([0.57], 100)
    grid = (0.1, 0.01, 300)
    large = multiband_periodogram(t, y, 1e3 * err, band, grid)
    np.testing.assert_allclose(large, multiband_periodogram(t, y, err, band, grid), rtol=1e-9)
    assert np.isnan(multiband_periodogram(t, np.full(60, 18.0), err, band, grid)).all()
