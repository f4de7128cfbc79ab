"""The columns of the tables that labels, models, filters, watchlists and anomaly models return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

_TIME = pa.timestamp("ms", "UTC")
_Column = tuple[pa.DataType, str, str]


def _schema(columns: dict[str, _Column]) -> pa.Schema:
    facts = {name: {"unit": unit, "doc": doc} for name, (_, unit, doc) in columns.items()}
    return pa.schema([pa.field(name, kind, metadata=facts[name]) for name, (kind, *_) in columns.items()])


LABELS = _schema({
    "label_id": (pa.int64(), "", "Number of the label, in the order of adding."),
    "survey": (pa.string(), "", "Survey of the object."),
    "object_id": (pa.string(), "", "Identifier of the object."),
    "alert_id": (pa.int64(), "", "Alert that was labelled; null if the object was."),
    "label": (pa.string(), "", "What the object is."),
    "source": (pa.string(), "", "Kind of source: expert, TNS, catalogue or bot."),
    "by": (pa.string(), "", "Who or what assigned the label."),
    "added": (_TIME, "", "When the label was added, UTC."),
    "confidence": (pa.float64(), "", "Confidence, 0 to 1; null if none was given."),
    "note": (pa.string(), "", "Free text."),
    "retracts": (pa.int64(), "", "Number of the label that this row takes back; null for a label."),
})  # fmt: skip
MODELS = _schema({
    "name": (pa.string(), "", "Name of the model."),
    "version": (pa.string(), "", "Version of the model."),
    "stage": (pa.string(), "", "candidate, champion (in use) or retired."),
    "sha256": (pa.string(), "", "SHA-256 of the file of the model."),
    "n_bytes": (pa.int64(), "byte", "Size of the file."),
    "card": (pa.string(), "", "Model card, as JSON."),
    "created": (_TIME, "", "When the version was registered, UTC."),
    "by": (pa.string(), "", "Who registered it."),
})  # fmt: skip
PROMOTIONS = _schema({
    "generation": (pa.int64(), "", "Generation of the registry that this change began."),
    "name": (pa.string(), "", "Name of the model."),
    "version": (pa.string(), "", "Version that became the champion."),
    "action": (pa.string(), "", "promote, rollback or retire."),
    "at": (_TIME, "", "When, UTC."),
    "by": (pa.string(), "", "Who changed it."),
})  # fmt: skip
FILTERS = _schema({
    "topic": (pa.string(), "", "Topic of the filter."),
    "version": (pa.int64(), "", "Number of the version, from 1."),
    "expression": (pa.string(), "", "Expression over the columns of an alert."),
    "owner": (pa.string(), "", "Who saved the first version."),
    "by": (pa.string(), "", "Who saved this version."),
    "created": (_TIME, "", "When this version was saved, UTC."),
    "active": (pa.bool_(), "", "Whether runs apply the filter."),
})  # fmt: skip
WATCHLISTS = _schema({
    "name": (pa.string(), "", "Name of the list."),
    "owner": (pa.string(), "", "Who saved it first."),
    "changed": (_TIME, "", "When it was saved last, UTC."),
    "n_positions": (pa.int64(), "", "Number of positions."),
})  # fmt: skip
POSITIONS = _schema({
    "label": (pa.string(), "", "Name of the position; empty if it has none."),
    "ra": (pa.float64(), "deg", "Right ascension, ICRS."),
    "dec": (pa.float64(), "deg", "Declination, ICRS."),
    "radius_arcsec": (pa.float64(), "arcsec", "Radius around the position."),
})  # fmt: skip

ANOMALY_LABELS = _schema({
    "label_id": (pa.int64(), "", "Number of the label, in the order of adding."),
    "survey": (pa.string(), "", "Survey of the object."),
    "object_id": (pa.string(), "", "Identifier of the object."),
    "alert_id": (pa.int64(), "", "Alert that was labelled."),
    "label": (pa.string(), "", "anomaly or regular."),
    "features": (pa.binary(), "", "Features of the alert when it was labelled, as little-endian float32."),
    "added": (_TIME, "", "When the label was added, UTC."),
    "note": (pa.string(), "", "Free text."),
    "undoes": (pa.int64(), "", "Number of the label that this row undoes; null for a label."),
})  # fmt: skip


def batch(schema: pa.Schema, rows: Iterable[Sequence[Any]]) -> pa.RecordBatch:
    """A record batch of rows in the order of the schema; times are ISO texts, booleans may be 0 and 1."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.RecordBatch.from_arrays(
        [_array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    )


def table(schema: pa.Schema, rows: Iterable[Sequence[Any]]) -> pa.Table:
    """A table of rows in the order of the schema."""
    return pa.Table.from_batches([batch(schema, rows)])


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if kind == _TIME:
        return pa.array([dt.datetime.fromisoformat(value) for value in values], kind)
    return pa.array([bool(value) for value in values] if kind == pa.bool_() else values, kind)
