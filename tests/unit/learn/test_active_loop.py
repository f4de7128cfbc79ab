"""The loop of active learning on synthetic objects whose best queries are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from redpoll.errors import UsageError
from redpoll.learn.active_loop import learning_curve
from redpoll.learn.errors import DatasetError
from redpoll.learn.loop_options import LoopOptions
from redpoll.learn.query_roles import KnownObjects, Roles
from redpoll.learn.query_table import QueryTable
from redpoll.learn.weighted_strategies import STRATEGIES

OPTIONS = LoopOptions("sn_ia", queries=40, batch=10, every=20, initial=6, trees=10)


def table(n: int = 400, *, seed: int = 0, rows: int = 1, **columns) -> QueryTable:
    """Two classes that a curved line parts; each object has `rows` rows, one a night."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)).astype(np.float32)
    label = np.where(X[:, 0] + X[:, 1] ** 2 > 1.2, "sn_ia", "other")
    who = np.repeat(np.arange(n), rows)
    night = np.tile(np.arange(rows), n) + np.repeat(rng.integers(0, 20, n), rows) if rows > 1 else np.zeros(n)
    given = {"split": np.full(len(who), ""), "mjd": 60000.0 + night, "mag": np.full(len(who), 18.0),
             "cost": np.ones(len(who))}  # fmt: skip
    return QueryTable(("a", "b"), X[who], who.astype(str), label[who], **(given | columns))


def test_uncertainty_beats_random_where_the_border_is_what_is_not_known() -> None:
    some = table(1500)
    threshold = replace(some, label=np.where(some.features[:, 0] > 0.3, "sn_ia", "other"))
    options = replace(OPTIONS, queries=12, batch=3)
    wrong = {
        name: np.mean([1 - learning_curve(threshold, options, name, seed)[-1].accuracy for seed in range(4)])
        for name in ("uncertainty", "random")
    }
    assert wrong["uncertainty"] < 0.6 * wrong["random"]


def test_the_same_seed_gives_the_same_curve_and_all_strategies_begin_alike() -> None:
    some = table()
    first = learning_curve(some, OPTIONS, "uncertainty", 3)
    assert learning_curve(some, OPTIONS, "uncertainty", 3) == first
    other = learning_curve(some, OPTIONS, "random", 3)
    assert replace(first[0], strategy="") == replace(other[0], strategy="")
    assert first[-1] != learning_curve(some, OPTIONS, "uncertainty", 4)[-1]


def test_the_order_of_the_rows_does_not_matter_to_who_is_in_the_test() -> None:
    some = table()
    turned = some.take(np.arange(len(some))[::-1])
    assert Roles(some, OPTIONS, 1).is_test.tolist() == Roles(turned, OPTIONS, 1).is_test.tolist()
    assert Roles(some, OPTIONS, 1).is_labelled.tolist() == Roles(some, OPTIONS, 1).is_labelled.tolist()


def test_no_object_is_for_two_things() -> None:
    roles = Roles(table(), replace(OPTIONS, audit=0.5), 1)
    assert not (roles.is_test & roles.is_labelled).any()
    assert not (roles.is_audited & (roles.is_test | roles.is_labelled)).any()
    assert roles.is_audited.any()


def test_queries_are_counted_and_measured_as_asked() -> None:
    points = learning_curve(table(), OPTIONS, "entropy", 0)
    assert [point.queries for point in points] == [0, 20, 40]
    assert [point.cost for point in points] == [0.0, 20.0, 40.0]


def test_the_loop_ends_where_the_pool_is_empty() -> None:
    some = table(60)
    points = learning_curve(some, replace(OPTIONS, queries=1000), "random", 0)
    roles = Roles(some, OPTIONS, 0)
    assert points[-1].queries == int((~roles.is_test & ~roles.is_labelled).sum())


def test_a_curve_that_is_stopped_keeps_what_it_has() -> None:
    asked = iter([False, False, False, True])
    points = learning_curve(table(), replace(OPTIONS, every=5), "random", 0, stop=lambda: next(asked))
    assert [point.queries for point in points] == [0, 10, 20]


def test_given_splits_are_taken() -> None:
    split = np.where(np.arange(400) % 4 == 0, "test", np.where(np.arange(400) % 4 == 1, "train", "pool"))
    roles = Roles(table(split=split), OPTIONS, 0)
    order = roles.names.astype(int)
    assert (roles.is_test == (order % 4 == 0)).all()
    assert (roles.is_labelled == (order % 4 == 1)).all()


