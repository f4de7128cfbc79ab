"""Short forms of the columns that science modules declare most often."""

from __future__ import annotations

from redpoll.schema.column import Column


def feature(unit: str = "", doc: str = "") -> Column:
    """A float32 column kept in the archive only: input of models and evidence of flags, by the hundred.

    >>> feature("d", "Time scale of the rise; null without a fit.").indexed
    False
    """
    return Column("float32", unit, doc, indexed=False)


def flag(doc: str = "", *, assigns: str | None = None) -> Column:
    """A boolean column kept in the archive only; where true it assigns the class `assigns`, which is indexed.

    >>> flag("Faded below the template.", assigns="dipper").assigns
    'dipper'
    """
    return Column("bool", doc=doc, assigns=assigns, indexed=False)


def probability(doc: str = "", *, assigns: str) -> Column:
    """The column of a classifier's score, 0 to 1: indexed, and the object keeps its maximum.

    >>> probability("Type II; null without the model.", assigns="sn_ii").aggregate
    'max'
    """
    return Column("float32", doc=doc, aggregate="max", assigns=assigns)
