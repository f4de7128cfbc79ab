"""Flaws drawn into cutouts, and light curves of flaws."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from rule_inputs import answers

from redpoll.astro.cutouts import CutoutMeasurements
from redpoll.astro.photometry import flux_from_mag
from redpoll.science.artefact import artefact
from redpoll.simulate.fits import fits_bytes, fits_header


def cutout(image):
    image = np.asarray(image, np.float32)
    return gzip.compress(fits_bytes(fits_header(image.shape, "adu"), image))


def noise(seed=0, side=63):
    return np.random.default_rng(seed).normal(0, 5, (side, side))


def star(flux=2000.0, x=0.0, fwhm=2.2, side=63):
    j, i = np.mgrid[:side, :side] - (side - 1) / 2
    profile = np.exp(-4 * np.log(2) * ((i - x) ** 2 + j**2) / fwhm**2)
    return flux * profile / profile.sum()


def flaw(kind):
    image = noise(3)
    if kind == "dipole":
        return image + star(x=1.5) - star(x=-1.5)
    if kind == "cosmic_ray":
        image[31, 31] += 900.0
    if kind == "line":
        image[10:, 31] += 40.0
    if kind == "masked":
        image[29:35, 29:33] = np.nan
    return image


@pytest.fixture
def one(curves, seen):
    return curves([seen("g", 0, 18.9, 0.05)])


@pytest.mark.parametrize("kind", ["dipole", "cosmic_ray", "line", "masked", "empty"])
def test_each_flaw_is_found_and_named(kind, one):
    found = answers(artefact, packet_light_curve=one, cutout_difference=cutout(flaw(kind)), flux_err=1e5 / 40)
    assert found["is_artefact"][0] and found["artefact_reason"][0] == kind and found["artefact_score"][0] >= 0.5


@pytest.mark.parametrize("seed", range(5))
def test_a_star_is_none(seed, one):
    for flux in (200.0, 2000.0, -2000.0, 1e5):
        snr = abs(flux) / (5 * 3.4)
        found = answers(
            artefact, packet_light_curve=one, cutout_difference=cutout(noise(seed) + star(flux)), flux_err=1e5 / snr
        )
        assert not found["is_artefact"][0] and found["artefact_reason"][0] is None, flux


def test_a_star_beside_an_edge_or_a_masked_part_is_none(one):
    """All five real alerts that were called so were real: a quarter of the cutout masked, none of it at the centre."""
    beside = noise(3) + star(2000.0)
    beside[:, :20] = np.nan
    cut_off = (noise(4) + star(2000.0))[:40, :]
    for image in (beside, cut_off):
        found = answers(artefact, packet_light_curve=one, cutout_difference=cutout(image), flux_err=1e5 / 100)
        assert not found["is_artefact"][0] and found["cutout_masked_fraction"][0] > 0.3


def test_a_fifth_of_the_aperture_may_be_masked(one):
    j, i = np.mgrid[:63, :63] - 31
    aperture = np.flatnonzero((i**2 + j**2 <= 16).ravel())
    for n_masked, is_artefact in ((9, False), (10, True)):  # of 49: a score of 0.42 and of 0.52
        image = noise(3) + star(2000.0)
        image.ravel()[aperture[:n_masked]] = np.nan
        found = answers(artefact, packet_light_curve=one, cutout_difference=cutout(image), flux_err=1e5 / 40)
        assert found["cutout_aperture_masked_fraction"][0] == pytest.approx(n_masked / 49)
        assert found["is_artefact"][0] == is_artefact


def test_rubins_stars_are_wider_and_none_either(one):
    image = noise(1, 31) + star(9000.0, fwhm=5.0, side=31)
    found = answers(artefact, packet_light_curve=one, cutout_difference=cutout(image), survey="rubin")
    assert not found["is_artefact"][0] and found["cutout_fwhm"][0] == pytest.approx(5.0, abs=1.0)


def test_a_change_of_a_thousandth_of_a_bright_star_is_its_residual(one):
    bright = {"reference_mag": 14.0, "reference_distance_arcsec": 1.0}
    flux = 10 ** (0.4 * (31.4 - 14.0)) / 500
    star, galaxy = (
        answers(artefact, packet_light_curve=one, flux=flux, **bright, star_score=score, star_distance_arcsec=1.0)
        for score in (0.9, 0.1)  # a supernova may well be a thousandth of its galaxy
    )
    assert star["artefact_reason"].tolist() == ["star_residual"] and not galaxy["is_artefact"][0]
    assert not answers(artefact, packet_light_curve=one, flux=30 * flux, **bright)["is_artefact"][0]


def test_a_flux_that_flips_its_sign_near_the_noise_is_one(curves):
    faint = [("g", t, 1000.0 * (-1) ** t, 180.0) for t in range(7)]
    loud = [("g", t, 1000.0 * (-1) ** t, 50.0) for t in range(7)]
    found = answers(artefact, 2, packet_light_curve=curves(faint, loud))
    assert found["flux_sign_changes"].tolist() == [6, 6]
    assert found["artefact_reason"].tolist() == ["alternating", None]


@pytest.mark.parametrize(("snr", "is_it"), [(5.99, True), (6.01, False)])
def test_flips_count_as_long_as_no_point_is_brighter_than_six_sigma(snr, is_it, curves):
    flips = [("g", t, (snr if t == 3 else 5.0) * (-1) ** t, 1.0) for t in range(7)]
    assert answers(artefact, packet_light_curve=curves(flips))["is_artefact"][0] == is_it


def test_chi_square_is_that_of_a_constant_in_the_alerts_band(curves):
    light = curves([("g", 0, 100.0, 10.0), ("r", 1, 9e9, 1.0), ("g", 2, 130.0, 10.0)], [("g", 0, 5.0, 1.0)])
    found = answers(artefact, 2, packet_light_curve=light)
    assert found["constant_chi2"][0] == pytest.approx(4.5, rel=1e-6) and np.isnan(found["constant_chi2"][1])


def test_the_surveys_own_dipole_flag_counts(one):
    assert answers(artefact, packet_light_curve=one, is_dipole=True)["artefact_reason"].tolist() == ["dipole"]


@pytest.mark.parametrize("data", [None, b"synthetic", b"\x1f\x8b broken"])
def test_without_a_cutout_nothing_is_held_against_it(data, one):
    found = answers(artefact, packet_light_curve=one, cutout_difference=data)
    assert not found["is_artefact"][0] and np.isnan(found["cutout_snr"][0]) and found["artefact_score"][0] == 0
    assert set(found) == set(artefact.outputs)


CLEAN = {
    "noise": 5.0, "snr": 50.0, "peak_snr": 50.0, "sharpness": 0.1, "fwhm": 2.2, "elongation": 1.0, "offset": 0.1,
    "negative_fraction": 0.0, "line_snr": 1.0, "masked_fraction": 0.0, "aperture_masked_fraction": 0.0,
}  # fmt: skip


@pytest.fixture
def scored(one, monkeypatch):
    """``scored(measured, column=...)``: the answers for a cutout with exactly these measurements, else clean."""

    def score(changes, **columns):
        measured = CutoutMeasurements(**{name: np.array([x]) for name, x in (CLEAN | changes).items()})
        monkeypatch.setattr("redpoll.science.artefact.measure_cutouts", lambda cutouts, radius: measured)
        found = answers(artefact, **({"packet_light_curve": one} | columns))
        assert found["is_artefact"][0] == (found["artefact_reason"][0] is not None)
        return found["artefact_score"][0], found["artefact_reason"][0]

    return score


@pytest.mark.parametrize(
    "reason, changes, columns, expected",
    [
        ("dipole", {"negative_fraction": 0.08}, {}, 0.0),
        ("dipole", {"negative_fraction": 0.15}, {}, 0.25),
        ("dipole", {"negative_fraction": 0.25}, {}, 0.75),
        ("dipole", {"negative_fraction": 0.4}, {}, 1.0),
        ("dipole", {"negative_fraction": 0.25, "peak_snr": 5.0}, {}, 0.0),
        ("dipole", {"negative_fraction": 0.25, "peak_snr": 5.01}, {}, 0.75),
        ("dipole", {}, {"is_dipole": True}, 0.6),
        ("dipole", {"negative_fraction": 0.15}, {"is_dipole": True}, 0.6),
        ("dipole", {"negative_fraction": 0.25}, {"is_dipole": True}, 0.75),
        ("cosmic_ray", {"sharpness": 0.73 + 0.042}, {}, 0.2),
        ("cosmic_ray", {"sharpness": 0.82 + 0.042}, {}, 0.8),
        ("cosmic_ray", {"sharpness": 0.82 + 0.21, "peak_snr": 10.0}, {}, 0.8),
        ("cosmic_ray", {"sharpness": 1.5, "peak_snr": 5.0}, {}, 0.0),
        ("cosmic_ray", {"sharpness": 0.55 + 0.042}, {"survey": "rubin"}, 0.25),
        ("cosmic_ray", {"sharpness": 0.65 + 0.042}, {"survey": "rubin"}, 0.75),
        ("cosmic_ray", {"sharpness": 0.82 + 0.042}, {"survey": "another"}, 0.8),
        ("line", {"line_snr": 6.0}, {}, 0.25),
        ("line", {"line_snr": 8.0}, {}, 0.75),
        ("line", {"line_snr": 6.96}, {}, 0.49),
        ("line", {"line_snr": 7.0}, {}, 0.5),
        ("masked", {"aperture_masked_fraction": 0.15}, {}, 0.25),
        ("masked", {"aperture_masked_fraction": 0.25}, {}, 0.75),
        # a signal to noise of 8 in the packet is at least 4 in the cutout
        ("empty", {"snr": 1.0}, {"flux_err": 1e5 / 8}, 2 / 3),
        ("empty", {"snr": 0.5}, {"flux_err": 1e5 / 6}, 1 / 3),
        ("empty", {"snr": 0.4}, {"flux_err": 1e5 / 6.4}, 8 / 15),
        ("empty", {"snr": 0.1}, {"flux_err": 1e5 / 8}, 1.0),
        ("empty", {"snr": 0.4}, {"flux": -1e5, "flux_err": 1e5 / 6.4}, 8 / 15),
        ("empty", {"snr": 8.0}, {"flux_err": 1e5 / 40}, 0.4),
        ("empty", {"snr": 6.0}, {"flux_err": 1e5 / 40}, 0.8),
        ("empty", {"snr": -6.0}, {"flux_err": 1e5 / 40}, 1.0),
        ("line", {"line_snr": 7.0, "negative_fraction": 0.15}, {}, 0.625),
        ("dipole", {"line_snr": 6.0, "negative_fraction": 0.25}, {}, 0.8125),
        (None, {"line_snr": 6.0, "negative_fraction": 0.15}, {}, 0.4375),
        (None, dict.fromkeys(CLEAN, np.nan), {}, 0.0),
        (None, {"masked_fraction": 0.9, "offset": 9.0, "elongation": 9.0, "fwhm": 9.0}, {}, 0.0),
    ],
)  # fmt: skip
def test_each_sign_rises_between_its_two_thresholds(scored, reason, changes, columns, expected):
    score, found = scored(changes, **columns)
    assert score == pytest.approx(expected, abs=1e-9)
    assert found == (reason if expected >= 0.5 else None)


def test_the_aperture_is_the_surveys(curves, monkeypatch):
    seen = []

    def measure(cutouts, radius):
        seen.extend(radius)
        return CutoutMeasurements(*np.full((len(CLEAN), len(radius)), np.nan))

    monkeypatch.setattr("redpoll.science.artefact.measure_cutouts", measure)
    answers(artefact, 3, packet_light_curve=curves([], [], []), survey=["ztf", "rubin", "another"])
    assert seen == [4.0, 8.0, 4.0]


STAR = {"reference_mag": 16.9, "reference_distance_arcsec": 1.0, "star_score": 0.9, "star_distance_arcsec": 1.0}
STAR_FLUX = float(flux_from_mag(16.9))


@pytest.mark.parametrize(
    "columns, expected",
    [
        ({"flux": 0.025 * STAR_FLUX}, 0.0), ({"flux": 0.0173 * STAR_FLUX}, 0.135),
        ({"flux": 0.0065 * STAR_FLUX}, 0.675), ({"flux": -0.0065 * STAR_FLUX}, 0.675),
        ({"flux": 0.001 * STAR_FLUX}, 0.9),
        ({"star_score": 0.5}, 0.9), ({"star_score": 0.51}, 0.9), ({"star_score": 0.49}, 0.0),
        ({"star_score": 0.1, "star_distance_arcsec": 3.0}, 0.0),
        ({"star_score": 0.1, "star_distance_arcsec": 3.1}, 0.9),
        ({"star_score": np.nan}, 0.9),
        ({"reference_distance_arcsec": 3.0}, 0.9), ({"reference_distance_arcsec": 3.1}, 0.0),
        ({"reference_mag": 17.1}, 0.0), ({"reference_bright": 16.9}, 0.0), ({"reference_mag": np.nan}, 0.0),
    ],
)  # fmt: skip
def test_which_small_changes_of_which_sources_are_residuals(scored, columns, expected):
    score, _ = scored({}, **({"flux": 0.001 * STAR_FLUX, "flux_err": STAR_FLUX} | STAR | columns))
    assert score == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "signs, snr, expected",
    [
        ("+-", 2.0, 0.0), ("+-+", 2.0, 0.2), ("+-+-+", 2.0, 0.6), ("+-+-+-", 2.0, 0.8), ("+-+-+-+", 2.0, 0.8),
        ("++++++++", 2.0, 0.0), ("++--++", 2.0, 0.2), ("+-+-+", 5.5, 0.6), ("+-+-+", 6.0, 0.0), ("+-+-+", 6.5, 0.0),
    ],
)  # fmt: skip
def test_how_often_the_sign_must_flip(scored, curves, signs, snr, expected):
    light = curves([("g", t, float(f"{sign}{snr}") / 2, 0.5) for t, sign in enumerate(signs)])
    assert scored({}, packet_light_curve=light)[0] == pytest.approx(expected, abs=1e-9)


def test_flips_and_chi_square_count_the_detections_with_an_error_of_each_alert(curves):
    """Against numpy, with errors far below one unit; other kinds, unknown values and other bands do not count."""
    rng = np.random.default_rng(5)
    batch, n_flips, chi2 = [], [], []
    for n in [*range(1, 8)] * 6:
        flux, err = rng.normal(0.05, 0.5, n).astype(np.float32), rng.uniform(0.1, 0.9, n).astype(np.float32)
        points = [("g", 2.0 * t, *pair, "low_quality" if t % 2 else "detection")
                  for t, pair in enumerate(zip(flux, err, strict=True), 1)]  # fmt: skip
        other = [("g", 2.0 * t + 1, (-1) ** t * 90.0, bad) for t, bad in enumerate((0.0, -1.0, np.nan))]
        other += [("g", 7.5, np.nan, 1.0), ("r", 5.5, -90.0, 1.0), ("g", 5.7, -90.0, 1.0, "forced")]
        batch.append(sorted([*points[:-1], *(p for p in other if p[1] < 2.0 * n)], key=lambda p: p[1]) + points[-1:])
        flux, weight = flux.astype(np.float64), err.astype(np.float64) ** -2
        n_flips.append(int((np.sign(flux[1:]) != np.sign(flux[:-1])).sum()))
        mean = np.average(flux, weights=weight)
        chi2.append((weight * (flux - mean) ** 2).sum() / (n - 1) if n > 1 else np.nan)
    found = answers(artefact, len(batch), packet_light_curve=curves(*batch))
    assert found["flux_sign_changes"].tolist() == n_flips
    np.testing.assert_allclose(found["constant_chi2"], chi2, rtol=1e-9)