def test_objects_become_known_night_by_night() -> None:
    some = table(50, rows=5)
    known = KnownObjects(some, Roles(some, replace(OPTIONS, initial=4), 0).place)
    for end in known.nights(by_night=True):
        assert (some.mjd[known.rows] < end).all() and (some.mjd[~known.rows] >= end).all()
        for row in known.last[known.last >= 0]:
            others = (some.object_id == some.object_id[row]) & (some.mjd < end)
            assert some.mjd[row] == some.mjd[others].max()


def test_nothing_too_faint_or_too_old_is_asked_for() -> None:
    bright = np.where(np.arange(400) % 2 == 0, 18.0, 22.0)
    some = table(mag=bright)
    roles = Roles(some, OPTIONS, 0)
    n = int((~roles.is_test & ~roles.is_labelled & (roles.names.astype(int) % 2 == 0)).sum())
    points = learning_curve(some, replace(OPTIONS, queries=1000, mag_limit=20.0), "random", 0)
    assert points[-1].queries == n
    nightly = replace(OPTIONS, queries=1000, batch=1000, by_night=True)
    roles = Roles(table(rows=3), OPTIONS, 0)
    n_pool = int((~roles.is_test & ~roles.is_labelled).sum())
    assert learning_curve(table(rows=3), nightly, "random", 0)[-1].queries == n_pool
    assert learning_curve(table(rows=3), replace(nightly, recent_days=0.5), "random", 0)[-1].queries == 0


def test_at_night_one_batch_is_asked_for() -> None:
    points = learning_curve(table(rows=3), replace(OPTIONS, by_night=True, every=1), "uncertainty", 0)
    nights = [point.night for point in points]
    assert np.diff(nights).min() > 0
    assert np.diff([point.queries for point in points]).max() <= OPTIONS.batch


def test_a_budget_holds_for_each_batch() -> None:
    cost = np.random.default_rng(1).uniform(1, 5, 400)
    options = replace(OPTIONS, every=1, budget=6.0, queries=15)
    points = learning_curve(table(cost=cost), options, "budgeted", 0)
    spent = np.diff([point.cost for point in points])
    assert 0 < spent.max() <= 6.0


def test_audited_labels_are_never_trained_on() -> None:
    options = replace(OPTIONS, audit=0.5, queries=80)
    points = learning_curve(table(), options, "random", 0)
    roles = Roles(table(), options, 0)
    assert points[0].queries == points[0].audited == int(roles.is_audited.sum())
    assert 0 < (points[-1].audited_accuracy or 0) <= 1


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("by_night", [False, True])
def test_every_strategy_runs(name: str, by_night: bool) -> None:
    options = replace(OPTIONS, budget=4.0, by_night=by_night, queries=15)
    points = learning_curve(table(rows=3 if by_night else 1), options, name, 0)
    assert 4 <= points[-1].queries <= 15


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positive": "sn_ib"}, "no object is of class 'sn_ib'.*sn_ia"),
        ({"learner": "forrest"}, "forest"),
        ({"test_fraction": 1.5}, "between 0 and 1"),
        ({"initial": 1}, "first labels"),
        ({"initial": 1000}, "1000 first labels"),
        ({"audit": 1.0}, "audit"),
        ({"similar_by": ("c",)}, "no feature 'c'"),
    ],
)
def test_options_that_do_not_fit_are_refused(change: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        learning_curve(table(), replace(OPTIONS, **change), "random", 0)


def test_a_committee_needs_a_learner_that_is_one() -> None:
    with pytest.raises(UsageError, match="forest"):
        learning_curve(table(), replace(OPTIONS, learner="boosting"), "bald", 0)
    with pytest.raises(UsageError, match="budget"):
        learning_curve(table(), OPTIONS, "budgeted", 0)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("cost", np.zeros(400), "cost"),
        ("mag", np.full(400, np.nan), "mag"),
        ("mjd", np.full(400, np.nan), "mjd"),
        ("split", np.full(400, "tset"), "tset.*test"),
    ],
)
def test_values_that_cannot_be_used_are_refused(column: str, values: np.ndarray, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        table(**{column: values})


def test_rows_of_an_object_with_two_labels_are_refused() -> None:
    some = table()
    with pytest.raises(DatasetError, match="differ in label"):
        replace(some, object_id=np.full(400, "one"))
