"""Files of tree ensembles: what is written is read, and a hostile file is refused or scores like any other."""

from __future__ import annotations

import json
import math
import tracemalloc
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.errors import ModelError
from redpoll.plugin.forest import LINKS, Calibration, Forest
from redpoll.plugin.forest_checks import MAX_STEPS
from redpoll.plugin.forest_file import MAGIC, MAX_HEADER_BYTES, read_forest, write_forest
from redpoll.plugin.forest_model import ForestModel

NUMBERS = [-np.inf, -1.5, -1.0, -0.0, 0.0, 1e-40, 1.0, 1.5, np.inf]
X = np.array([[x, y] for x in [*NUMBERS, np.nan] for y in [*NUMBERS, np.nan]], np.float32)


def random_forest(seed, link="mean", n_trees=3, n_splits=6, n_classes=3):
    """Trees that grow by splitting random leaves; two features."""
    rng, outputs = np.random.default_rng(seed), 1 if link == "logistic" else n_classes
    feature, left, right, roots = [], [], [], []
    for _ in range(n_trees):
        roots.append(len(feature))
        feature.append(-1), left.append(0), right.append(0)
        for _ in range(n_splits):
            leaf = rng.choice([i for i in range(roots[-1], len(feature)) if feature[i] < 0])
            feature[leaf], left[leaf], right[leaf] = int(rng.integers(2)), len(feature), len(feature) + 1
            for lists in (feature, left, right):
                lists += [-1 if lists is feature else 0] * 2
    n, width = len(feature), outputs if link == "mean" else 1
    values = rng.dirichlet(np.ones(width), 5) if link == "mean" else rng.normal(size=(5, 1))
    feature, left = np.array(feature, np.int16), np.array(left, np.int32)
    left[feature < 0] = rng.integers(0, 5, (feature < 0).sum())
    return Forest(
        link, 2, n_classes, (0.0,) * outputs if link == "mean" else tuple(rng.normal(size=outputs).tolist()),
        feature, rng.choice(NUMBERS, n).astype(np.float32), left, np.array(right, np.int32),
        rng.integers(0, 2, n).astype(np.uint8), values.astype(np.float32), np.array(roots, np.int32),
        rng.integers(0, outputs - width + 1, n_trees).astype(np.int32),
        Calibration(tuple(rng.uniform(0.5, 2, n_classes)), (0.0,) * n_classes) if seed % 2 else None,
    )  # fmt: skip


def slow_sums(forest, x):
    """The sums of one row, step by step."""
    sums = np.array(forest.baseline)
    for root, column in zip(forest.roots, forest.columns, strict=True):
        node = root
        while (f := forest.feature[node]) >= 0:
            is_left = forest.missing_left[node] if np.isnan(x[f]) else x[f] <= forest.threshold[node]
            node = forest.left[node] if is_left else forest.right[node]
        row = forest.values[forest.left[node]]
        sums[column : column + len(row)] += row
    return sums


def slow_proba(forest, x):
    sums = slow_sums(forest, x)
    if forest.link == "mean":
        p = sums / len(forest.roots)
    else:
        weights = [math.exp(s) for s in ([0, *sums] if forest.link == "logistic" else sums)]
        p = np.array(weights) / sum(weights)
    if forest.calibration is None:
        return p
    weights = [max(q, 1e-7) ** a * math.exp(b)
               for q, a, b in zip(p, forest.calibration.scale, forest.calibration.bias, strict=True)]  # fmt: skip
    return np.array(weights) / sum(weights)


def proba(forest, rows=X):
    return ForestModel("toy", "1", forest).predict_proba(rows)


any_forest = st.builds(
    lambda seed, link, *sizes: random_forest(seed, link, *sizes, n_classes=2 if link == "logistic" else 3),
    st.integers(0, 10**6), st.sampled_from(LINKS), st.integers(1, 5), st.integers(0, 12),
)  # fmt: skip


@given(any_forest)
def test_an_ensemble_is_read_as_it_was_written_and_scores_like_the_slow_way(forest):
    data = write_forest(forest)
    found = read_forest(data)
    for field in fields(Forest):
        np.testing.assert_equal(getattr(found, field.name), getattr(forest, field.name))
    assert write_forest(found) == data
    np.testing.assert_allclose(proba(found), [slow_proba(forest, x) for x in X], rtol=0, atol=1e-6)


