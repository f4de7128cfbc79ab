"""Frozen training sets."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.errors import UsageError
from redpoll.learn.cadence import CADENCE
from redpoll.learn.dataset import open_dataset
from redpoll.learn.errors import DatasetError
from redpoll.learn.features import feature_rows
from redpoll.learn.source_leakage import leakage
from redpoll.learn.training_set import TrainingSet, freeze, load_training_set

N, N_OBJECTS = 60, 15


def drawn(seed=1, n=N):
    rng = np.random.default_rng(seed)
    number = np.arange(n) % N_OBJECTS
    return TrainingSet(
        rng.normal(size=(n, 3)).astype(np.float32), ("a", "b", "c"), np.where(number % 2, "sn_ia", "sn_ii"),
        np.array([f"o{i}" for i in number]), np.where(number % 3, "bts", "tde"),
        60000.0 + number + rng.uniform(0, 0.5, n), rng.normal(size=(n, len(CADENCE))), {"model": "m", "maker": "m@1"},
    )  # fmt: skip


SOME = drawn()


@given(st.permutations(range(N)))
def test_the_hash_does_not_depend_on_the_order_of_rows(order):
    shuffled = SOME.take(np.array(order))
    assert shuffled.hash == SOME.hash and shuffled.sorted.features.tobytes() == SOME.sorted.features.tobytes()


def test_a_missing_feature_is_one_whatever_the_bits_of_its_nan(tmp_path):
    features = SOME.features.copy()
    features[0, 0] = np.nan
    one, other = replace(SOME, features=features), replace(SOME, features=np.copysign(features, features))
    other.features.view(np.uint32)[0, 0] = 0xFFC00001
    assert np.isnan(other.features[0, 0]) and one.hash == other.hash != SOME.hash
    one.save(tmp_path / "rows.parquet")
    assert load_training_set(tmp_path / "rows.parquet").hash == one.hash


@pytest.mark.parametrize(
    "changed",
    [
        {"names": ("a", "c", "b")},
        {"about": {"model": "m", "maker": "m@2"}}, {"about": {"model": "n", "maker": "m@1"}},
        {"labels": np.where(np.arange(N) == 3, "tde", SOME.labels)}, {"mjd": SOME.mjd + 1e-6},
        {"object_ids": np.where(np.arange(N) == 3, "o99", SOME.object_ids)},
        {"features": np.nextafter(SOME.features, np.float32(9))},
    ],
)  # fmt: skip
def test_the_hash_changes_with_what_is_learnt(changed):
    assert replace(SOME, **changed).hash != SOME.hash


def test_a_row_more_or_less_changes_the_hash():
    assert len({SOME.hash, SOME.take(np.arange(N - 1)).hash, SOME.take(np.append(np.arange(N), 0)).hash}) == 3


def test_zero_has_no_sign():
    zeros = np.zeros_like(SOME.features)
    assert replace(SOME, features=zeros).hash == replace(SOME, features=-zeros).hash


@given(st.floats(0.2, 0.8), st.integers(0, 5))
def test_no_object_is_on_both_sides(fraction, seed):
    try:
        first, second = SOME.split_by_object(fraction, seed)
    except DatasetError:
        return
    assert set(first.object_ids).isdisjoint(second.object_ids) and len(first) + len(second) == N


def test_an_object_keeps_its_side_when_others_come():
    _, second = SOME.split_by_object(0.4)
    _, of_some = SOME.take(np.isin(SOME.object_ids, [f"o{i}" for i in range(8)])).split_by_object(0.4)
    assert set(of_some.object_ids) == set(second.object_ids) & {f"o{i}" for i in range(8)}
    names = np.array([f"object {i}" for i in range(4000)])
    many = replace(drawn(n=4000), object_ids=names)
    assert len(many.split_by_object(0.25)[1]) / 4000 == pytest.approx(0.25, abs=0.03)


def test_a_split_by_time_is_by_the_first_row_of_an_object():
    first, second = SOME.split_by_time(60007.0)
    assert set(first.object_ids) == {f"o{i}" for i in range(7)} and set(first.object_ids).isdisjoint(second.object_ids)


def test_an_empty_side_and_an_invalid_fraction_are_refused():
    with pytest.raises(DatasetError, match="on one side"):
        SOME.split_by_time(1.0)
    with pytest.raises(UsageError, match="fraction 1"):
        SOME.split_by_object(1.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"features": np.full((N, 3), np.inf, np.float32)}, "finite float32"),
        ({"features": SOME.features.astype(np.float64)}, "float32"),
        ({"features": SOME.features[:, :2]}, "2\\) for 3 names"),
        ({"labels": np.full(N, "")}, "label"),
        ({"labels": SOME.labels[1:]}, "60 rows"),
        ({"about": {"model": object()}}, "JSON"),
    ],
)
def test_what_is_no_training_set_is_refused(changed, message):
    with pytest.raises(DatasetError, match=message):
        replace(SOME, **changed)


def test_a_file_brings_back_the_same_set(tmp_path):
    SOME.save(tmp_path / "set.parquet")
    found = load_training_set(tmp_path / "set.parquet")
    assert (found.hash, found.names, found.about) == (SOME.hash, SOME.names, SOME.about)
    assert np.array_equal(found.features, SOME.features) and np.array_equal(found.cadence, SOME.cadence)
    assert found.sources.tolist() == SOME.sources.tolist()


def test_a_file_that_was_changed_is_refused(tmp_path):
    path = tmp_path / "set.parquet"
    SOME.save(path)
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    with pytest.raises(DatasetError, match="not those that were saved"):
        load_training_set(path)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(DatasetError, match="no training set"):
        load_training_set(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match="cannot be read"):
        load_training_set(path)


def test_rows_that_the_module_scores_are_frozen(curve_file):
    table = feature_rows(open_dataset(curve_file), "early_sn_ia")
    found = freeze(table, note="test")
    assert len(found) == table.is_scored.sum() > 0 and found.about["n_not_scored"] == (~table.is_scored).sum()
    assert (found.about["maker"], found.about["note"]) == ("early_sn_ia@2", "test")
    assert freeze(table.take(np.arange(len(table))[::-1])).features.tobytes() == found.features.tobytes()
    with pytest.raises(DatasetError, match="none of"):
        freeze(table.take(~table.is_scored))


def rows_of_sources(days):
    """Cadence of 40 objects of each of two sources, one of which has so many more days."""
    rng = np.random.default_rng(2)
    source = np.repeat(["one", "two"], 120)
    cadence = rng.normal(size=(240, len(CADENCE)))
    cadence[source == "two", CADENCE.index("days")] += days
    return cadence, source, np.array([f"{s} {i % 40}" for i, s in enumerate(source)])


def test_cadence_that_differs_betrays_its_source():
    assert leakage(*rows_of_sources(6.0)) == pytest.approx({"one": 1.0, "two": 1.0}, abs=0.02)


def test_equal_cadence_betrays_nothing():
    assert leakage(*rows_of_sources(0.0)) == pytest.approx({"one": 0.5, "two": 0.5}, abs=0.12)


def test_an_object_does_not_betray_itself():
    """Rows of one object are alike; across objects there is nothing to learn."""
    rng = np.random.default_rng(4)
    objects = np.repeat([f"o{i}" for i in range(30)], 10)
    cadence = np.repeat(rng.normal(size=(30, len(CADENCE))), 10, axis=0)
    assert leakage(cadence, np.repeat(rng.choice(["one", "two"], 30), 10), objects)["one"] < 0.75


def test_a_single_source_cannot_be_measured():
    cadence, source, objects = rows_of_sources(0.0)
    assert np.isnan(leakage(cadence, np.full(len(source), "one"), objects)["one"])
    with pytest.raises(DatasetError, match="1 sources"):
        leakage(cadence, source[:1], objects)
    assert set(SOME.source_leakage()) == {"bts", "tde"} and set(SOME.source_leakage(SOME.labels)) == {"sn_ia", "sn_ii"}


def test_scikit_learn_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(DatasetError, match=r"pip install 'redpoll\[learn\]'"):
        leakage(*rows_of_sources(0.0))
