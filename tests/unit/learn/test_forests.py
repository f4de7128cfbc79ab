"""Tree ensembles: Redpoll, scikit-learn and ONNX Runtime give the same probabilities."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from threadpoolctl import threadpool_limits

from redpoll.errors import ModelError
from redpoll.learn.forests import forest_file
from redpoll.learn.forests_onnx import forest_onnx
from redpoll.plugin.forest import Calibration
from redpoll.plugin.forest_file import read_forest
from redpoll.plugin.forest_model import ForestModel, calibrated
from redpoll.plugin.onnx_model import OnnxModel, onnx_session

KINDS = {
    "random forest": lambda: RandomForestClassifier(20, random_state=1),
    "extra trees": lambda: ExtraTreesClassifier(20, random_state=1, max_depth=6),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=20, random_state=1),
}


@pytest.fixture(autouse=True)
def one_thread():
    """The threads of boosting wait for each other actively, which takes long on a machine with other work."""
    with threadpool_limits(1):
        yield


def some_rows(n, k=5, seed=0):
    """Normal features, some of them missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, k)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X


@cache
def trained(kind, n_classes, n=400):
    X = some_rows(n)
    score = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1]) * np.isnan(X[:, 2]) + np.nan_to_num(X[:, 3]) ** 2
    return KINDS[kind]().fit(X, np.argsort(np.argsort(score)) * n_classes // n)


def opened(estimator, calibration=None):
    """The model in Redpoll's format, and as ONNX."""
    data = forest_file(estimator, calibration)
    forest = read_forest(data)
    session = onnx_session(forest_onnx(data))
    return ForestModel("toy", "1", forest), OnnxModel("toy", "1", forest.n_classes, session)


def at_thresholds(forest, n):
    """Rows whose features are exactly thresholds of nodes that compare them, and the floats beside."""
    rng, X = np.random.default_rng(2), np.zeros((n, forest.n_features), np.float32)
    for f in range(forest.n_features):
        X[:, f] = rng.choice(forest.threshold[forest.feature == f], n)
    side = rng.integers(-1, 2, X.shape)
    beside = np.nextafter(X, np.where(side > 0, np.inf, -np.inf).astype(np.float32))
    return np.clip(np.where(side == 0, X, beside), -3e38, 3e38)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [2, 3, 17])
def test_three_programs_agree(kind, n_classes):
    estimator = trained(kind, n_classes)
    ours, onnx_model = opened(estimator)
    for X in (some_rows(3000, seed=1), some_rows(1), at_thresholds(ours.forest, 2000), np.full((2, 5), np.nan)):
        found, expected = ours.predict_proba(X), estimator.predict_proba(X)
        assert (found.dtype, found.shape) == (np.float32, (len(X), n_classes))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(onnx_model.predict_proba(X), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [2, 5])
def test_a_calibration_is_applied_to_the_probabilities(kind, n_classes):
    rng, X = np.random.default_rng(3), some_rows(1000, seed=4)
    calibration = Calibration(tuple(rng.uniform(0.5, 2, n_classes)), tuple(rng.normal(size=n_classes)))
    estimator = trained(kind, n_classes)
    ours, onnx_model = opened(estimator, calibration)
    expected = calibrated(estimator.predict_proba(X), calibration)
    np.testing.assert_allclose(ours.predict_proba(X), expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(onnx_model.predict_proba(X), expected, rtol=0, atol=1e-5)


def test_the_calibration_that_changes_nothing_changes_nothing():
    X, estimator = some_rows(100, seed=4), trained("boosting", 3)
    same = opened(estimator, Calibration((1.0,) * 3, (0.0,) * 3))[0].predict_proba(X)
    np.testing.assert_allclose(same, opened(estimator)[0].predict_proba(X), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_have_no_probabilities(kind):
    assert opened(trained(kind, 3))[0].predict_proba(np.zeros((0, 5))).shape == (0, 3)


def test_rows_are_scored_alike_alone_and_together():
    model, X = opened(trained("random forest", 3))[0], some_rows(600, seed=5)
    alone = np.concatenate([model.predict_proba(row[None]) for row in X])
    assert alone.tobytes() == model.predict_proba(X).tobytes() == model.predict_proba(X.astype(float)[:, :]).tobytes()


@pytest.mark.parametrize("threshold", [0.1, -0.1, 1e-46, -1e-46, 1e300, -1e300, 1.5, np.inf])
def test_a_threshold_of_64_bits_separates_the_same_numbers_of_32(threshold):
    forest = RandomForestClassifier(1, bootstrap=False, random_state=0).fit([[0], [1]], [0, 1])
    state = forest.estimators_[0].tree_.__getstate__()
    state["nodes"]["threshold"][0] = threshold
    forest.estimators_[0].tree_.__setstate__(state)
    near = np.float32(np.clip(threshold, -3e38, 3e38))
    X = np.array([-np.inf, np.nextafter(near, np.float32(-9)), near, np.nextafter(near, np.float32(9)), np.inf])
    X = X.astype(np.float32)[:, None]
    expected = (X[:, 0].astype(np.float64) > threshold).astype(float)
    assert opened(forest)[0].predict_proba(X)[:, 1].tolist() == expected.tolist()


def test_a_tree_without_a_split_is_its_leaf():
    forest = RandomForestClassifier(3, max_depth=1, random_state=0).fit(np.ones((4, 2)), [0, 1, 1, 1])
    ours, onnx_model = opened(forest)
    for model in (ours, onnx_model):
        np.testing.assert_allclose(model.predict_proba(np.zeros((2, 2))), forest.predict_proba(np.zeros((2, 2))))


def test_the_same_forest_gives_the_same_bytes_and_a_small_file():
    estimator = trained("random forest", 3)
    data = forest_file(estimator)
    assert data == forest_file(trained("random forest", 3))
    assert len(read_forest(data).values) < sum(tree.tree_.n_leaves for tree in estimator.estimators_) / 100
    onnx.checker.check_model(onnx.load_from_string(forest_onnx(data)))


@pytest.mark.parametrize(
    ("estimator", "complaint"),
    [
        (RandomForestClassifier, "not a trained"),
        (lambda: DummyClassifier().fit([[0]], [0]), "DummyClassifier cannot be written"),
        (lambda: RandomForestClassifier(2).fit([[0], [1]], [[0, 1], [1, 0]]), "2 outputs"),
        (
            lambda: HistGradientBoostingClassifier(categorical_features=[0]).fit(np.eye(30), np.arange(30) % 2),
            "categor",
        ),
    ],
    ids=["not trained", "another", "two outputs", "categories"],
)
def test_an_estimator_that_cannot_be_written_is_refused(estimator, complaint):
    with pytest.raises(ModelError, match=complaint):
        forest_file(estimator())


def test_a_row_of_other_features_is_refused():
    with pytest.raises(ModelError, match="toy@1 has 5 features"):
        opened(trained("boosting", 2))[0].predict_proba(np.zeros((3, 4)))
