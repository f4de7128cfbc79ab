"""From labelled data sets to the file and the card of a model."""

from __future__ import annotations

import hashlib
import logging
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version as package_version
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.learn.features import FeatureTable
from redpoll.learn.forests import forest_file
from redpoll.learn.judging import judged
from redpoll.learn.model_inputs import ModelInputs
from redpoll.learn.training import OTHER, TrainingOptions, targets, train
from redpoll.plugin.forest_file import read_forest
from redpoll.plugin.forest_model import ForestModel
from redpoll.plugin.node import Node

log = logging.getLogger(__name__)
_TEST_BINS = 1000
Step = Callable[[str], None]


@dataclass(frozen=True)
class TrainedModel:
    """A model to register: its file and its card."""

    name: str
    version: str
    data: bytes
    card: dict[str, Any]


def classes_of(node: Node) -> tuple[str, ...]:
    """The classes that a module assigns by its model, in the order of its outputs."""
    return tuple(column.assigns or name for name, column in node.outputs.items())


def train_model(
    table: FeatureTable, *, options: TrainingOptions, test_fraction: float, command: str, step: Step = log.info
) -> TrainedModel:
    """Train the model of a table of features, and judge it on objects that were kept out of training.

    Which objects are kept out depends on their names alone: a data set that grows keeps its test objects. The same
    rows, options and versions of Redpoll, numpy and scikit-learn give the same bytes.

    Parameters
    ----------
    table
        Features of labelled alerts; those that the module would not score, or whose label does not decide the class,
        are left out.
    test_fraction
        Fraction of the objects to judge by.
    command
        What a reader of the card can type to train it again.
    step
        Told what is being done.

    Raises
    ------
    UsageError
        If a class has too few objects, for training or for the test.
    """
    assigned = classes_of(ModelInputs(table.model).module)
    table, target = scored_rows(table, assigned)
    classes = [OTHER, *assigned]
    is_test = in_test(table.object_ids, test_fraction)
    step(f"training on {np.count_nonzero(~is_test):,} alerts")
    trained = train(table.take(~is_test), target[~is_test], classes, options)
    data, sha256 = forest_file(trained.estimator, trained.calibration), rows_hash(table, target)
    version = hashlib.sha256(repr((sha256, options, test_fraction)).encode()).hexdigest()[:8]
    model = ForestModel(table.model, version, read_forest(data))
    step(f"judging on {np.count_nonzero(is_test):,} alerts of other objects")
    card = {
        "name": table.model, "version": version, "features": list(table.names), "classes": classes,
        "module": table.maker, "command": command, "options": asdict(options), "test_fraction": test_fraction,
        "training_set": _described(table, target, sha256),
        "judged": judged(model.predict_proba, table.take(is_test), target[is_test]),
        "made_with": {name: package_version(name) for name in ("redpoll", "numpy", "scikit-learn")},
        "limits": "Judged on objects that were kept out of training, of the same data sets; other data may differ.",
    }  # fmt: skip
    return TrainedModel(table.model, version, data, card)


def scored_rows(table: FeatureTable, assigned: Sequence[str]) -> tuple[FeatureTable, NDArray[np.str_]]:
    """The rows that the module scores and whose label decides the class, and the model's class of each."""
    target = targets(table, assigned)
    known = table.is_scored & (target != "")
    return table.take(known), target[known]


def in_test(objects: NDArray[np.str_], fraction: float) -> NDArray[np.bool_]:
    """Which rows are of objects that are kept out of training, by a checksum of the object's name.

    >>> int(in_test(np.array([f"ZTF{n}" for n in range(1000)]), 0.25).sum())
    246
    """
    if not 0 < fraction < 1:
        raise UsageError(f"test fraction {fraction}: use a number between 0 and 1")
    share = {name: crc32(f"test {name}".encode()) % _TEST_BINS / _TEST_BINS for name in np.unique(objects).tolist()}
    return np.array([share[name] < fraction for name in objects.tolist()], bool)


def rows_hash(table: FeatureTable, target: NDArray[np.str_]) -> str:
    """SHA-256 of the rows (features, class and object), in any order, and of the features' names and their module."""
    what = hashlib.sha256(repr((table.maker, table.names)).encode())
    rows = zip(table.object_ids.tolist(), target.tolist(), table.features, strict=True)
    for row in sorted(f"{name}\0{label}\0".encode() + features.tobytes() for name, label, features in rows):
        what.update(len(row).to_bytes(8, "little") + row)
    return what.hexdigest()


def _described(table: FeatureTable, target: NDArray[np.str_], sha256: str) -> dict[str, Any]:
    """What a card says of the rows: alerts and objects of each class, and of each data set."""
    return {
        "sha256": sha256,
        "classes": {name: _counts(table, target == name) for name in np.unique(target).tolist()},
        "data_sets": {name: _counts(table, table.sources == name) for name in np.unique(table.sources).tolist()},
        "labels": {name: _counts(table, table.labels == name) for name in np.unique(table.labels).tolist()},
    }


def _counts(table: FeatureTable, rows: NDArray[np.bool_]) -> dict[str, int]:
    return {"alerts": int(rows.sum()), "objects": len(np.unique(table.object_ids[rows]))}


def described_command(
    name: str, datasets: Sequence[str], options: TrainingOptions, test_fraction: float, per_object: int
) -> str:
    """The command that trains a model again.

    >>> described_command("tde", ["a b.parquet"], TrainingOptions(), 0.25, 4)
    "redpoll train tde --dataset 'a b.parquet' --per-object 4 --trees 300 --seed 1 --test 0.25"
    """
    words = [word for dataset in datasets for word in ("--dataset", dataset)]
    more = {"per-object": per_object, "trees": options.n_trees, "seed": options.seed, "test": test_fraction}
    return shlex.join(["redpoll", "train", name, *words, *(w for k, v in more.items() for w in (f"--{k}", str(v)))])
