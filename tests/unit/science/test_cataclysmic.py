"""Outbursts by hand, and the simulator's against everything else that varies."""

from __future__ import annotations

import numpy as np
import pytest
from rule_inputs import answers
from simulated_curves import simulated

from redpoll.science.cataclysmic import cataclysmic
from redpoll.science.colour import colour

ON_STAR = {"star_score": 0.95, "star_distance_arcsec": 0.3, "reference_mag": 20.0, "reference_distance_arcsec": 0.3}


def outburst(seen, limit):
    return [limit("g", 0, 19.5), seen("g", 1, 17.5), seen("g", 2, 16.5), seen("g", 3, 16.4)]


def test_amplitude_is_above_the_star_and_rise_the_fastest(curves, seen, limit):
    found = answers(cataclysmic, light_curve=curves(outburst(seen, limit)), **ON_STAR)
    total = 10 ** (-0.4 * 16.4) + 10 ** (-0.4 * 20.0)
    assert found["outburst_amplitude"][0] == pytest.approx(20 + 2.5 * np.log10(total), abs=1e-4)
    before, after = 10 ** (-0.4 * 19.5) + 10 ** (-0.4 * 20.0), 10 ** (-0.4 * 17.5) * (1 - 2 * 0.05 / 1.0857) + 1e-8
    assert found["outburst_rise"][0] == pytest.approx(2.5 * np.log10(after / before), abs=1e-3)
    assert found["is_dwarf_nova"][0] and not found["outburst_amplitude_is_limit"][0]


def test_an_unseen_star_bounds_the_amplitude_by_the_deepest_limit(curves, seen, limit):
    found = answers(cataclysmic, light_curve=curves([limit("g", -1, 20.4), *outburst(seen, limit)]), colour_g_r=0.0)
    assert found["outburst_amplitude"][0] == pytest.approx(4.0, abs=1e-3) and found["outburst_amplitude_is_limit"][0]
    assert found["is_dwarf_nova"][0]


def test_forced_photometry_without_a_signal_is_a_limit(curves, seen):
    noise = float(10 ** (0.4 * (31.4 - 20.4)) / 3)
    forced = ("g", 0, 0.0, noise, "forced")
    found = answers(cataclysmic, light_curve=curves([forced, seen("g", 1, 16.4)]), colour_g_r=0.0)
    assert found["outburst_amplitude"][0] == pytest.approx(4.0, abs=1e-3) and found["is_dwarf_nova"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"is_good": False}, {"roid": "candidate"}, {"colour_g_r": 0.8}, {"star_score": 0.1}, {"reference_mag": 17.0},
        {"min_rise": 3.0}, {"max_rise_days": 0.5}, {"max_amplitude": 3.0},
        {"star_score": 0.5}, {"star_distance_arcsec": 5.0},
    ],
)  # fmt: skip
def test_one_thing_against_it_is_enough(change, curves, seen, limit):
    assert not answers(cataclysmic, light_curve=curves(outburst(seen, limit)), **(ON_STAR | change))["is_dwarf_nova"][0]


def test_a_rise_is_seen_across_bands_but_for_what_may_be_colour(curves, seen):
    faint, bright = [seen("g", 0, 18.0, 0.01)], [seen("i", 1, 16.0, 0.01)]
    rise = [
        answers(cataclysmic, light_curve=curves(faint + b))["outburst_rise"][0]
        for b in (bright, [seen("g", 1, 16.0, 0.01)])
    ]
    assert rise[1] == pytest.approx(2.0 - 4 * 0.01, abs=1e-3) and rise[0] == pytest.approx(rise[1] - 0.5, abs=1e-6)


def test_two_epochs_that_noise_may_part_are_no_rise(curves, seen):
    found = answers(cataclysmic, light_curve=curves([seen("g", 0, 19.5, 0.2), seen("g", 0.3, 19.2, 0.2)]))
    assert found["outburst_rise"][0] < 0 and found["outburst_fall"][0] < 0


