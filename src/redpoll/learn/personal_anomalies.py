"""Personal anomaly models: a base and the owner's labels, fitted and put into the registry after every change."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np

from redpoll.errors import NotFound, UsageError
from redpoll.learn.anomaly_base import AnomalyBase, Rows, unpacked
from redpoll.learn.anomaly_explanation import contributions, pushing
from redpoll.learn.anomaly_forests import AAD, ANOMALY, KINDS, REGULAR, Labels, anomaly_sums, fit_anomaly_forest
from redpoll.learn.anomaly_rows import AnomalyRows
from redpoll.plugin.anomaly_score import PREFIX, personal_node
from redpoll.plugin.anomaly_score import REGULAR as OTHER
from redpoll.plugin.forest import Forest
from redpoll.plugin.forest_file import read_forest, write_forest
from redpoll.plugin.model_card import parse_card
from redpoll.plugin.model_file import open_model
from redpoll.store.app import AnomalyLabel, AnomalyModel, App, BaseRows, NewModel
from redpoll.store.app.anomalies import checked_name

_FORMAT = 1
_CODE = {"anomaly": ANOMALY, "regular": REGULAR}


@dataclass(frozen=True)
class Fitted:
    """A version of a personal model: what it was fitted on, and the time that took [s]; 0 if it was there already."""

    model: AnomalyModel
    version: str
    n_anomalies: int
    n_regular: int
    seconds: float


@dataclass(frozen=True)
class Ranked:
    """An alert, its score, and the features that push it up, strongest first (see `pushing`)."""

    key: Mapping[str, Any]
    score: float
    pushed_by: list[dict[str, object]]


def create_model(
    app: App, name: str, base: AnomalyBase, *, owner: str, taken: Container[str], kind: str = AAD, seed: int = 1
) -> Fitted:
    """Create a personal model without labels, and let it score alerts.

    Parameters
    ----------
    app
        The application database of the store.
    name
        Its name: the column and the topic are ``anomaly_<name>``.
    base
        The rows that its trees are grown from.
    owner
        The user whom it belongs to.
    taken
        Names of columns and modules that there are.
    kind, seed
        As for `redpoll.learn.anomaly_forests.fit_anomaly_forest`.

    Raises
    ------
    UsageError
        If the name cannot be one, or is that of another column; or the kind is unknown.
    StoreError
        If there is a model of this name.
    """
    column = PREFIX + checked_name(name)
    if column in taken:
        raise UsageError(f"anomaly model '{name}': there is a column '{column}' already; choose another name")
    if kind not in KINDS:
        raise UsageError(f"kind '{kind}' of an anomaly model: use one of {', '.join(KINDS)}")
    packed = BaseRows(base.hash, base.names, len(base.rows), base.packed())
    fit_anomaly_forest(base, base.rows[:0], np.zeros(0, np.int8), kind=kind, seed=seed)  # before anything is kept
    app.anomalies.create(name, packed, owner=owner, kind=kind, seed=seed)
    return refit(app, name, owner=owner)


def base_of(app: App, model: AnomalyModel) -> AnomalyBase:
    """The base of a personal model; DatasetError if its bytes changed."""
    found = app.anomalies.base(model)
    return _unpacked(found.features, found.data, found.sha256)


@lru_cache(maxsize=4)
def _unpacked(names: tuple[str, ...], data: bytes, hash_: str) -> AnomalyBase:
    return unpacked(names, data, hash_)


def refit(app: App, name: str, *, owner: str) -> Fitted:
    """Fit a model to its owner's labels as they are now, and make it the one that scores alerts.

    The version is a hash of kind, seed, base and labels, so that after an undo the version of before is used again.
    """
    model = app.anomalies.model(name, owner=owner)
    base = base_of(app, model)
    known, labels = _labelled(app, model, len(base.names))
    version, column = _version(model, known, labels), PREFIX + name
    seconds = 0.0
    if version not in app.models.versions(column)["version"].to_pylist():
        start = time.perf_counter()
        forest = fit_anomaly_forest(base, known, labels, kind=model.kind, seed=model.seed)
        seconds = time.perf_counter() - start
        _register(app, model, version, forest, base, labels)
    app.models.promote(column, version, by=owner)
    return Fitted(model, version, int((labels == ANOMALY).sum()), int((labels == REGULAR).sum()), seconds)


def label_alerts(
    app: App, name: str, rows: AnomalyRows, label: str, *, owner: str, note: str = ""
) -> tuple[list[int], Fitted]:
    """Label alerts as "anomaly" or "regular", and fit the model anew; returns the labels' numbers too."""
    new = [
        AnomalyLabel(
            str(key["survey"]), str(key["object_id"]), int(str(key["alert_id"])), label,
            np.ascontiguousarray(features, "<f4").tobytes(), note,
        )
        for key, features in zip(rows.keys, rows.features, strict=True)
    ]  # fmt: skip
    return app.anomalies.add(name, new, owner=owner), refit(app, name, owner=owner)


