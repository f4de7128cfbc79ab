"""Flaws drawn into cutouts, and light curves of flaws."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from rule_inputs import answers

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
