"""Columns of an object's summary and of its classifications, with units and meanings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from redpoll.schema.alert import COLUMNS
from redpoll.schema.bands import BANDS
from redpoll.schema.column import Column
from redpoll.store.answer import AnswerColumns
from redpoll.store.columns import python_type
from redpoll.store.stored_columns import StoredColumns

_SUMMARY = {name: COLUMNS[name] for name in ("survey", "object_id", "ra", "dec", "hpx29", "n_detections")} | {
    "first_mjd": Column("float64", "d", "First detection of the object, MJD TAI.", "time.epoch"),
    "last_mjd": Column("float64", "d", "Newest alert of the object, MJD TAI.", "time.epoch"),
    "n_alerts": Column("int64", doc="Alerts of the object in this store.", ucd="meta.number"),
}
for _band in BANDS:
    _SUMMARY[f"last_mjd_{_band}"] = Column(
        "float64", "d", f"Last alert in {_band}, MJD TAI; null if none.", "time.epoch"
    )
    _SUMMARY[f"last_mag_{_band}"] = Column("float64", "mag", f"Magnitude of the last alert in {_band}; null if none.",
                                           "phot.mag")  # fmt: skip
_CLASSIFICATIONS = {
    "name": Column("string", doc="Class of the taxonomy.", ucd="src.class"),
    "by": Column("string", doc="Classifier: module@version or catalogue@version.", ucd="meta.id"),
    "first_mjd": Column("float64", "d", "First alert so classified, MJD TAI.", "time.epoch"),
    "last_mjd": Column("float64", "d", "Last alert so classified, MJD TAI.", "time.epoch"),
    "n_alerts": Column("int64", doc="Alerts so classified.", ucd="meta.number"),
    "max_probability": Column("float32", doc="Maximum probability; null if the classifier assigns none."),
    "last_probability": Column("float32", doc="Probability of the last alert; null if the classifier assigns none."),
}
_SCHEMA = pa.schema([column.field(name) for name, column in _CLASSIFICATIONS.items()])
CLASSIFICATION_COLUMNS = AnswerColumns(tuple(_SCHEMA.names), lambda: _SCHEMA)
"""Columns of the classifications of an object."""


@dataclass(frozen=True)
class SummaryColumns:
    """Columns of an object's summary, and where their values are in a row of the table of objects.

    ``survey`` is the position of the survey's number, ``positions`` are those of all other columns, and ``convert``
    has position in the summary and type of the columns whose values had another type in some batches.
    """

    answer: AnswerColumns
    survey: int
    positions: tuple[int, ...]
    convert: tuple[tuple[int, type], ...]


@lru_cache(maxsize=8)
def summary_columns(stored: StoredColumns) -> SummaryColumns:
    """The columns of summaries; made once as long as the stored columns stay the same."""
    titles = stored.of_objects
    names = ("survey", *(title for title in titles if not title.startswith("_")))
    mixed = [(i, _source(name)) for i, name in enumerate(names) if name not in _SUMMARY]

    def schema() -> pa.Schema:
        return pa.schema([_object_field(name, stored) for name in names])

    return SummaryColumns(
        AnswerColumns(names, schema),
        titles.index("_survey"),
        tuple(titles.index(name) for name in names[1:]),
        tuple((i, python_type(stored.field(name).type)) for i, name in mixed if name in stored.mixed),
    )


def _source(name: str) -> str:
    """The column of alerts that a column ``max_x`` or ``min_x`` is made from."""
    return name.partition("_")[2]


def _object_field(name: str, stored: StoredColumns) -> pa.Field:
    """The field of a column of the table of objects: a fixed one, or an aggregate ``max_x`` or ``min_x``."""
    if name in _SUMMARY:
        return _SUMMARY[name].field(name).with_type(_plain(_SUMMARY[name].arrow_type))
    how, source = name.partition("_")[0], stored.field(_source(name))
    word = {"max": "Maximum", "min": "Minimum"}[how]
    facts = {
        **(source.metadata or {}),
        b"doc": f"{word} over the alerts: ".encode() + (source.metadata or {}).get(b"doc", b""),
    }
    return source.with_name(name).with_metadata(facts)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
