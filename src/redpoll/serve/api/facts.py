"""Labels, units, meanings and makers of columns, from the data model and from the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from redpoll.schema.alert import COLUMNS
from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN
from redpoll.schema.column import Column, field_fact
from redpoll.serve.door import Reader
from redpoll.serve.labels import label_of

OBJECT_COLUMNS: dict[str, Column] = {
    "first_mjd": Column("float64", "d", "First detection of the object, MJD TAI.", "time.epoch"),
    "last_mjd": Column("float64", "d", "Newest alert of the object, MJD TAI.", "time.epoch"),
    "n_alerts": Column("int64", doc="Alerts of the object in this store.", ucd="meta.number"),
    "topics": Column(pa.list_(pa.string()), doc="Topics: the filters this alert passed."),
    CLASSES: CLASSES_COLUMN,
    "separation_arcsec": Column("float64", "arcsec", "Distance from the centre of the search.", "pos.angDistance"),
}


def column_facts(
    reader: Reader, names: Iterable[str], survey: str | None = None, made_by: Mapping[str, str] | None = None
) -> dict[str, dict[str, str]]:
    """Facts of each declared column: label, dtype, unit, doc, ucd, and `by`, its module@version or survey field."""
    stored = {field.name: field for field in reader.alerts.schema()}
    own = {**OBJECT_COLUMNS, **COLUMNS}
    known = {
        name: _declared(own[name]) if name in own else _stored(stored[name])
        for name in names
        if name in own or name in stored
    }
    by = {name: column.source.get(survey or "", "") for name, column in COLUMNS.items()} | dict(made_by or {})
    return {
        name: facts | {"label": label_of(name, facts["label"]), "by": by.get(name, "")} for name, facts in known.items()
    }


def _stored(field: pa.Field) -> dict[str, str]:
    return {key: field_fact(field, key) for key in ("dtype", "unit", "doc", "ucd", "label")}


def _declared(column: Column) -> dict[str, str]:
    dtype = column.dtype if isinstance(column.dtype, str) else str(column.arrow_type)
    return {"dtype": dtype, "unit": column.unit, "doc": column.doc, "ucd": column.ucd, "label": column.label}