@given(any_forest, st.data())
def test_a_truncated_file_is_refused(forest, data):
    file = write_forest(forest)
    with pytest.raises(ModelError, match="tree ensemble"):
        read_forest(file[: data.draw(st.integers(0, len(file) - 1))])


@given(any_forest, st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 7)), min_size=1, max_size=8))
def test_flipped_bits_are_refused_or_harmless(forest, flips):
    file = bytearray(write_forest(forest))
    for at, bit in flips:
        file[at % len(file)] ^= 1 << bit
    check_refused_or_harmless(bytes(file))


@given(st.binary(max_size=400))
def test_any_bytes_after_the_magic_word_are_refused_or_harmless(data):
    check_refused_or_harmless(MAGIC + data)


@given(any_forest, st.data())
def test_any_numbers_in_an_array_are_refused_or_harmless(forest, data):
    arrays = [field.name for field in fields(Forest) if isinstance(getattr(forest, field.name), np.ndarray)]
    name = data.draw(st.sampled_from(arrays))
    changed = getattr(forest, name).copy()
    changed.flat[data.draw(st.integers(0, changed.size - 1))] = data.draw(
        st.floats(width=32) if changed.dtype.kind == "f" else st.integers(
            np.iinfo(changed.dtype).min, np.iinfo(changed.dtype).max) | st.integers(0, 20))  # fmt: skip
    check_refused_or_harmless(unchecked_file(replace(forest, **{name: changed})))