def test_without_a_catalogue_a_source_that_falls_as_fast_counts_too(curves, seen):
    down = [seen("g", 0, 15.5), seen("g", 1, 16.0), seen("g", 2, 16.5)]
    found = answers(cataclysmic, light_curve=curves(down), reference_mag=20.0)
    assert found["outburst_fall"][0] == pytest.approx(0.5 - 4 * 0.05, abs=0.01) and found["is_dwarf_nova"][0]
    assert not answers(cataclysmic, light_curve=curves(down), reference_mag=20.0, min_fall=0.4)["is_dwarf_nova"][0]


def test_what_lies_in_a_galaxy_is_none_unless_on_a_star(curves, seen, limit):
    light = curves(outburst(seen, limit))
    assert not answers(cataclysmic, light_curve=light, reference_mag=20.0, host_d_dlr=1.0)["is_dwarf_nova"][0]
    assert answers(cataclysmic, light_curve=light, host_d_dlr=1.0, **ON_STAR)["is_dwarf_nova"][0]


def test_without_a_catalogue_a_source_in_the_template_must_rise_fast(curves, seen, limit):
    fast, slow = outburst(seen, limit), [seen("g", 0, 16.5), seen("g", 1, 16.4)]
    found = answers(cataclysmic, 2, light_curve=curves(fast, slow), reference_mag=20.0)
    assert found["is_dwarf_nova"].tolist() == [True, False]


def test_nothing_is_known_of_an_empty_curve(curves):
    found = answers(cataclysmic, light_curve=curves([]), **ON_STAR)
    assert np.isnan(found["outburst_rise"][0]) and not found["is_dwarf_nova"][0]


def test_simulated_outbursts_are_found_and_other_stars_are_not():
    fraction = {}
    for name in ("cataclysmic_variable", "rr_lyrae", "eclipsing_binary", "long_period_variable", "microlensing"):
        light, about = simulated(name, 300, days=12.0, step=1.0, seed=1)
        found = answers(
            cataclysmic, len(light), light_curve=light, reference_mag=about["reference_mag"].tolist(),
            reference_distance_arcsec=0.2, star_score=0.98, star_distance_arcsec=0.2,
            colour_g_r=colour(light)["colour_g_r"].tolist(),
        )  # fmt: skip
        is_large = np.ones(len(light), bool) if name != "cataclysmic_variable" else found["outburst_amplitude"] >= 2
        fraction[name] = found["is_dwarf_nova"][is_large].mean()
    assert fraction.pop("cataclysmic_variable") > 0.85 and max(fraction.values()) < 0.01


ON_STAR_ALONE = {"star_score": 0.95, "star_distance_arcsec": 0.3}
IN_TEMPLATE = {"reference_mag": 30.0, "max_amplitude": 20.0}
BLUE, BLUE_STAR = {"colour_g_r": 0.0}, {**ON_STAR_ALONE, "colour_g_r": 0.0}
QUIET = ("limit", "g", -90.0, 20.4)


def light(curves, seen, limit, *points):
    """A curve of exact detections (band, mjd, mag), limits ("limit", band, mjd, mag) and bare points of fluxes."""
    makers = {3: lambda p: seen(*p, 0.0), 4: lambda p: limit(*p[1:]), 5: lambda p: p}
    return curves([makers[len(point)](point) for point in points])


def change(first, days, mags):
    """A quiet source, and two exact detections in g that lie some days and magnitudes apart."""
    return QUIET, ("g", 0.0, first), ("g", days, first + mags)


