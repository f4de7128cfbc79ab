"""The class of the taxonomy that a label means, and labels of one object that exclude each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from redpoll.schema.taxonomy import taxonomy

Row = Mapping[str, Any]
"""A row of the table of labels, see `redpoll.store.app.columns.LABELS`."""


@dataclass(frozen=True)
class Conflict:
    """One object and its labels (class, label, source, by, number), of which at least two exclude each other."""

    survey: str
    object_id: str
    labels: tuple[tuple[str, str, str, str, int], ...]


def label_class(label: str, source: str, by: str) -> str | None:
    """The class that a label means: its own name, or the word of a vocabulary; None if it is neither.

    The vocabulary is that of the catalogue `by`, if it has one, else TNS's, else SIMBAD's. "Ia" is TNS's "SN Ia".

    >>> label_class("sn_ia", "expert", "me"), label_class("SN Ia-91T-like", "TNS", "TNS"), label_class("QSO", "bot", "")
    ('sn_ia', 'sn_ia_91t', 'qso')
    >>> label_class("EA/RS", "catalogue", "vsx"), label_class("a ghost", "expert", "me")
    ('eclipsing_ea', None)
    """
    tree = taxonomy()
    if label in tree.classes:
        return label
    vocabularies = [by] if source == "catalogue" and by in tree.vocabularies else ["tns", "simbad"]
    words = [(each, label) for each in vocabularies] + [("tns", f"SN {label}")]
    return next((found for each, word in words if (found := tree.of(each, word))), None)


def exclude(one: str, other: str) -> bool:
    """Whether an object cannot be of both classes: neither is the other or one of its subclasses.

    >>> exclude("sn_ia", "sn_ii"), exclude("sn_ia", "sn")
    (True, False)
    """
    tree = taxonomy()
    return not tree.is_a(one, other) and not tree.is_a(other, one)


def conflicts(rows: Iterable[Row]) -> list[Conflict]:
    """Objects whose labels exclude each other, sorted by survey and identifier.

    Labels without a class, and those of different alerts, exclude nothing.
    """
    objects: dict[tuple[str, str], list[tuple[str, Row]]] = defaultdict(list)
    for row in rows:
        if found := label_class(row["label"], row["source"], row["by"]):
            objects[row["survey"], row["object_id"]].append((found, row))
    return [_conflict(*key, labels) for key, labels in sorted(objects.items()) if _any_excludes(labels)]


def _any_excludes(labels: list[tuple[str, Row]]) -> bool:
    return any(
        exclude(one, other) and _same_alert(row, other_row)
        for (one, row), (other, other_row) in combinations(labels, 2)
    )


def _same_alert(one: Row, other: Row) -> bool:
    return one["alert_id"] is None or other["alert_id"] is None or one["alert_id"] == other["alert_id"]


def _conflict(survey: str, object_id: str, labels: list[tuple[str, Row]]) -> Conflict:
    shown = [(name, row["label"], row["source"], row["by"], row["label_id"]) for name, row in labels]
    return Conflict(survey, object_id, tuple(sorted(shown)))