def unchecked_file(forest):
    """The file of an ensemble that `write_forest` would refuse."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("redpoll.plugin.forest_file.check_forest", lambda forest: None)
        return write_forest(forest)


def check_refused_or_harmless(data):
    try:
        forest = read_forest(data)
    except ModelError as error:
        assert len(str(error)) < 400
        return
    p = proba(forest, np.resize(X, (len(X), forest.n_features)))
    assert p.shape == (len(X), forest.n_classes) and ((p >= 0) & (p < 1.01)).all()


def with_header(forest=None, **changes):
    """A file with other fields in its header."""
    file = write_forest(forest or random_forest(1))
    end = 16 + int.from_bytes(file[8:16], "little")
    header = json.dumps(json.loads(file[16:end]) | changes).encode()
    return MAGIC + len(header).to_bytes(8, "little") + header + file[end:]


def with_array(name, entry):
    file = write_forest(random_forest(1))
    arrays = json.loads(file[16 : 16 + int.from_bytes(file[8:16], "little")])["arrays"]
    return with_header(arrays=[entry if listed[0] == name else listed for listed in arrays])


HUGE = 2**31 - 1


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (MAGIC, "too long|not JSON"),
        (MAGIC + b"\xff" * 8 + b"{}", "too long"),
        (MAGIC + (MAX_HEADER_BYTES + 1).to_bytes(8, "little") + b" " * (MAX_HEADER_BYTES + 1), "too long"),
        (MAGIC + (100_000).to_bytes(8, "little") + b"[" * 100_000, "not JSON"),
        (MAGIC + (2).to_bytes(8, "little") + b"[]", "not a JSON object"),
        (MAGIC + (2).to_bytes(8, "little") + b"\xff\xff", "not JSON"),
        (with_header(format=2), "format 1"),
        (with_header(more=1), "format 1"),
        (with_header(link="identity"), "link is none of"),
        (with_header(link=["mean"]), "link is none of"),
        (with_header(link="logistic"), "3 classes"),
        (with_header(n_features=10**30), "n_features is not between"),
        (with_header(n_features=1), "none of 1"),
        (with_header(n_features=True), "whole number"),
        (with_header(n_classes=-1), "n_classes is not between"),
        (with_header(n_classes=2.0), "whole number"),
        (with_header(baseline=[0, 0, 10**400]), "baseline"),
        (with_header(baseline=[0, 0, 1]), "no baseline"),
        (with_header(baseline=[0, 0, "1"]), "list of numbers"),
        (with_header(baseline=[math.nan] * 3), "baseline"),
        (with_header(calibration=[1]), "calibration"),
        (with_header(calibration={"scale": [1] * 3, "bias": [0] * 2}), "calibration's bias"),
        (with_header(calibration={"scale": [1e9] * 3, "bias": [0] * 3}), "calibration's scale"),
        (with_header(arrays=[]), "other arrays"),
        (with_header(arrays=[[]] * 8), "its array feature"),
        (with_array("feature", ["feature", "object", [39]]), "feature is not int16"),
        (with_array("feature", ["feature", "int16", [HUGE]]), "ends before its array feature"),
        (with_array("feature", ["feature", "int16", [38]]), "follow its arrays"),
        (with_array("feature", ["feature", "int16", [-1]]), "feature is not int16"),
        (with_array("feature", ["feature", "int16", [True]]), "feature is not int16"),
        (with_array("values", ["values", "float32", [HUGE, HUGE]]), "ends before its array values"),
        (with_array("values", ["values", "float32", [3, 5]]), "outside of the file"),
        (with_array("values", ["values", "float32", [15]]), "values is not float32 of 2"),
        (write_forest(random_forest(1)) + b"x", "1 bytes follow"),
    ],
)  # fmt: skip
def test_a_hostile_header_is_refused(data, complaint):
    with pytest.raises(ModelError, match=complaint):
        read_forest(data)


def changed(name, at, value):
    forest = random_forest(2)
    array = getattr(forest, name).copy()
    array[at] = value
    return replace(forest, **{name: array})


@pytest.mark.parametrize(
    ("forest", "complaint"),
    [
        (changed("left", 0, 0), "after its parent"),
        (changed("right", 0, -1), "after its parent"),
        (changed("right", 0, HUGE), "after its parent"),
        (changed("left", -1, 5), "outside of the file"),
        (changed("left", -1, -1), "outside of the file"),
        (changed("feature", 0, 2), "compares a feature"),
        (changed("feature", 0, -2), "compares a feature"),
        (changed("threshold", 0, np.nan), "threshold is NaN"),
        (changed("missing_left", 0, 2), "missing_left"),
        (changed("roots", 1, 39), "root is not a node"),
        (changed("roots", 1, -1), "root is not a node"),
        (changed("columns", 1, 1), "adds to an output"),
        (changed("columns", 1, -1), "adds to an output"),
        (changed("values", 1, np.inf), "not finite"),
        (changed("values", 1, 0.5), "not a probability"),
        (replace(random_forest(2), roots=np.zeros(0, np.int32)), "different lengths"),
        (replace(random_forest(2), left=np.zeros(3, np.int32)), "different lengths"),
    ],
)
def test_a_hostile_node_is_refused(forest, complaint):
    with pytest.raises(ModelError, match=complaint):
        write_forest(forest)
    with pytest.raises(ModelError, match=f"{complaint}|not int32"):
        read_forest(unchecked_file(forest))


def chain(n, n_trees):
    """Trees of one path that is n long, and share their nodes."""
    feature, own = np.zeros(2 * n + 1, np.int16), np.arange(2 * n + 1, dtype=np.int32)
    feature[1::2], feature[-1] = -1, -1
    left, right = np.where(feature < 0, 0, own + 1), np.where(feature < 0, 0, own + 2)
    zeros = np.zeros(2 * n + 1)
    return Forest(
        "logistic", 2, 2, (0.0,), feature, zeros.astype(np.float32), left.astype(np.int32), right.astype(np.int32),
        zeros.astype(np.uint8), np.ones((1, 1), np.float32), np.zeros(n_trees, np.int32), np.zeros(n_trees, np.int32),
    )  # fmt: skip


def test_trees_that_would_take_long_are_refused():
    assert proba(read_forest(write_forest(chain(1000, 900))))[0, 1] == 1
    for forest in (chain(MAX_STEPS, 1), chain(10, MAX_STEPS), chain(1000, 1000)):
        with pytest.raises(ModelError, match="steps for one row"):
            read_forest(unchecked_file(forest))


def test_memory_is_in_proportion_to_the_file():
    data = unchecked_file(chain(200_000, 100))
    files = [data, with_array("values", ["values", "float32", [HUGE, HUGE]]), MAGIC + b"\xff" * 8]
    for file in files:
        tracemalloc.start()
        with pytest.raises(ModelError):
            read_forest(file)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10 * len(file) + 1_000_000
