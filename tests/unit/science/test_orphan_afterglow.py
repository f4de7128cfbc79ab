"""Power laws by hand, and what fades otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers
from simulated_curves import simulated

from redpoll.science.orphan_afterglow import orphan_afterglow


def afterglow(seen, limit, decay=1.2, bands="gr", colour=0.4, times=(0.2, 0.6, 1.2, 2.1)):
    """A burst at time 0, with a limit just before it."""
    points = [limit("g", -0.1, 21.0)]
    for t in times:
        for b, band in enumerate(bands):
            points.append(
                seen(band, t + 0.02 * b, 18 - colour * b + 2.5 * decay * np.log10((t + 0.02 * b) / 0.2), 0.03)
            )
    return points


def test_decay_and_fade_are_those_put_in(curves, seen, limit):
    found = answers(orphan_afterglow, light_curve=curves(afterglow(seen, limit)))
    assert found["afterglow_decay"][0] == pytest.approx(1.2, abs=0.15) and found["afterglow_decay_err"][0] < 0.1
    assert found["afterglow_chi2"][0] < 1 and found["afterglow_fade"][0] > 0.5
    assert abs(found["afterglow_chromatic"][0]) < 3 and found["is_orphan_afterglow"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"is_good": False}, {"roid": "candidate"}, {"age": 31.0}, {"reference_mag": 21.0},
        {"star_distance_arcsec": 1.0},
        {"min_decay": 2.0}, {"max_decay": 0.8}, {"min_points": 9}, {"min_bands": 3}, {"min_fade": 2.5},
        {"reference_mag": 21.0, "reference_distance_arcsec": 0.4},
    ],
)  # fmt: skip
def test_one_thing_against_it_is_enough(change, curves, seen, limit):
    assert not answers(orphan_afterglow, light_curve=curves(afterglow(seen, limit)), **change)["is_orphan_afterglow"][0]


def test_a_source_in_the_template_further_away_is_no_host(curves, seen, limit):
    light = curves(afterglow(seen, limit))
    assert answers(orphan_afterglow, light_curve=light, reference_mag=21.0, reference_distance_arcsec=4.0)[
        "is_orphan_afterglow"
    ][0]


def test_bands_that_fade_at_different_speeds_are_chromatic(curves, seen, limit):
    both = afterglow(seen, limit, 1.0, "g") + afterglow(seen, limit, 2.2, "r")[1:]
    found = answers(orphan_afterglow, light_curve=curves(sorted(both, key=lambda p: p[1])))
    assert found["afterglow_chromatic"][0] > 3 and not found["is_orphan_afterglow"][0]


def test_one_band_few_points_or_none_are_not_fitted(curves, seen, limit):
    few = afterglow(seen, limit, times=(0.2, 0.6))
    found = answers(orphan_afterglow, 3, light_curve=curves(afterglow(seen, limit, bands="g"), few, []))
    assert all(np.isnan(found[name]).all() for name in found if name.startswith("afterglow"))
    assert not found["is_orphan_afterglow"].any()


def test_only_what_follows_the_brightest_point_is_fitted(curves, seen, limit):
    rise = [seen("g", 0.05, 20.0), seen("r", 0.07, 19.5)]
    light = afterglow(seen, limit)
    found = answers(orphan_afterglow, light_curve=curves([light[0], *rise, *light[1:]]))
    assert found["afterglow_fade"][0] == pytest.approx(
        answers(orphan_afterglow, light_curve=curves(light))["afterglow_fade"][0], rel=1e-6
    )


@pytest.mark.parametrize("name", ["sn_ia", "sn_ii", "tde", "agn"])
def test_what_fades_slowly_is_none(name):
    light, about = simulated(name, 300, days=30.0, step=1.0, seed=4)
    found = answers(orphan_afterglow, len(light), light_curve=light, age=about["age"].tolist())
    assert found["is_orphan_afterglow"].mean() < 0.02


@pytest.mark.parametrize("sigma, is_known", [(0.0, True), (4.9, True), (5.1, False)])
def test_a_forced_point_without_flux_limits_the_time_of_the_burst_as_an_upper_limit_does(
    sigma, is_known, curves, seen, limit
):
    burst = afterglow(seen, limit)
    err = burst[0][3]
    forced = [("g", burst[0][1], sigma * err, err, "forced"), *burst[1:]]
    of_limit, of_forced, of_none = (
        answers(orphan_afterglow, light_curve=curves(points)) for points in (burst, forced, burst[1:])
    )
    expected = of_limit if is_known else of_none
    assert (
        of_forced["afterglow_decay"][0]
        == expected["afterglow_decay"][0]
        != (of_none if is_known else of_limit)["afterglow_decay"][0]
    )


def power_law(seen, decay, times=(0.2, 0.6, 1.2, 2.1), bands="gr", mag_err=0.03, noise=(), mjd=100.0, mag=18.0):
    """Detections at equal times in each band, fading as a power law of the time since a burst at a date."""
    added = dict(zip(times, noise, strict=False))
    index = dict.fromkeys(bands, decay) if np.isscalar(decay) else dict(zip(bands, decay, strict=True))
    return [
        seen(band, mjd + t, mag + 2.5 * index[band] * np.log10(t / times[0]) + added.get(t, 0.0), mag_err)
        for t in times
        for band in bands
    ]


@pytest.fixture
def fit(curves, limit):
    """``fit(points, ...)``: what the module answers where an upper limit marks the time of the burst."""
    return lambda points, **columns: {
        name: values[0]
        for name, values in answers(
            orphan_afterglow, light_curve=curves([limit("g", 100.0, 30.0), *points]), **columns
        ).items()
    }


@pytest.mark.parametrize(
    ("inside", "outside"),
    [({"decay": 0.61}, {"decay": 0.59}), ({"decay": 3.99}, {"decay": 4.01})],
)
def test_both_sides_of_the_decays(inside, outside, fit, seen):
    assert [fit(power_law(seen, **x))["is_orphan_afterglow"] for x in (inside, outside)] == [True, False]


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ({"age": 30.0}, {"age": 30.01}), ({"star_distance_arcsec": 1.5}, {"star_distance_arcsec": 1.499}),
        ({"reference_mag": 20.0, "reference_distance_arcsec": 1.5},
         {"reference_mag": 20.0, "reference_distance_arcsec": 1.499}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_columns(inside, outside, fit, seen):
    found = [fit(power_law(seen, 1.0), **change)["is_orphan_afterglow"] for change in (inside, outside)]
    assert found == [True, False]


@pytest.mark.parametrize(("fade", "is_it"), [(0.1501, True), (0.1499, False)])
def test_both_sides_of_the_fading(fade, is_it, fit, seen):
    """The fading in mag/d is inversely proportional to the times."""
    times = np.array([0.2, 0.6, 1.2, 2.1])
    slower = times * fit(power_law(seen, 0.7))["afterglow_fade"] / fade
    assert fit(power_law(seen, 0.7, tuple(slower)))["is_orphan_afterglow"] == is_it


@pytest.mark.parametrize(("chi2", "is_it"), [(3.99, True), (4.01, False)])
def test_both_sides_of_the_reduced_chi2(chi2, is_it, fit, seen):
    """The chi2 of a given scatter is inversely proportional to the square of the errors."""
    noise = {"decay": 1.0, "noise": (0.0, 0.05, -0.05, 0.02)}
    error = 0.03 * np.sqrt(fit(power_law(seen, **noise))["afterglow_chi2"] / chi2)
    found = fit(power_law(seen, **noise, mag_err=error))
    assert found["afterglow_chi2"] == pytest.approx(chi2, rel=1e-4) and found["is_orphan_afterglow"] == is_it


@pytest.mark.parametrize(("chromatic", "is_it"), [(2.99, True), (3.01, False)])
def test_both_sides_of_the_chromatic_limit(chromatic, is_it, fit, seen):
    """The gain of chi2 by a second slope, chromatic * sqrt(2) + 1, depends on the errors as chi2 does."""
    gain = fit(power_law(seen, (1.0, 1.2)))["afterglow_chromatic"] * np.sqrt(2) + 1
    found = fit(power_law(seen, (1.0, 1.2), mag_err=0.03 * np.sqrt(gain / (chromatic * np.sqrt(2) + 1))))
    assert found["afterglow_chromatic"] == pytest.approx(chromatic, rel=1e-4) and found["is_orphan_afterglow"] == is_it


def test_numbers_of_exactly_the_limits_pass(fit, seen):
    points = power_law(seen, (1.0, 1.05), noise=(0.0, 0.03))
    found = fit(points)
    assert found["is_orphan_afterglow"] and found["afterglow_chromatic"] > 0
    for setting, name in {"min_decay": "decay", "max_decay": "decay", "min_fade": "fade", "max_chi2": "chi2",
                          "max_chromatic": "chromatic"}.items():  # fmt: skip
        assert fit(points, **{setting: found[f"afterglow_{name}"]})["is_orphan_afterglow"], setting
        below = found[f"afterglow_{name}"] + (1e-9 if setting.startswith("min") else -1e-9)
        assert not fit(points, **{setting: below})["is_orphan_afterglow"], setting


@pytest.mark.parametrize(
    ("g", "r", "settings", "is_fitted"),
    [
        (3, 2, {}, True), (2, 2, {}, False), (4, 1, {}, True), (5, 0, {}, False), (5, 0, {"min_bands": 1}, True),
        (3, 0, {"min_points": 1, "min_bands": 1}, True), (2, 0, {"min_points": 1, "min_bands": 1}, False),
        (3, 1, {"min_points": 1}, True), (2, 1, {"min_points": 1}, False), (4, 0, {"min_points": 1}, False),
        (0, 0, {"min_points": 0, "min_bands": 0}, False),
    ],
)  # fmt: skip
def test_how_many_points_and_bands_are_fitted(g, r, settings, is_fitted, fit, seen):
    times = (0.2, 0.6, 1.2, 2.1, 3.0)
    points = power_law(seen, 1.0, times[:g], "g") + power_law(seen, 1.0, times[:r], "r", mag=18.5)
    assert np.isfinite(fit(sorted(points, key=lambda p: p[1]), **settings)["afterglow_decay"]) == is_fitted


@pytest.mark.parametrize("k", [0, 1, 12, 22, 23])
def test_the_burst_is_at_one_of_24_times_in_the_five_days_before_the_first_detection(k, curves, seen):
    lead = 5.0 * 10 ** (-3 * k / 23)
    points = power_law(seen, 1.3, tuple(lead * np.array([1.0, 2.0, 5.0, 9.0])), mag_err=0.001)
    found = answers(orphan_afterglow, light_curve=curves(points))
    assert found["afterglow_decay"][0] == pytest.approx(1.3, abs=1e-3) and found["afterglow_chi2"][0] < 0.1


def test_an_upper_limit_at_the_time_of_the_first_detection_is_not_before_it(curves, seen, limit):
    points = power_law(seen, 1.2)
    light = curves([limit("g", 100.0, 30.0), limit("i", 100.2, 20.0), *points])
    assert answers(orphan_afterglow, light_curve=light)["afterglow_decay"][0] == pytest.approx(1.2, abs=1e-4)


def test_the_first_of_two_brightest_points_begins_the_fading(curves, seen):
    mags = {0.5: 18.0, 1.0: 18.0, 2.0: 19.0, 3.0: 20.0}
    points = [seen(band, t, mag + x) for t, mag in mags.items() for band, x in (("g", 0.0), ("r", 0.2))]
    slope = np.polyfit(list(mags), list(mags.values()), 1)[0]
    assert answers(orphan_afterglow, light_curve=curves(points))["afterglow_fade"][0] == pytest.approx(slope, rel=1e-5)


def test_a_point_without_an_error_does_not_count(curves, seen):
    first, *rest = power_law(seen, 1.0, mag=29.0)
    bare, sharp = (curves([(*first[:3], error, *first[4:]), *rest[:n]]) for error, n in ((0.0, 4), (0.5, 4)))
    assert np.isnan(answers(orphan_afterglow, light_curve=bare)["afterglow_decay"][0])
    assert np.isfinite(answers(orphan_afterglow, light_curve=sharp)["afterglow_decay"][0])
    more = curves([(*first[:3], 0.0, *first[4:]), *rest])
    assert np.isfinite(answers(orphan_afterglow, light_curve=more)["afterglow_decay"][0])


def by_the_definition(points, earliest):
    """Decay, its error, reduced chi2, fade and chromatic number, by weighted least squares for each start."""
    band, mjd, flux, flux_err, _ = (np.array(column) for column in zip(*points, strict=True))
    mag, weight = 31.4 - 2.5 * np.log10(flux), flux / flux_err / (2.5 / np.log(10))
    zero_points = (band[:, None] == np.unique(band)).astype(float)

    def line(x, use):
        matrix = np.column_stack([x, zero_points])[use] * weight[use, None]
        matrix = matrix[:, np.abs(matrix).sum(axis=0) > 0]
        best = np.linalg.lstsq(matrix, (mag * weight)[use])[0]
        chi2 = np.sum((matrix @ best - (mag * weight)[use]) ** 2)
        return chi2, best[0], np.sqrt(np.linalg.pinv(matrix.T @ matrix)[0, 0])

    everything = np.ones(len(mjd), bool)
    starts = mjd.min() - (mjd.min() - earliest) * 10 ** (-3 * np.arange(24) / 23)
    (chi2, slope, err), start = min((line(np.log10(mjd - start), everything), start) for start in starts)
    fitted = [band == b for b in np.unique(band) if np.sum(band == b) > 1]
    apart, extra = sum(line(np.log10(mjd - start), use)[0] for use in fitted), len(fitted) - 1
    degrees = len(mjd) - len(np.unique(band)) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        chromatic = (chi2 - apart - extra) / np.sqrt(2 * extra) if extra else np.nan
    return [slope / 2.5, err / 2.5, chi2 / degrees, line(mjd - mjd.min(), everything)[1], chromatic]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bands", ["gggg", "grgrgrgr", "ggrrggrrii", "gggrgi"])
def test_it_is_what_the_definition_gives(bands, seed, fit, seen):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0.3, 9.0, len(bands)))
    mags = 18.0 + 2.5 * np.log10(times / times[0]) + rng.normal(0.0, 0.2, len(bands)).clip(0.0)
    points = [
        seen(b, 100.0 + t, m, e) for b, t, m, e in zip(bands, times, mags, rng.choice([0.1, 1.0], 99), strict=False)
    ]
    found = fit(points, min_points=1, min_bands=1)
    names = ("decay", "decay_err", "chi2", "fade", "chromatic")
    expected = by_the_definition(points, 100.0)
    assert [found[f"afterglow_{name}"] for name in names] == pytest.approx(expected, rel=1e-4, abs=1e-6, nan_ok=True)
