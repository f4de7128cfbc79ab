"""Figures of a classifier, compared with scikit-learn; intervals by objects."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, precision_score, recall_score, roc_auc_score

from redpoll.learn.metrics import METRICS, equal_weights, figures, reliability


@pytest.fixture
def scored():
    """Truth, probabilities with ties, and weights of 400 rows."""
    rng = np.random.default_rng(5)
    truth = rng.random(400) < 0.3
    p = np.clip(np.round(0.3 * truth + 0.7 * rng.random(400), 2), 0, 1)
    return truth, p, rng.random(400)


def test_metrics_are_those_of_scikit_learn(scored):
    truth, p, weight = scored
    found = {name: metric(truth, p, weight) for name, metric in METRICS.items()}
    assert found["AUC"] == pytest.approx(roc_auc_score(truth, p, sample_weight=weight))
    assert found["Brier score"] == pytest.approx(brier_score_loss(truth, p, sample_weight=weight))
    assert found["efficiency"] == pytest.approx(recall_score(truth, p > 0.5, sample_weight=weight))
    assert found["purity"] == pytest.approx(precision_score(truth, p > 0.5, sample_weight=weight))


def test_the_figure_of_merit_counts_false_alarms_three_times():
    truth, p = np.array([True] * 4 + [False] * 4), np.array([0.9, 0.9, 0.9, 0.5, 0.9, 0.1, 0.1, 0.1])
    assert METRICS["figure of merit"](truth, p, np.ones(8)) == pytest.approx(0.75 * 3 / (3 + 3))
    assert METRICS["figure of merit"](truth, np.zeros(8), np.ones(8)) == 0


def test_the_calibration_error_is_the_mean_distance_from_the_frequency():
    p = np.repeat([0.2, 0.8], 750)
    truth = np.concatenate([np.arange(750) % 10 < 3, np.arange(750) % 10 < 6])
    assert METRICS["calibration error"](truth, p, np.ones(1500)) == pytest.approx((0.1 + 0.2) / 2, abs=0.01)


def test_one_sided_samples_have_no_auc_and_no_purity_without_candidates():
    found = figures(np.ones(20, bool), np.full(20, 0.4), np.arange(20))
    assert np.isnan(found["AUC"].value) and np.isnan(found["purity"].value)
    assert found["efficiency"].value == 0


def test_alerts_of_one_object_are_drawn_together():
    rng = np.random.default_rng(1)
    objects = np.repeat(np.arange(40), 10)
    truth, p = objects % 2 == 0, np.repeat(rng.random(40), 10)
    one = figures(truth[::10], p[::10], objects[::10])["AUC"]
    many = figures(truth, p, objects)["AUC"]
    assert many.value == pytest.approx(one.value)
    assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.05)
    alone = figures(truth, p, np.arange(400))["AUC"]
    assert alone.high - alone.low < 0.5 * (many.high - many.low)


def test_every_object_weighs_one():
    assert np.bincount([0, 1, 1, 2, 2, 2], equal_weights(np.array(list("abbccc")))).tolist() == pytest.approx([1, 1, 1])


def test_reliability_has_the_frequency_of_each_bin():
    p, truth = np.array([0.05, 0.05, 0.95, 1.0]), np.array([False, True, True, True])
    low, high = reliability(truth, p, np.arange(4))
    assert (low["p"], low["frequency"], low["objects"]) == (pytest.approx(0.05), 0.5, 2)
    assert (high["p"], high["frequency"], high["objects"]) == (pytest.approx(0.975), 1, 2)
