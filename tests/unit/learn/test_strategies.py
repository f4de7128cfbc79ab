"""Query strategies against small cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.errors import UsageError
from redpoll.learn.strategies import QueryPool, bald, committee, entropy, margin, uncertainty
from redpoll.learn.weighted_strategies import STRATEGIES, budgeted, canonical, density_weighted, strategy_of


def pool(p, *, members=None, features=None, cost=None, followed_up=None, budget=np.inf) -> QueryPool:
    p = np.array(p, float)
    features = np.arange(len(p), dtype=float)[:, None] if features is None else np.array(features, float)
    return QueryPool(
        p, p[None] if members is None else np.array(members, float), features,
        np.ones(len(p)) if cost is None else np.array(cost, float),
        np.zeros((0, features.shape[1])) if followed_up is None else np.array(followed_up, float), budget,
    )  # fmt: skip


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_scores_of_three_classes_are_those_computed_by_hand() -> None:
    three = pool([[0.5, 0.5, 0.0], [0.4, 0.3, 0.3], [0.9, 0.05, 0.05]])
    np.testing.assert_allclose(uncertainty(three), [0.5, 0.6, 0.1])
    np.testing.assert_allclose(margin(three), [1.0, 0.9, 0.15])
    np.testing.assert_allclose(entropy(three), [np.log(2), 1.088900, 0.394398], atol=1e-6)


def test_margin_and_uncertainty_disagree_on_which_is_first() -> None:
    three = pool([[0.5, 0.5, 0.0], [0.4, 0.3, 0.3], [0.9, 0.05, 0.05]])
    assert STRATEGIES["margin"](three, 1, rng()).tolist() == [0]
    assert STRATEGIES["uncertainty"](three, 3, rng()).tolist() == [1, 0, 2]


def test_bald_wants_members_that_disagree_and_not_members_that_doubt() -> None:
    members = [[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]]
    two = pool([[0.5, 0.5], [0.5, 0.5]], members=members)
    np.testing.assert_allclose(bald(two), [np.log(2), 0.0], atol=1e-9)
    np.testing.assert_allclose(entropy(two), [np.log(2), np.log(2)])


def test_committee_counts_votes() -> None:
    members = [[[0.9, 0.1]], [[0.6, 0.4]], [[0.2, 0.8]], [[0.7, 0.3]]]  # three votes to one
    one = pool([[0.6, 0.4]], members=members)
    np.testing.assert_allclose(committee(one), [-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))])


def test_canonical_takes_the_neighbours_of_past_targets() -> None:
    features = [[0.0], [1.0], [2.0], [20.0], [21.0]]
    chosen = canonical(pool([[0.5, 0.5]] * 5, features=features, followed_up=[[20.4], [20.6]]), 2, rng())
    assert set(chosen.tolist()) == {3, 4}


def test_one_wild_value_does_not_set_the_scale_of_canonical() -> None:
    past = [[float(i % 2), float(i % 2)] for i in range(20)] + [[1e12, 0.0]]
    features = [[0.0, 0.0], [1.0, 1.0], [60.0, 0.5], [70.0, 0.5]]
    chosen = canonical(pool([[0.5, 0.5]] * 4, features=features, followed_up=past), 2, np.random.default_rng(4))
    assert set(chosen.tolist()) == {0, 1}


def test_canonical_without_past_targets_is_random() -> None:
    assert sorted(canonical(pool([[0.5, 0.5]] * 4), 4, rng()).tolist()) == [0, 1, 2, 3]


def test_density_passes_over_a_lone_outlier() -> None:
    features = [[0.0], [0.1], [0.2], [50.0]]
    p = [[0.6, 0.4], [0.9, 0.1], [0.9, 0.1], [0.5, 0.5]]
    assert STRATEGIES["entropy"](pool(p, features=features), 1, rng()).tolist() == [3]
    assert density_weighted(pool(p, features=features), 1, rng()).tolist() == [0]


def test_cost_divides_uncertainty() -> None:
    two = pool([[0.5, 0.5], [0.7, 0.3]], cost=[10.0, 1.0])
    assert STRATEGIES["cost"](two, 1, rng()).tolist() == [1]


def test_a_budgeted_batch_stays_within_its_budget() -> None:
    p = [[0.5, 0.5], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2]]
    chosen = budgeted(pool(p, cost=[6.0, 2.0, 2.0, 2.0], budget=5.0), 4, rng())
    assert chosen.tolist() == [1, 2]


def test_one_object_that_is_worth_more_than_the_batch_takes_its_place() -> None:
    chosen = budgeted(pool([[0.5, 0.5], [0.99, 0.01]], cost=[10.0, 0.1], budget=10.0), 2, rng())
    assert chosen.tolist() == [0]


def test_nothing_is_chosen_where_nothing_is_affordable() -> None:
    assert budgeted(pool([[0.5, 0.5]] * 3, cost=[2.0] * 3, budget=1.0), 3, rng()).tolist() == []


def test_a_budgeted_batch_has_half_of_the_best_possible_total() -> None:
    draw = np.random.default_rng(5)
    for _ in range(50):
        p, cost = draw.uniform(0.5, 1, 8), draw.uniform(0.2, 3, 8)
        some = pool(np.column_stack([p, 1 - p]), cost=cost, budget=3.0)
        subsets = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(bool)
        totals = [(1 - p)[s].sum() for s in subsets if cost[s].sum() <= 3.0]
        chosen = budgeted(some, 8, draw)
        assert cost[chosen].sum() <= 3.0
        assert (1 - p)[chosen].sum() >= 0.5 * max(totals)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_chooses_distinct_rows_and_no_more_than_there_are(name: str) -> None:
    draw = np.random.default_rng(3)
    members = draw.dirichlet([1, 1], (5, 30))
    some = pool(members.mean(axis=0), members=members, features=draw.normal(size=(30, 2)), followed_up=[[0.0, 0.0]])
    for n in (0, 7, 50):
        chosen = STRATEGIES[name](some, n, np.random.default_rng(1))
        assert len(set(chosen.tolist())) == len(chosen) == min(n, 30)
        assert STRATEGIES[name](some, n, np.random.default_rng(1)).tolist() == chosen.tolist()


def test_equal_scores_are_not_taken_in_the_order_of_the_pool() -> None:
    first = {int(STRATEGIES["uncertainty"](pool([[0.5, 0.5]] * 9), 1, np.random.default_rng(s))[0]) for s in range(60)}
    assert len(first) == 9


def test_a_wrong_name_is_answered_with_a_near_one() -> None:
    with pytest.raises(UsageError, match="uncertainty"):
        strategy_of("uncertanty")
