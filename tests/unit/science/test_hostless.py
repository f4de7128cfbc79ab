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
