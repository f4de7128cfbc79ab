"""Tree ensembles as ONNX, for programs that do not have Redpoll."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.plugin.forest import LOGISTIC, MEAN, Calibration, Forest
from redpoll.plugin.forest_file import read_forest
from redpoll.plugin.forest_model import SMALLEST

_OPSETS = {"": 17, "ai.onnx.ml": 3}
_IR_VERSION = 9


def forest_onnx(data: bytes) -> bytes:
    """The ONNX file of the same model as a file in Redpoll's own format.

    ONNX Runtime adds up in float32: its probabilities differ from Redpoll's by some 1e-7.

    Raises
    ------
    ModelError
        If `data` is not a file as `forest_file` makes it.
    """
    from onnx import TensorProto, helper

    forest = read_forest(data)
    steps = [*_steps(forest)]
    nodes = [helper.make_node("TreeEnsembleRegressor", ["X"], ["sums"], domain="ai.onnx.ml", **_ensemble(forest))]
    nodes += [helper.make_node(kind, inputs, [output], **options) for kind, inputs, output, options in steps]
    nodes[-1].output[0] = "p"
    ends = {"X": forest.n_features, "p": forest.n_classes}
    X, p = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, k]) for name, k in ends.items())
    constants = _constants(forest.calibration) if forest.calibration else {}
    tensors = [helper.make_tensor(name, TensorProto.FLOAT, x.shape, x) for name, x in constants.items()]
    graph = helper.make_graph(nodes, "forest", [X], [p], tensors)
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
    made: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION).SerializeToString()
    return made


def _steps(forest: Forest) -> Iterator[tuple[str, list[str], str, dict[str, Any]]]:
    """From the sums to probabilities: operators with their inputs, output and options."""
    linked = "sums"
    if forest.link == LOGISTIC:  # the softmax of zero and the sum
        yield "Sub", ["sums", "sums"], "zeros", {}
        yield "Concat", ["zeros", "sums"], "both", {"axis": 1}
        linked = "both"
    if forest.link != MEAN:
        yield "Softmax", [linked], "linked", {"axis": 1}
        linked = "linked"
    if forest.calibration:
        yield "Clip", [linked, "smallest", "one"], "clipped", {}
        yield "Log", ["clipped"], "logarithm", {}
        yield "Mul", ["logarithm", "scale"], "scaled", {}
        yield "Add", ["scaled", "bias"], "added", {}
        yield "Softmax", ["added"], "calibrated", {"axis": 1}


def _constants(calibration: Calibration) -> dict[str, NDArray[np.float32]]:
    values = {"smallest": SMALLEST, "one": 1.0, "scale": calibration.scale, "bias": calibration.bias}
    return {name: np.array(value, np.float32) for name, value in values.items()}


def _ensemble(forest: Forest) -> dict[str, Any]:
    """Attributes of TreeEnsembleRegressor."""
    lists: dict[str, list[Any]] = defaultdict(list)
    for number, root in enumerate(forest.roots):
        _add_tree(forest, number, _nodes_below(forest, int(root)), lists)
    return {
        **lists, "n_targets": forest.n_outputs, "base_values": list(forest.baseline), "post_transform": "NONE",
        "aggregate_function": "AVERAGE" if forest.link == MEAN else "SUM",
    }  # fmt: skip


def _add_tree(forest: Forest, number: int, own: NDArray[Any], lists: dict[str, list[Any]]) -> None:
    is_leaf = forest.feature[own] < 0
    rows = forest.values[forest.left[own[is_leaf]]]
    leaf, target = np.nonzero(np.ones_like(rows))
    columns = {
        "nodes_treeids": np.full(len(own), number), "nodes_nodeids": np.arange(len(own)),
        "nodes_featureids": np.maximum(forest.feature[own], 0), "nodes_values": forest.threshold[own],
        "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ"),
        "nodes_truenodeids": np.where(is_leaf, 0, np.searchsorted(own, forest.left[own])),
        "nodes_falsenodeids": np.where(is_leaf, 0, np.searchsorted(own, forest.right[own])),
        "nodes_missing_value_tracks_true": forest.missing_left[own],
        "target_treeids": np.full(rows.size, number), "target_nodeids": np.flatnonzero(is_leaf)[leaf],
        "target_ids": forest.columns[number] + target, "target_weights": rows.ravel(),
    }  # fmt: skip
    for name, column in columns.items():
        lists[name] += column.tolist()


def _nodes_below(forest: Forest, root: int) -> NDArray[Any]:
    """Nodes of the tree that begins at the root, which is the first, in order."""
    found = level = np.array([root])
    while level.size:
        splits = level[forest.feature[level] >= 0]
        level = np.unique(np.concatenate([forest.left[splits], forest.right[splits]]))
        found = np.union1d(found, level)
    return found
