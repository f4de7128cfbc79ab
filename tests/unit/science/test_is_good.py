"""Which detections can be believed."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.is_good import is_good

FLAGS = ("has_bad_pixels", "is_edge", "is_dipole", "is_streak", "is_photometry_bad")


def _is_good(**values) -> bool:
    good = {"is_positive": True, "real_bogus": 0.9, "deep_real_bogus": 0.9, **dict.fromkeys(FLAGS, False)}
    return bool(is_good(**{name: np.array([value]) for name, value in {**good, **values}.items()})[0])


def test_a_clean_positive_real_detection_is_good():
    assert _is_good()


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flagged_one_is_not(flag):
    assert not _is_good(**{flag: True})


def test_one_fainter_than_the_template_is_not():
    assert not _is_good(is_positive=False)


@pytest.mark.parametrize(
    "deep, shallow, expected",
    [(0.5, 0.1, True), (0.49, 0.9, False), (np.nan, 0.5, True), (np.nan, 0.4, False), (np.nan, np.nan, False)],
)
def test_the_network_s_score_counts_before_the_older_one_and_none_is_not_good(deep, shallow, expected):
    assert _is_good(deep_real_bogus=deep, real_bogus=shallow) == expected
