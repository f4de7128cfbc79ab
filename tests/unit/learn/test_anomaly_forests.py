"""Forests that score anomalies: what they have learned, and that they are coniferest's own forests."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from redpoll.errors import RedpollError, UsageError
from redpoll.learn.anomaly_base import AnomalyBase, Rows, unpacked
from redpoll.learn.anomaly_explanation import contributions, pushing
from redpoll.learn.anomaly_forests import (
    AAD,
    ANOMALY,
    ISOLATION,
    KINDS,
    PINE,
    REGULAR,
    anomaly_sums,
    fit_anomaly_forest,
)
from redpoll.learn.errors import DatasetError
from redpoll.plugin.forest import Forest
from redpoll.plugin.forest_file import read_forest, write_forest
from redpoll.plugin.forest_model import ForestModel

NAMES = tuple("abcdef")
OUTLYING = 40


@pytest.fixture(scope="module")
def base() -> AnomalyBase:
    """A cloud, 20 outliers in feature a that nobody wants, and after them 20 smaller ones in f, the wanted ones."""
    rows = np.random.default_rng(1).normal(size=(2000, len(NAMES))).astype(np.float32)
    rows[:20, 0] += 9
    rows[20:OUTLYING, 5] += 5
    return AnomalyBase(NAMES, rows)


def labelled(base: AnomalyBase, kind: str, seed: int = 1) -> Forest:
    """A forest after ten labels of each sort."""
    labels = np.repeat([REGULAR, ANOMALY], 10).astype(np.int8)
    return fit_anomaly_forest(base, base.rows[10:30], labels, kind=kind, seed=seed)


def unlabelled(base: AnomalyBase, kind: str, seed: int = 1) -> Forest:
    """A forest before any label."""
    return fit_anomaly_forest(base, base.rows[:0], np.zeros(0, np.int8), kind=kind, seed=seed)


def wanted_above(forest: Forest, base: AnomalyBase) -> float:
    """Fraction of the unlabelled pairs (wanted, unwanted outlier) in which the wanted one scores higher."""
    score = anomaly_sums(forest, base.rows)
    return float((score[30:OUTLYING, None] > score[None, :10]).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_outliers_score_higher_than_the_cloud(base: AnomalyBase, kind: str) -> None:
    score = anomaly_sums(unlabelled(base, kind), base.rows)
    assert np.median(score[:20]) > np.quantile(score[OUTLYING:], 0.95)


@pytest.mark.parametrize("kind", [AAD, PINE])
def test_labels_move_what_was_not_labelled(base: AnomalyBase, kind: str) -> None:
    before, after = wanted_above(unlabelled(base, kind), base), wanted_above(labelled(base, kind), base)
    assert before < 0.5 < after


def test_an_isolation_forest_does_not_learn(base: AnomalyBase) -> None:
    assert write_forest(labelled(base, ISOLATION)) == write_forest(unlabelled(base, ISOLATION))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_data_give_the_same_bytes_and_another_seed_others(base: AnomalyBase, kind: str) -> None:
    data = write_forest(labelled(base, kind))
    assert write_forest(labelled(base, kind)) == data != write_forest(labelled(base, kind, seed=2))
    assert np.array_equal(read_forest(data).values, labelled(base, kind).values)


def test_scores_are_those_of_coniferest(base: AnomalyBase) -> None:
    from coniferest.aadforest import AADForest
    from coniferest.isoforest import IsolationForest

    aad = AADForest(100, 256, n_jobs=1, random_seed=1).fit(base.rows)
    aad.fit_known(base.rows, base.rows[10:30], np.repeat([REGULAR, ANOMALY], 10))
    line = np.polyfit(-aad.score_samples(base.rows), anomaly_sums(labelled(base, AAD), base.rows), 1)
    found = np.polyval(line, -aad.score_samples(base.rows))
    np.testing.assert_allclose(anomaly_sums(labelled(base, AAD), base.rows), found, atol=2e-5)
    isolation = IsolationForest(100, 256, n_jobs=1, random_seed=1).fit(base.rows)
    depth = -np.log2(-isolation.score_samples(base.rows))
    sums = anomaly_sums(unlabelled(base, ISOLATION), base.rows)
    np.testing.assert_allclose(sums, np.polyval(np.polyfit(depth, sums, 1), depth), atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_median_row_has_a_tenth_and_one_row_in_a_hundred_is_above_a_half(base: AnomalyBase, kind: str) -> None:
    score = ForestModel("m", "1", labelled(base, kind)).predict_proba(base.rows)[:, 1]
    assert np.median(score) == pytest.approx(0.1, abs=1e-3)
    assert (score > 0.5).mean() == pytest.approx(0.01, abs=1e-3)


def test_a_missing_feature_counts_as_the_median(base: AnomalyBase) -> None:
    rows = base.rows.copy()
    rows[::3, 1], rows[::5, 5] = np.nan, np.inf
    holed = AnomalyBase(NAMES, rows)
    forest = unlabelled(holed, AAD)
    missing = np.where(np.isinf(rows), np.nan, rows)
    assert np.array_equal(anomaly_sums(forest, missing), anomaly_sums(forest, holed.filled))


def test_contributions_add_up_to_the_score(base: AnomalyBase) -> None:
    forest = labelled(base, AAD)
    added = contributions(forest, base.rows[:50], base.rows)
    total = anomaly_sums(forest, base.rows[:50]) - anomaly_sums(forest, base.rows[::2]).mean()
    np.testing.assert_allclose(added.sum(axis=1), total, atol=1e-6)


def test_the_feature_that_makes_an_outlier_is_named(base: AnomalyBase) -> None:
    forest = unlabelled(base, ISOLATION)
    added = contributions(forest, base.rows[:OUTLYING], base.rows)
    assert [NAMES[i] for i in added.argmax(axis=1)].count("a") >= 20
    first = pushing(NAMES, base.rows[0], added[0], base.medians, 1)[0]
    assert (first["feature"], first["value"]) == ("a", float(base.rows[0, 0]))


def test_contributions_of_a_row_with_a_missing_feature_follow_its_path(base: AnomalyBase) -> None:
    forest, row = labelled(base, AAD), base.rows[:1].copy()
    row[0, 0] = np.nan
    as_median = base.fill(row)
    assert np.array_equal(contributions(forest, row, base.rows), contributions(forest, as_median, base.rows))


@pytest.mark.parametrize(
    ("known", "labels", "kind"),
    [
        (np.zeros((1, 5), np.float32), [1], AAD), (np.zeros((2, 6), np.float32), [1], AAD),
        (np.zeros((1, 6), np.float32), [0], AAD), (np.zeros((1, 6), np.float32), [1], "oracle"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_misuse(base: AnomalyBase, known: Rows, labels: list[int], kind: str) -> None:
    with pytest.raises(UsageError):
        fit_anomaly_forest(base, known, np.array(labels, np.int8), kind=kind)


def test_without_coniferest_the_extra_is_named(base: AnomalyBase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "coniferest", None)
    with pytest.raises(RedpollError, match=r"redpoll\[learn\]"):
        unlabelled(base, AAD)


@pytest.mark.parametrize("kind", KINDS)
def test_extreme_bases_give_finite_scores(kind: str) -> None:
    rows = np.zeros((20, 3), np.float32)
    rows[:, 1], rows[:10, 2] = np.nan, 3e38
    score = ForestModel("m", "1", unlabelled(AnomalyBase(("x", "y", "z"), rows), kind)).predict_proba(rows)
    assert np.isfinite(score).all()


def artefacts_asked(base: AnomalyBase, is_artefact: NDArray[np.bool_], kind: str) -> int:
    """Number of artefacts among the last 40 of 60 rows that a model asks about, if real objects are wanted."""
    asked: list[int] = []
    for _ in range(60):
        labels = np.where(is_artefact[asked], REGULAR, ANOMALY).astype(np.int8)
        score = anomaly_sums(fit_anomaly_forest(base, base.rows[asked], labels, kind=kind), base.rows)
        score[asked] = -np.inf
        asked.append(int(score.argmax()))
    return int(is_artefact[asked[20:]].sum())


def test_labels_keep_artefacts_of_the_snad_set_out(data_dir: Path) -> None:
    table = pq.read_table(data_dir / "anomaly" / "snad_akb_features.parquet")
    names = tuple(table.column_names[2:])
    base = AnomalyBase(names, np.column_stack([table[name].to_numpy() for name in names]).astype(np.float32))
    is_artefact = table["label"].to_numpy() == 1
    assert 2 * artefacts_asked(base, is_artefact, AAD) <= artefacts_asked(base, is_artefact, ISOLATION)


def test_a_base_comes_back_from_its_bytes(base: AnomalyBase) -> None:
    again = unpacked(NAMES, base.packed(), base.hash)
    assert again.hash == base.hash and np.array_equal(again.rows, base.rows)


@pytest.mark.parametrize("spoil", [lambda d: b"", lambda d: d[:-4], lambda d: b"x" + d, lambda d: b"\x00" * 99])
def test_spoilt_bytes_are_refused(base: AnomalyBase, spoil) -> None:
    with pytest.raises(DatasetError):
        unpacked(NAMES, spoil(base.packed()), base.hash)
    with pytest.raises(DatasetError):
        unpacked(NAMES[:5], base.packed(), base.hash)
    with pytest.raises(DatasetError):
        unpacked(NAMES, base.packed(), "0" * 64)


@pytest.mark.parametrize("shape", [(15, 6), (20, 5)])
def test_a_base_of_a_wrong_shape_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(DatasetError):
        AnomalyBase(NAMES, np.zeros(shape, np.float32))
