"""Which alerts are selected, and their results."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from rule_inputs import answers

from redpoll.science.hostless import hostless
from redpoll.simulate.fits import fits_bytes, fits_header


def cutout(image):
    image = np.asarray(image, np.float32)
    return gzip.compress(fits_bytes(fits_header(image.shape, "adu"), image))


def sky(seed=0, side=63):
    return np.random.default_rng(seed).uniform(90, 110, (side, side))  # nothing stands out of even noise


def source(width, height, side=63):
    j, i = np.mgrid[:side, :side] - (side - 1) / 2
    return height * np.exp(-(i**2 + j**2) / (2 * width**2))


BARE = {"cutout_science": cutout(sky(1) + source(1.2, 300)), "cutout_template": cutout(sky(2))}


def test_a_point_on_empty_sky_is_hostless():
    found = answers(hostless, **BARE)
    assert found["hostless_ks_science"][0] < 0.5 and found["hostless_ks_template"][0] < 0.85
    assert found["is_hostless"].tolist() == [True]


def test_a_point_on_a_galaxy_is_not():
    galaxy = source(8.0, 22)
    cutouts = {"cutout_science": cutout(sky(1) + galaxy + source(1.2, 300)), "cutout_template": cutout(sky(2) + galaxy)}
    assert not answers(hostless, **cutouts)["is_hostless"][0]


@pytest.mark.parametrize(
    "change",
    [
        {"is_good": False}, {"roid": "known"}, {"age": 50.0}, {"age": np.nan}, {"n_detections": 1}, {"flux": 5e3},
        {"flux": -1e5}, {"star_distance_arcsec": 1.0}, {"reference_mag": 20.0},
        {"cutout_template": None}, {"cutout_science": b"synthetic"}, {"cutout_template": cutout(sky(2, 62))},
        {"cutout_science": cutout(np.zeros((63, 63)))}, {"cutout_science": cutout(sky(1)[:48])},
        {"cutout_science": cutout(np.full((63, 63), np.nan)), "cutout_template": cutout(np.full((63, 63), np.nan))},
    ],
)  # fmt: skip
def test_alerts_that_are_no_candidates_or_lack_cutouts_have_no_answer(change):
    found = answers(hostless, **(BARE | change))
    assert np.isnan(found["hostless_ks_science"][0]) and not found["is_hostless"][0]


def test_rubins_larger_cutouts_are_cut_to_the_middle():
    small = sky(3, 30) + source(1.5, 400, 30), sky(4, 30)
    large = [np.pad(image, 4, constant_values=9e9) for image in small]
    names = "cutout_science", "cutout_template"
    one, other = (answers(hostless, **dict(zip(names, map(cutout, p), strict=True))) for p in (small, large))
    assert one["hostless_ks_science"][0] == other["hostless_ks_science"][0] < 1


@pytest.fixture
def answered(monkeypatch):
    """``answered(science, template, column=...)``: the answers with these statistics; and the pixels tested."""

    def answer(science, template, shape=(63, 63), other=None, **columns):
        tested = []

        def differs(one, two, radius, masks):
            assert [mask.shape for mask in masks] == [one.shape, two.shape]
            tested.append((one, two, radius))
            return True

        def structure(image, mask):
            np.testing.assert_array_equal(mask, image < 5)
            return next(results)

        results = iter((science, template))
        monkeypatch.setattr("redpoll.science.hostless.differs_from_template", differs)
        monkeypatch.setattr("redpoll.science.hostless.clipped", lambda image: image < 5)
        monkeypatch.setattr("redpoll.science.hostless.structure", structure)
        cutouts = cutout(numbered(shape)), cutout(-numbered(other or shape))
        found = answers(hostless, **({"cutout_science": cutouts[0], "cutout_template": cutouts[1]} | columns))
        return (found["hostless_ks_science"][0], found["hostless_ks_template"][0], found["is_hostless"][0]), tested

    return answer


def numbered(shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    "science, template, is_hostless",
    [
        (0.5, 0.85, True), (0.4, 0.8, True), (0.49, 0.84, True), (0.51, 0.5, False), (0.1, 0.86, False),
        (np.nan, 0.5, False), (0.1, np.nan, False),
    ],
)  # fmt: skip
def test_both_statistics_have_a_threshold(answered, science, template, is_hostless):
    found, tested = answered(science, template)
    np.testing.assert_equal(found, (science, template, is_hostless))
    assert [radius for _, _, radius in tested] == [7]


@pytest.mark.parametrize(
    "columns, is_candidate",
    [
        ({"age": 45.0}, True), ({"age": 45.1}, False), ({"n_detections": 2}, True), ({"n_detections": 1}, False),
        ({"flux": 1e4}, True), ({"flux": 9.9e3}, False), ({"is_good": False}, False), ({"roid": "candidate"}, False),
        ({"star_distance_arcsec": 1.6}, True), ({"star_distance_arcsec": 1.4}, False),
        ({"reference_mag": 20.0, "reference_distance_arcsec": 1.6}, True),
        ({"reference_mag": 20.0, "reference_distance_arcsec": 1.4}, False),
    ],
)  # fmt: skip
def test_only_candidates_are_tested(answered, columns, is_candidate):
    found, tested = answered(0.1, 0.2, **columns)
    np.testing.assert_equal(found, (0.1, 0.2, True) if is_candidate else (np.nan, np.nan, False))
    assert len(tested) == is_candidate


@pytest.mark.parametrize(
    "side, tested_side, start", [(66, 63, 1), (64, 63, 0), (63, 63, 0), (62, 30, 16), (33, 30, 1), (30, 30, 0)]
)
def test_the_middle_of_both_cutouts_is_tested(answered, side, tested_side, start):
    _, tested = answered(0.1, 0.2, (side, side))
    middle = numbered((side, side))[start : start + tested_side, start : start + tested_side]
    np.testing.assert_array_equal(tested[0][0], middle)
    np.testing.assert_array_equal(tested[0][1], -middle)


@pytest.mark.parametrize(
    "shape, other", [((29, 29), (29, 29)), ((63, 64), (63, 64)), ((64, 63), (64, 63)), ((63, 63), (64, 64))]
)
def test_small_oblong_and_unequal_cutouts_are_not_tested(answered, shape, other):
    assert answered(0.1, 0.2, shape, other)[1] == []
