"""Labels brought into a store again and again: what is there already is left alone, what changed is replaced."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from redpoll.learn.tns_labels import ObjectPositions
from redpoll.store import Store
from redpoll.store.app.ports import Label, LabelQuery, Labels
from redpoll.store.selection import Selection


@dataclass(frozen=True)
class Imported:
    """How many labels were added, were there already, and were taken back because their source changed its mind."""

    added: int
    unchanged: int
    taken_back: int


def import_labels(table: Labels, labels: Iterable[Label], *, replace: bool) -> Imported:
    """Add the labels that the store does not have.

    Parameters
    ----------
    table
        The labels of a store.
    labels
        What a source says now.
    replace
        Take back the labels that the same source and `by` gave the same object, or alert, before, where they differ.
    """
    current, wanted = _current(table), {(*_key(label), label.label): label for label in labels}
    fresh = [label for (*key, text), label in wanted.items() if text not in current.get(tuple(key), {})]
    table.add(fresh)
    changed = _changed(current, wanted) if replace else {}
    for number, by in changed.items():
        table.retract(number, by=by, note="changed by its source")
    return Imported(len(fresh), len(wanted) - len(fresh), len(changed))


def _changed(current: dict[tuple, dict[str, int]], wanted: Collection[tuple]) -> dict[int, str]:
    """Number and `by` of the labels of these objects that their source gives no more."""
    keys = {tuple(key) for *key, _ in wanted}
    held = ((key, text, number) for key in keys for text, number in current.get(key, {}).items())
    return {number: key[-1] for key, text, number in held if (*key, text) not in wanted}


def catalogue_labels(store: Store, column: str, by: str) -> list[Label]:
    """A label for each object whose alerts have a value in a column of a catalogue: the value of its newest alert."""
    found: dict[tuple[str, str], Label] = {}
    wanted = Selection(where=f"{column} is not null")
    for batch in store.alerts.scan(["survey", "object_id", column], wanted, order_by="oldest"):
        for survey, object_id, word in zip(*(batch[name].to_pylist() for name in batch.schema.names), strict=True):
            found[survey, object_id] = Label(survey, object_id, str(word).strip(), "catalogue", by)
    return [label for label in found.values() if label.label]


def object_positions(store: Store) -> ObjectPositions:
    """Every object of a store at the position of its newest alert."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    is_empty = not any(batch.num_rows for batch in store.alerts.scan(["topics"], limit=1))  # it has no columns yet
    for batch in () if is_empty else store.alerts.scan(["survey", "object_id", "ra", "dec"], order_by="oldest"):
        for survey, object_id, ra, dec in zip(*(batch[n].to_pylist() for n in batch.schema.names), strict=True):
            found[survey, object_id] = (ra, dec)
    place = np.array([*found.values()], float).reshape(-1, 2)
    return ObjectPositions([key[0] for key in found], [key[1] for key in found], place[:, 0], place[:, 1])


def _key(label: Label) -> tuple:
    return label.survey, label.object_id, label.alert_id, label.source, label.by


def _current(table: Labels) -> dict[tuple, dict[str, int]]:
    """Number of each current label by its text, by object, alert, source and `by`."""
    found: dict[tuple, dict[str, int]] = {}
    for batch in table.scan(LabelQuery()):
        for row in batch.to_pylist():
            key = (row["survey"], row["object_id"], row["alert_id"], row["source"], row["by"])
            found.setdefault(key, {})[row["label"]] = row["label_id"]
    return found
