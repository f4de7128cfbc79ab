"""The module of a personal anomaly model: which alerts it scores, and that it travels to workers."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest

from redpoll.errors import UnknownColumn
from redpoll.plugin.anomaly_score import AnomalyScore, personal_filter, personal_node
from redpoll.plugin.graph import Graph
from redpoll.plugin.model_card import ModelCard
from redpoll.schema.column import Column

NODE = AnomalyScore("anomaly_odd", ("anomaly_skew", "n_detections", "mag"))
COLUMNS = {"anomaly_skew": Column("float32"), "n_detections": Column("int32"), "mag": Column("float32")}


class Half:
    """A model whose score is half of the first feature, or 0.25 where that is missing."""

    version = "1"

    def predict_proba(self, X):
        score = np.where(np.isnan(X[:, 0]), 0.25, X[:, 0] / 2)
        return np.column_stack([1 - score, score])


def batch() -> pa.RecordBatch:
    """Alerts with every feature, without the last, without a light curve's features, and with an infinite one."""
    return pa.record_batch({
        "anomaly_skew": pa.array([1.0, 0.2, None, np.inf], pa.float32()),
        "n_detections": pa.array([1, None, 3, 4], pa.int32()), "mag": pa.array([18.0, None, 19.0, 20.0], pa.float32()),
    })  # fmt: skip


def graph(models: dict[str, object]) -> Graph:
    """The graph of the module and its filter."""
    return Graph.build([NODE], [personal_filter(NODE)], columns=COLUMNS, models=models)


def test_alerts_with_features_of_the_light_curve_are_scored_and_pass_from_a_half_on() -> None:
    found = graph({"anomaly_odd": Half()}).run(batch()).batch
    assert found["anomaly_odd"].to_pylist() == [0.5, pytest.approx(0.1), None, None]
    assert found["pass_anomaly_odd"].to_pylist() == [True, False, False, False]
    assert found.schema.field("anomaly_odd").metadata[b"by"] == b"score_anomaly_odd@1, anomaly_odd@1"


def test_without_its_model_the_column_is_null_and_nothing_passes() -> None:
    found = graph({}).run(batch()).batch
    assert found["anomaly_odd"].null_count == 4 and not any(found["pass_anomaly_odd"].to_pylist())


def test_a_graph_with_it_travels_to_a_worker() -> None:
    there = pickle.loads(pickle.dumps(graph({})))  # noqa: S301 - what was pickled a line above
    assert [node.name for node in there.nodes] == ["score_anomaly_odd", "anomaly_odd"] and there.nodes[0] == NODE


def test_a_feature_that_nothing_makes_is_refused() -> None:
    with pytest.raises(UnknownColumn, match="anomaly_skew"):
        Graph.build([NODE], [], columns={"mag": Column("float32"), "n_detections": Column("int32")})


@pytest.mark.parametrize(
    ("name", "classes", "is_personal"),
    [
        ("anomaly_odd", ("regular", "anomaly_odd"), True), ("early_sn_ia", ("other", "sn_ia"), False),
        ("anomaly_odd", ("other", "anomaly_odd"), False), ("odd", ("regular", "odd"), False),
    ],
)  # fmt: skip
def test_only_the_card_of_a_personal_model_makes_a_module(name: str, classes: tuple[str, ...], is_personal: bool):
    assert (personal_node(ModelCard(name, "1", NODE.features, classes, {})) is not None) is is_personal
