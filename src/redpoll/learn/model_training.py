"""From labelled data sets to the file and the card of a model."""

from __future__ import annotations

import hashlib
import logging
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version as package_version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.features import FeatureTable
from redpoll.learn.forests import forest_file
from redpoll.learn.held_out import in_test
from redpoll.learn.judging import judged
from redpoll.learn.model_inputs import ModelInputs
from redpoll.learn.training import OTHER, TrainingOptions, targets, train
from redpoll.learn.training_set import TrainingSet, freeze
from redpoll.plugin.forest_file import read_forest
from redpoll.plugin.forest_model import ForestModel
from redpoll.plugin.node import Node

log = logging.getLogger(__name__)
Step = Callable[[str], None]


@dataclass(frozen=True)
class TrainedModel:
    """A model to register: its file, its card, and the rows it was trained on."""

    name: str
    version: str
    data: bytes
    card: dict[str, Any]
    training_set: TrainingSet


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
    table, _ = scored_rows(table, assigned)
    is_test = in_test(table.object_ids, test_fraction)
    training_set, test = freeze(table.take(~is_test)), table.take(is_test)
    step(f"training on {len(training_set):,} alerts")
    trained = train(training_set, targets(training_set.labels, assigned), [OTHER, *assigned], options)
    data = forest_file(trained.estimator, trained.calibration)
    version = hashlib.sha256(repr((training_set.hash, options, test_fraction)).encode()).hexdigest()[:8]
    model = ForestModel(table.model, version, read_forest(data))
    step(f"judging on {len(test):,} alerts of other objects")
    card = {
        "name": table.model, "version": version, "features": list(table.names), "classes": list(trained.classes),
        "module": table.maker, "command": command, "options": asdict(options), "rounds": trained.rounds,
        "test_fraction": test_fraction,
        "training_set": _described(training_set, assigned),
        "judged": judged(model.predict_proba, test, targets(test.labels, assigned)),
        "made_with": {name: package_version(name) for name in ("redpoll", "numpy", "scikit-learn")},
        "limits": "Judged on objects that were kept out of training, of the same data sets; other data may differ.",
    }  # fmt: skip
    return TrainedModel(table.model, version, data, card, training_set)


def scored_rows(
    table: FeatureTable, assigned: Sequence[str], kept_out: float | None = None
) -> tuple[FeatureTable, NDArray[np.str_]]:
    """The rows that the module scores and whose label decides the class, and the model's class of each.

    With `kept_out` only those of objects that a training with this test fraction kept out.
    """
    target = targets(table.labels, assigned)
    used = table.is_scored & (target != "")
    if kept_out is not None:
        used &= in_test(table.object_ids, kept_out)
    return table.take(used), target[used]


def _described(rows: TrainingSet, assigned: Sequence[str]) -> dict[str, Any]:
    """What a card has of the rows: counts of each class, label and data set, and what cadence alone gives away."""
    target = targets(rows.labels, assigned)
    counted = {"classes": target, "labels": rows.labels, "data_sets": rows.sources}
    found: dict[str, Any] = {
        what: {name: _counts(rows, values == name) for name in np.unique(values).tolist()}
        for what, values in counted.items()
    }
    leaks = {"data_sets": rows.source_leakage(), "classes": rows.source_leakage(target)}
    plain = {
        what: {name: None if np.isnan(auc) else round(auc, 3) for name, auc in of_each.items()}
        for what, of_each in leaks.items()
    }
    return found | {"sha256": rows.hash, "auc_of_cadence_alone": plain}


def _counts(rows: TrainingSet, some: NDArray[np.bool_]) -> dict[str, int]:
    return {"alerts": int(some.sum()), "objects": len(np.unique(rows.object_ids[some]))}


def described_command(
    name: str, datasets: Sequence[str], options: TrainingOptions, test_fraction: float, per_object: int
) -> str:
    """The command that trains a model again.

    >>> described_command("tde", ["a b.parquet"], TrainingOptions(), 0.25, 4)
    "redpoll train tde --dataset 'a b.parquet' --per-object 4 --rounds 300 --seed 1 --test 0.25"
    """
    words = [word for dataset in datasets for word in ("--dataset", dataset)]
    more = {"per-object": per_object, "rounds": options.max_rounds, "seed": options.seed, "test": test_fraction}
    return shlex.join(["redpoll", "train", name, *words, *(w for k, v in more.items() for w in (f"--{k}", str(v)))])
