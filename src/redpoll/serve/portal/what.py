"""What is it? Everything that was said of an object, side by side, for its page."""

from __future__ import annotations

from dataclasses import dataclass

from redpoll.schema.taxonomy import taxonomy
from redpoll.store.ports import Row


@dataclass(frozen=True)
class Said:
    """One class that one speaker said, how probable in the last and in the best alert, when, and in how many."""

    title: str
    means: str
    kind_of: str
    by: str
    last: float | None
    best: float | None
    first_mjd: float
    last_mjd: float
    n_alerts: int


def what_is_it(rows: list[Row]) -> list[Said]:
    """What the store remembers of an object (see ``ObjectReader.classes_of``), for people.

    What was said last comes first; at one time the surer, and what is said without a probability before that.
    """
    said = [_said(row) for row in rows]
    return sorted(said, key=lambda s: (-s.last_mjd, -2.0 if s.last is None else -s.last, s.title, s.by))


def _said(row: Row) -> Said:
    tree, name = taxonomy(), str(row["name"])
    known = tree.classes.get(name)
    line = [tree.classes[c].title for c in tree.ancestors(name)[:-1]] if known else []
    return Said(
        title=known.title if known else name,
        means=known.means if known else "",
        kind_of=" < ".join(line[:2]),
        by=str(row["by"]),
        last=row["last_probability"],
        best=row["max_probability"],
        first_mjd=float(row["first_mjd"]),
        last_mjd=float(row["last_mjd"]),
        n_alerts=int(row["n_alerts"]),
    )
