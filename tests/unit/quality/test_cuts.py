"""Cuts at their limits, and what lacks the value."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from redpoll.config import Cuts
from redpoll.quality.cuts import cut_failures


def batch(n=1, **columns):
    plain = {"real_bogus": [0.9] * n, "n_bad_pixels": [0] * n, "band": ["g"] * n} | columns
    types = {"real_bogus": pa.float32(), "n_bad_pixels": pa.int32(), "band": pa.dictionary(pa.int8(), pa.string())}
    return pa.record_batch({name: pa.array(values, types[name]) for name, values in plain.items()})


def passes(cuts, **columns):
    return cut_failures(batch(**{name: [value] for name, value in columns.items()}), cuts) == {}


@pytest.mark.parametrize(
    ("score", "is_in"),
    [(0.55, True), (np.nextafter(np.float32(0.55), np.float32(0)), False), (0.56, True), (1.0, True), (0.0, False),
     (None, False), (math.nan, False)],
)  # fmt: skip
def test_real_bogus_at_its_limit_passes(score, is_in):
    assert passes(Cuts(min_real_bogus=0.55), real_bogus=score) is is_in


@pytest.mark.parametrize(("pixels", "is_in"), [(0, True), (1, False), (None, False), (-1, True)])
def test_bad_pixels(pixels, is_in):
    assert passes(Cuts(max_bad_pixels=0), n_bad_pixels=pixels) is is_in


@pytest.mark.parametrize(("band", "is_in"), [("g", True), ("r", True), ("i", False), (None, False)])
def test_bands(band, is_in):
    assert passes(Cuts(bands=("g", "r")), band=band) is is_in


def test_no_bands_let_nothing_pass():
    assert not passes(Cuts(bands=()), band="g")


def test_a_cut_that_is_off_asks_for_nothing():
    assert cut_failures(batch(real_bogus=[None], n_bad_pixels=[None], band=[None]), Cuts()) == {}


def test_the_first_cut_that_fails_is_the_reason():
    cuts = Cuts(min_real_bogus=0.55, max_bad_pixels=0, bands=("g",))
    alerts = batch(4, n_bad_pixels=[0, 3, 0, 0], real_bogus=[0.9, 0.1, 0.1, 0.9], band=["g", "i", "i", "i"])
    assert cut_failures(alerts, cuts) == {
        1: ("cut: n_bad_pixels > 0", "3"),
        2: ("cut: real_bogus < 0.55", "0.1"),
        3: ("cut: band not in g", "i"),
    }


def test_a_missing_value_fails_without_a_value():
    assert cut_failures(batch(real_bogus=[None]), Cuts(min_real_bogus=0.5)) == {0: ("cut: real_bogus < 0.5", None)}


def test_no_alerts_fail_nothing():
    assert cut_failures(batch(0), Cuts(min_real_bogus=0.5, bands=("g",))) == {}
