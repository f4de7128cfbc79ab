"""Estimates from labels of known inclusion probability, against a population whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.errors import UsageError
from redpoll.learn.audit import Audit, drawn, inclusion_probability, ratio, total


def population(n: int = 4000):
    """A classifier that is overconfident: truth, probability it states, and the candidates."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=n)
    is_class = rng.random(n) < 1 / (1 + np.exp(-1.5 * (x - 1.2)))
    p = 1 / (1 + np.exp(-4 * (x - 1.0)))
    return is_class, p


def audits(n_times: int):
    """Estimates of repeated audits with unequal probabilities, and the truth of accuracy, efficiency and purity."""
    is_class, p = population()
    candidate, inclusion = p > 0.5, inclusion_probability(p, 0.1)
    truth = {
        "accuracy": (is_class == candidate).mean(),
        "efficiency": candidate[is_class].mean(),
        "purity": is_class[candidate].mean(),
    }
    found = []
    for seed in range(n_times):
        rows = drawn(inclusion, np.random.default_rng(seed))
        found.append((rows, Audit(is_class[rows], candidate[rows], inclusion[rows]).figures()))
    return truth, found, is_class, candidate, inclusion


def test_a_total_is_unbiased() -> None:
    is_class, p = population()
    inclusion = inclusion_probability(p, 0.1)
    rows = [drawn(inclusion, np.random.default_rng(seed)) for seed in range(800)]
    totals = np.array([total(is_class[r].astype(float), inclusion[r]).value for r in rows])
    assert abs(totals.mean() - is_class.sum()) < 4 * totals.std() / np.sqrt(800)
    assert 1.5 * totals.std() > abs(totals.mean() - is_class.sum())


def test_the_mean_of_many_audits_is_the_truth_and_their_intervals_hold_it() -> None:
    truth, found, *_ = audits(400)
    for name, true in truth.items():
        values = np.array([figures[name].value for _, figures in found])
        inside = np.mean([figures[name].low <= true <= figures[name].high for _, figures in found])
        assert abs(values.mean() - true) < 0.006
        assert inside > 0.91


def test_the_plain_mean_of_the_same_labels_is_biased() -> None:
    truth, found, is_class, candidate, _ = audits(100)
    plain = np.array([(is_class[rows] == candidate[rows]).mean() for rows, _ in found])
    assert abs(plain.mean() - truth["accuracy"]) > 0.02


def test_ratio_of_nothing_is_unknown() -> None:
    assert np.isnan(ratio(np.zeros(2), np.zeros(2), np.ones(2)).value)
    assert np.isnan(Audit(np.zeros(0, bool), np.zeros(0, bool), np.zeros(0)).figures()["purity"].value)


def test_audit_of_all_objects_is_exact() -> None:
    found = Audit(np.array([True, True, False, False]), np.array([True, False, True, False]), np.ones(4)).figures()
    assert {name: (f.value, f.low, f.high) for name, f in found.items()} == dict.fromkeys(found, (0.5, 0.5, 0.5))


def test_inclusion_probabilities_have_their_mean_and_are_never_zero() -> None:
    p = np.random.default_rng(0).uniform(0, 1, 1000)
    inclusion = inclusion_probability(p, 0.05)
    assert inclusion.mean() == pytest.approx(0.05)
    assert inclusion.min() >= 0.025
    assert inclusion_probability(np.zeros(3), 0.5).tolist() == [0.25, 0.25, 0.25]
    assert inclusion_probability(p, 1.0).max() == 1.0


@pytest.mark.parametrize(("mean", "even"), [(0.0, 0.5), (1.5, 0.5), (0.1, 0.0), (float("nan"), 0.5)])
def test_probabilities_that_are_none_are_refused(mean: float, even: float) -> None:
    with pytest.raises(UsageError, match="audit"):
        inclusion_probability(np.ones(2), mean, even=even)


@pytest.mark.parametrize("inclusion", [0.0, 1.1, -1.0, float("nan")])
def test_a_label_that_could_not_be_drawn_is_refused(inclusion: float) -> None:
    with pytest.raises(UsageError, match="inclusion"):
        total(np.ones(1), np.array([inclusion]))