def forest_in_use(app: App, name: str, *, owner: str) -> tuple[str, Forest]:
    """Version and forest of the owner's model that score alerts; NotFound if it was retired."""
    app.anomalies.model(name, owner=owner)
    for row in app.models.champions().to_pylist():
        if row["name"] == PREFIX + name:
            return row["version"], read_forest(app.models.read(row["sha256"]))
    raise NotFound(f"anomaly model '{name}' scores no alerts: it was retired; the next label brings it back")


def ranked(forest: Forest, base: AnomalyBase, rows: AnomalyRows, n: int) -> list[Ranked]:
    """The n rows of highest score with the features that push them."""
    if not rows:
        return []
    sums = anomaly_sums(forest, rows.features)
    order = np.argsort(-sums, kind="stable")[:n]
    added = contributions(forest, rows.features[order], base.rows)
    score = 1 / (1 + np.exp(-sums[order]))
    return [
        Ranked(rows.keys[i], float(p), pushing(base.names, rows.features[i], up, base.medians))
        for i, p, up in zip(order.tolist(), score, added, strict=True)
    ]


def _labelled(app: App, model: AnomalyModel, k: int) -> tuple[Rows, Labels]:
    """Features and label of each labelled alert, the last label of each alert alone."""
    table = app.anomalies.labels(model.name, owner=model.owner)
    last = {(row["survey"], row["alert_id"]): row for row in table.to_pylist()}
    known = [np.frombuffer(row["features"], "<f4") for row in last.values()]
    if any(len(features) != k for features in known):
        raise UsageError(f"anomaly model '{model.name}': a label has another number of features than {k}")
    rows = np.array(known, np.float32).reshape(-1, k)
    return rows, np.array([_CODE[row["label"]] for row in last.values()], np.int8)


def _version(model: AnomalyModel, known: Rows, labels: Labels) -> str:
    head = json.dumps([_FORMAT, model.name, model.kind, model.seed, model.base]).encode()
    digest = sha256(head + np.ascontiguousarray(known, "<f4").tobytes() + labels.tobytes())
    return digest.hexdigest()[:12]


def _register(
    app: App, model: AnomalyModel, version: str, forest: Forest, base: AnomalyBase, labels: Sequence[int] | Labels
) -> None:
    column = PREFIX + model.name
    card = {
        "name": column, "version": version, "features": list(base.names), "classes": [OTHER, column],
        "kind": model.kind, "seed": model.seed, "owner": model.owner, "base": model.base, "base_rows": len(base.rows),
        "labels": {word: int(np.sum(np.asarray(labels) == code)) for word, code in _CODE.items()},
    }  # fmt: skip
    parsed = parse_card(json.dumps(card))
    node = personal_node(parsed)
    assert node is not None
    new = NewModel(column, version, write_forest(forest), card, model.owner)
    app.models.register(new, lambda data: open_model(data, parsed, [node]))
