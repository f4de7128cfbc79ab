"""The labelled objects of a store, and their alerts with the light curves that the modules saw."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa

from redpoll.crossmatch.known_columns import known_columns
from redpoll.history.stage import StoredHistoryStage
from redpoll.learn.errors import DatasetError
from redpoll.learn.label_classes import exclude, label_class
from redpoll.learn.replay import Labelled, spread
from redpoll.schema.alert import COLUMNS
from redpoll.schema.taxonomy import taxonomy
from redpoll.store import Selection, Store, open_store
from redpoll.store.app import open_app

log = logging.getLogger(__name__)
_TRUST = ("expert", "TNS", "catalogue", "bot")
_OBJECTS = 100
"""Number of objects of a batch."""


def stored_labels(path: Path) -> dict[tuple[str, str], str]:
    """Class of each labelled object of a store, by survey and object.

    The labels of the most trusted source that has any count (expert, TNS, catalogue, bot), and of these the most
    specific. Objects whose labels of that source exclude each other are left out, and so are labels of single alerts
    and words without a class (see `label_class`); both are counted in the log.
    """
    found: dict[tuple[str, str], list[list[str]]] = {}
    n_unknown = 0
    with open_app(path) as app:
        for batch in app.labels.scan():
            for row in batch.to_pylist():
                label = label_class(row["label"], row["source"], row["by"])
                n_unknown += label is None
                if label is not None and row["alert_id"] is None:
                    of_sources = found.setdefault((row["survey"], row["object_id"]), [[] for _ in _TRUST])
                    of_sources[_TRUST.index(row["source"])].append(label)
    decided = {key: _decided(of_sources) for key, of_sources in found.items()}
    if n_unknown:
        log.warning("labels without a class are left out", extra={"n": n_unknown})
    if n_open := sum(label is None for label in decided.values()):
        log.warning("objects in conflict are left out; see `redpoll label conflicts`", extra={"n": n_open})
    return {key: label for key, label in decided.items() if label is not None}


def _decided(of_sources: list[list[str]]) -> str | None:
    """The class of an object from the labels of each source, most trusted first; None if they exclude each other."""
    labels = next(labels for labels in of_sources if labels)
    if any(exclude(one, other) for one, other in combinations(labels, 2)):
        return None
    return max(labels, key=lambda label: len(taxonomy().ancestors(label)))


def stored_alerts(path: Path, per_object: int) -> Iterator[Labelled]:
    """Alerts of the labelled objects of a store, at most `per_object` of each, spread over its alerts by time.

    Their light curves are joined from the stored history, as for a reprocessing.

    Raises
    ------
    StoreError
        If there is no store in the folder.
    DatasetError
        If it has no labelled object.
    """
    labels = stored_labels(path)
    if not labels:
        raise DatasetError(f"{path}: has no labelled objects; add labels first")
    with open_store(path) as store:
        for survey in sorted({survey for survey, _ in labels}):
            names = sorted(name for of, name in labels if of == survey)
            for first in range(0, len(names), _OBJECTS):
                for batch in _of_objects(store, survey, names[first : first + _OBJECTS], per_object):
                    objects = batch["object_id"].to_pylist()
                    yield batch, np.array([labels[survey, name] for name in objects]), np.array(objects)


def _of_objects(store: Store, survey: str, names: Sequence[str], per_object: int) -> Iterator[pa.RecordBatch]:
    by_object: dict[str, list[int]] = {}
    selection = Selection(survey=survey, object_ids=names)
    for row in store.alerts.scan(["alert_id", "object_id"], selection, order_by="oldest").to_rows():
        by_object.setdefault(str(row["object_id"]), []).append(int(row["alert_id"]))
    chosen = [ids[i] for ids in by_object.values() for i in spread(len(ids), per_object)]
    if not chosen:
        return
    stored, history = set(store.alerts.schema().names), StoredHistoryStage(store.histories)
    columns = [name for name in {**COLUMNS, **known_columns()} if name in stored]
    for batch in store.alerts.scan(columns, Selection(survey=survey, alert_ids=chosen), order_by="oldest"):
        yield history.join(batch)
