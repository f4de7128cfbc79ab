"""The features of the kilonova model, and whom it is asked about."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.kilonova_score import FEATURES, features, kilonova_score
from redpoll.testing.models import FakeModel


class Recorder:
    """A model that keeps what it was asked."""

    version = "1"

    def __init__(self):
        self.asked = []

    def predict_proba(self, X):
        self.asked.append(X)
        return FakeModel().predict_proba(X)


def test_the_features_are_in_their_order():
    values = {
        "mag": 20.0, "age": 1.0, "n_detections": 3, "latitude": -40.0, "fade": 0.5, "fade_err": 0.1, "rate": 0.4,
        "rate_err": 0.2, "colour_g_r": 0.3, "colour_r_i": 0.1, "faded": 0.6, "star_score": 0.2,
    }  # fmt: skip
    row = dict(zip(FEATURES, features(**{k: np.array([v]) for k, v in values.items()})[0].tolist(), strict=True))
    assert row["latitude"] == 40.0 and all(
        row[f"has_{x}"] == 1 for x in ("fade", "rate", "colour_g_r", "colour_r_i", "faded", "star")
    )
    assert all(row[k] == pytest.approx(v) for k, v in values.items() if k != "latitude")


def test_what_is_unknown_is_zero_and_says_so():
    unknown = np.array([np.nan])
    row = features(np.array([20.0]), np.array([1.0]), np.array([3]), np.array([10.0]), *[unknown] * 8)
    assert row.dtype == np.float32 and row[0, :4].tolist() == [20.0, 1.0, 3.0, 10.0] and not row[0, 4:].any()


def test_only_young_repeated_sources_that_do_not_move_are_scored():
    model = Recorder()
    found = _score(model)
    assert np.isfinite(found).tolist() == [True, True, False, True, False, True, False, False, False]
    assert [x.shape for x in model.asked] == [(4, len(FEATURES))]


def _score(model):
    n = 9
    given = {name: np.full(n, np.nan, np.float32) for name in kilonova_score.inputs}
    given |= {"ra": np.full(n, 10.0), "dec": np.full(n, 10.0), "mag": np.full(n, 20.0, np.float32)}
    given["age"] = np.array([1, 20, 20.1, 1, 1, 1, 1, np.nan, 1], np.float32)
    given["n_detections"] = np.array([3, 3, 3, 2, 1, 20, 21, 3, 3])
    given["roid"] = np.array([*["not_sso"] * 8, "candidate"], object)
    return kilonova_score(**given, model=model)


def test_a_value_is_known_without_its_error():
    unknown, one = np.array([np.nan]), np.array([1.0])
    row = dict(zip(FEATURES, features(one, one, one, one, one, *[unknown] * 7)[0].tolist(), strict=True))
    assert (row["fade"], row["fade_err"], row["has_fade"]) == (1.0, 0.0, 1.0)
