"""The assigned classes of an object, for its page."""

from __future__ import annotations

from dataclasses import dataclass

from redpoll.schema.taxonomy import taxonomy
from redpoll.store.row_answers import Row


@dataclass(frozen=True)
class ClassRow:
    """One class from one source: last and maximum probability, first and last alert, and number of alerts."""

    title: str
    means: str
    kind_of: str
    by: str
    last_probability: float | None
    max_probability: float | None
    first_mjd: float
    last_mjd: float
    n_alerts: int


def what_is_it(rows: list[Row]) -> list[ClassRow]:
    """The classes of an object as the store returns them, for people, newest first.

    At one time the most probable comes first, after those without a probability.
    """
    classes = [_class_row(row) for row in rows]
    return sorted(
        classes, key=lambda s: (-s.last_mjd, -2.0 if s.last_probability is None else -s.last_probability, s.title, s.by)
    )


def _class_row(row: Row) -> ClassRow:
    tree, name = taxonomy(), str(row["name"])
    known = tree.classes.get(name)
    line = [tree.classes[c].title for c in tree.ancestors(name)[:-1]] if known else []
    return ClassRow(
        title=known.title if known else name,
        means=known.means if known else "",
        kind_of=" < ".join(line[:2]),
        by=str(row["by"]),
        last_probability=row["last_probability"],
        max_probability=row["max_probability"],
        first_mjd=float(row["first_mjd"]),
        last_mjd=float(row["last_mjd"]),
        n_alerts=int(row["n_alerts"]),
    )