@pytest.mark.parametrize(
    ("points", "columns", "inside", "outside"),
    [
        (change(18.0, 1.0, -1.01), ON_STAR_ALONE, {}, {"star_score": 0.599}),
        (change(18.0, 1.0, -1.01), ON_STAR_ALONE, {"star_score": 0.6}, {"star_score": np.nan}),
        (change(18.0, 1.0, -1.01), ON_STAR_ALONE, {"star_distance_arcsec": 1.499}, {"star_distance_arcsec": 1.5}),
        (change(18.0, 1.0, -1.01), ON_STAR_ALONE, {"colour_g_r": 0.2}, {"colour_g_r": 0.201}),
        (change(18.0, 9.0, -0.1), ON_STAR_ALONE, {"colour_g_r": 0.2}, {"colour_g_r": 0.201}),
        (change(18.0, 9.0, -0.1), ON_STAR_ALONE, {"colour_g_r": -0.4}, {"colour_g_r": np.nan}),
        (change(18.0, 1.0, -2.0), BLUE, {}, {"colour_g_r": np.nan}),
        (change(18.0, 1.0, -2.0), BLUE, {"host_d_dlr": 3.0}, {"host_d_dlr": 2.999}),
        (change(18.0, 1.0, -2.0), {**BLUE_STAR, "star_score": 0.5}, {"star_score": 0.4}, {"star_score": 0.399}),
        (change(18.0, 1.0, -2.0), {**BLUE, "star_score": 0.1}, {"star_distance_arcsec": 1.5},
         {"star_distance_arcsec": 1.499}),
        (change(18.0, 1.0, -1.1), IN_TEMPLATE, {}, {"star_distance_arcsec": 9.0}),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_columns(points, columns, inside, outside, curves, seen, limit):
    curve = light(curves, seen, limit, *points)
    found = [
        answers(cataclysmic, light_curve=curve, **columns | more)["is_dwarf_nova"][0] for more in (inside, outside)
    ]
    assert found == [True, False]


@pytest.mark.parametrize(
    ("inside", "outside", "columns"),
    [
        (change(18.0, 1.0, -1.01), change(18.0, 1.0, -0.99), ON_STAR_ALONE),
        (change(17.0, 1.0, 0.255), change(17.0, 1.0, 0.245), ON_STAR_ALONE),
        (change(18.0, 1.0, -1.01), change(18.0, 1.0, -0.99), IN_TEMPLATE),
        (change(17.0, 1.0, 0.255), change(17.0, 1.0, 0.245), IN_TEMPLATE),
        (change(18.0, 1.0, -1.51), change(18.0, 1.0, -1.49), BLUE),
        (change(18.39, 9.0, 0.0), change(18.41, 9.0, 0.0), BLUE_STAR),
        (change(11.41, 9.0, 0.0), change(11.39, 9.0, 0.0), BLUE_STAR),
        # the time from the first detection of 30 days to the first one of 63 % of the maximum
        ((QUIET, ("g", 0, 20.0), ("g", 5.0, 17.0)), (QUIET, ("g", 0, 20.0), ("g", 5.01, 17.0)), BLUE_STAR),
        ((QUIET, ("g", 0, 20.0), ("g", 2, 20.0), ("g", 3.0, 17.0)),
         (QUIET, ("g", 0, 20.0), ("g", 2, 20.0), ("g", 3.01, 17.0)), BLUE),
        ((QUIET, ("g", -0.01, 20.0), ("g", 30.0, 17.0)), (QUIET, ("g", 0.0, 20.0), ("g", 30.0, 17.0)), BLUE_STAR),
        ((QUIET, ("r", 0.0, 20.0), ("g", 10.0, 17.0)), (QUIET, ("g", 0.0, 20.0), ("g", 10.0, 17.0)), BLUE_STAR),
        ((("limit", "g", 0.0, 20.4), ("g", 10.0, 17.0)), (QUIET, ("g", 0.0, 20.0), ("g", 10.0, 17.0)), BLUE_STAR),
        ((QUIET, ("g", 0, 19.0), ("g", 2, 6.3e5, 1.0, "detection"), ("g", 9, 1e6, 1.0, "detection")),
         (QUIET, ("g", 0, 19.0), ("g", 2, 6.299e5, 1.0, "detection"), ("g", 9, 1e6, 1.0, "detection")),
         BLUE_STAR),
    ],
)  # fmt: skip
def test_both_sides_of_the_thresholds_of_the_curve(inside, outside, columns, curves, seen, limit):
    found = [
        answers(cataclysmic, light_curve=light(curves, seen, limit, *points), **columns)["is_dwarf_nova"][0]
        for points in (inside, outside)
    ]
    assert found == [True, False]


@pytest.mark.parametrize(
    ("fluxes", "columns", "settings"),
    [
        ((1e3, 1e5), ON_STAR_ALONE, {"min_rise": 5.0}),
        ((1e3, 1e5), {"reference_mag": 90.0}, {"min_template_rise": 5.0}),
        ((1e3, 1e5), BLUE, {"min_lone_rise": 5.0}), ((1e5, 1e3), ON_STAR_ALONE, {"min_fall": 5.0}),
        ((1e5, 1e3), {"reference_mag": 90.0}, {"min_fall": 5.0}),
    ],
)  # fmt: skip
def test_a_change_of_exactly_the_limit_passes(fluxes, columns, settings, curves):
    points = [("g", i, flux, 0.0, "detection") for i, flux in enumerate(fluxes)]
    usual = {"light_curve": curves([("g", -90, np.nan, 20.0, "upper_limit"), *points]), "max_amplitude": 99.0}
    found = [
        answers(cataclysmic, **usual | columns | {name: value + more for name, value in settings.items()})
        for more in (0.0, 1e-6)
    ]
    assert [x["is_dwarf_nova"][0] for x in found] == [True, False]


def test_an_amplitude_of_exactly_the_limits_passes(curves):
    points = [("g", -90, np.nan, 200.0, "upper_limit"), ("g", 0, 1e5, 0.0, "detection")]
    around = [(5.0, 5.0), (5.0 + 1e-6, 9.0), (2.0, 5.0 - 1e-6)]
    found = [
        answers(cataclysmic, light_curve=curves(points), **BLUE_STAR, min_amplitude=low, max_amplitude=high)
        for low, high in around
    ]
    assert [x["is_dwarf_nova"][0] for x in found] == [True, False, False]


@pytest.mark.parametrize(
    ("change", "is_used"),
    [({"reference_mag_err": 0.36}, True), ({"reference_mag_err": 0.361}, False),
     ({"reference_distance_arcsec": 1.5}, True), ({"reference_distance_arcsec": 1.501}, False)],
)  # fmt: skip
def test_the_source_in_the_template_counts_if_near_and_measured_to_three_sigma(change, is_used, curves, seen):
    found = answers(cataclysmic, light_curve=curves([seen("g", 0, 17.0)]), reference_mag=20.0, **change)
    assert np.isfinite(found["outburst_amplitude"][0]) == is_used


@pytest.mark.parametrize(("flux", "is_there"), [(0.5, True), (0.0, False), (-0.5, False)])
def test_only_a_positive_flux_has_an_amplitude(flux, is_there, curves):
    found = answers(cataclysmic, light_curve=curves([("g", 0, flux, 0.1, "detection")]), reference_mag=20.0)
    assert np.isfinite(found["outburst_amplitude"][0]) == is_there


@pytest.mark.parametrize(
    ("point", "limiting_flux"),
    [
        (("g", 0, 5.9, 2.0, "forced"), 11.9), (("g", 0, 6.0, 2.0, "forced"), np.nan),
        (("g", 0, 0.0, 2.0, "forced"), 6.0), (("g", 0, -5.0, 2.0, "forced"), 6.0),
        (("g", 0, 5.9, 2.0, "detection"), np.nan),
        (("g", 0, np.nan, 2.0, "upper_limit"), 10.0), (("g", 0, np.nan, 0.5, "upper_limit"), 2.5),
        (("g", 0, np.nan, 0.0, "upper_limit"), np.nan), (("r", 0, np.nan, 2.0, "upper_limit"), np.nan),
    ],
)  # fmt: skip
def test_which_epochs_are_limits_and_how_deep(point, limiting_flux, curves):
    found = answers(cataclysmic, light_curve=curves([point, ("g", 50, 1e4, 0.0, "detection")]))
    expected = 2.5 * np.log10(1e4 / limiting_flux)
    assert found["outburst_amplitude"][0] == pytest.approx(expected, abs=1e-4, nan_ok=True)
    assert found["outburst_amplitude_is_limit"][0] == np.isfinite(limiting_flux)


@pytest.mark.parametrize(
    ("points", "rise", "fall"),
    [
        ([("g", 0.0, 19.0), ("g", 0.2, 18.0)], 5.0, -5.0),
        ([("g", 0.0, 19.0), ("g", 0.199, 18.0)], np.nan, np.nan),
        ([("g", 100.0, 19.0), ("g", 105.0, 18.0)], 0.2, -0.2),
        ([("g", 100.0, 19.0), ("g", 105.01, 18.0)], np.nan, np.nan),
        ([("g", 100.0, 19.0), ("r", 102.0, 17.0)], 0.75, -1.25),
        ([("g", 100.0, 17.0), ("r", 102.0, 19.0)], -1.25, 0.75),
        ([("g", 100.0, 19.0), ("limit", "g", 102.0, 18.0)], np.nan, np.nan),
        ([("limit", "g", 100.0, 19.0), ("g", 102.0, 18.0)], 0.5, np.nan),
        # neighbours in the band are faster, then neighbours among all
        ([("g", 100.0, 19.0), ("r", 100.1, 18.9), ("g", 100.5, 17.0)], 4.0, -4.0),
        ([("g", 100.0, 17.0), ("r", 100.1, 17.1), ("g", 100.5, 19.0)], -4.0, 4.0),
        ([("g", 100.0, 19.0), ("r", 100.5, 19.9), ("g", 101.0, 17.0)], 4.8, 0.8),
        ([("g", 100.0, 17.0), ("r", 100.5, 16.1), ("g", 101.0, 19.0)], 0.8, 4.8),
        ([("g", 100.0, 19.0), ("g", 101.0, 18.0), ("g", 102.0, 19.5)], 1.0, 1.5),
    ],
)  # fmt: skip
def test_the_fastest_change_between_neighbours(points, rise, fall, curves, seen, limit):
    found = answers(cataclysmic, light_curve=light(curves, seen, limit, *points))
    assert found["outburst_rise"][0] == pytest.approx(rise, abs=1e-5, nan_ok=True)
    assert found["outburst_fall"][0] == pytest.approx(fall, abs=1e-5, nan_ok=True)


def test_epochs_of_two_alerts_are_no_neighbours(curves, seen):
    found = answers(cataclysmic, 2, light_curve=curves([seen("g", 0, 20.0)], [seen("g", 1, 16.0)]))
    assert np.isnan(found["outburst_rise"]).all()


@pytest.mark.parametrize(("flux", "rise"), [(10.0, 0.0), (2.0, np.nan), (1.9, np.nan)])
def test_a_flux_within_two_sigma_of_zero_may_be_nothing(flux, rise, curves):
    """A flux of 10 +- 1 is 8 or more, as an earlier upper limit; a flux of two sigma has no faintest magnitude."""
    points = [("g", 0, np.nan, 1.6, "upper_limit"), ("g", 1, flux, 1.0, "detection")]
    found = answers(cataclysmic, light_curve=curves(points))
    assert found["outburst_rise"][0] == pytest.approx(rise, abs=1e-6, nan_ok=True)


def test_a_limit_without_a_noise_is_none(curves):
    points = [
        ("g", 0, np.nan, 0.0, "upper_limit"),
        ("g", 1, np.nan, 2.0, "upper_limit"),
        ("g", 9, 1e3, 1.0, "detection"),
    ]
    assert answers(cataclysmic, light_curve=curves(points))["outburst_amplitude"][0] == pytest.approx(5.0, abs=1e-6)


def test_a_detection_that_may_be_nothing_is_as_faint_as_the_template(curves):
    """The template has 10 nJy; the limits are 90 and 40 nJy above it."""
    points = [("g", 0, np.nan, 18.0, "upper_limit"), ("g", 1, 1.0, 1.0, "detection")]
    found = answers(cataclysmic, light_curve=curves(points), reference_mag=31.4 - 2.5)
    assert found["outburst_rise"][0] == pytest.approx(-2.5, abs=1e-6)
