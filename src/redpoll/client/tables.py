"""Small tables of the client, and checks of single arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from redpoll.astro.time import is_date
from redpoll.errors import NotFound, UsageError
from redpoll.schema.alert import COLUMNS
from redpoll.schema.bands import SURVEYS
from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN
from redpoll.schema.column import Column, field_fact

if TYPE_CHECKING:
    from redpoll.store import Store

_COLUMNS = {
    "name": Column("string", doc="Name of the column."),
    "type": Column("string", doc="Arrow type."),
    "unit": Column("string", doc="Unit; empty if it has none."),
    "ucd": Column("string", doc="Unified Content Descriptor of the IVOA."),
    "doc": Column("string", doc="Meaning, and when it is null."),
    "by": Column("string", doc="Module or catalogue that made it, with version; empty for the survey's own."),
}
_POINTS = {
    "mjd": Column("float64", "d", "Time of the measurement, MJD TAI.", "time.epoch"),
    "band": Column("string", doc="Band.", ucd="instr.bandpass"),
    "flux": Column("float32", "nJy", "Difference flux; null for an upper limit.", "phot.flux"),
    "flux_err": Column("float32", "nJy", "One-sigma error of the flux.", "stat.error;phot.flux"),
    "kind": Column("string", doc="detection, forced, upper_limit or low_quality.", ucd="meta.code"),
}
_TOPICS = Column(pa.list_(pa.string()), doc="Topics: the filters this alert passed.")


def columns(store: Store) -> pa.Table:
    """The columns that a query of alerts can return."""
    from redpoll.store.stored_columns import TOPICS

    fields = {field.name: field for field in store.alerts.schema()}
    fields |= {TOPICS: _TOPICS.field(TOPICS), CLASSES: fields.get(CLASSES, CLASSES_COLUMN.field(CLASSES))}
    rows = [
        {"name": field.name, "type": str(field.type)}
        | {fact: field_fact(field, fact) for fact in ("unit", "ucd", "doc", "by")}
        for field in fields.values()
    ]
    return pa.Table.from_pylist(rows, pa.schema([column.field(name) for name, column in _COLUMNS.items()]))


def no_alerts(columns: Sequence[str] | None) -> pa.Table:
    """The answer of a store that has no alerts and therefore no columns: those of the data model, without rows."""
    indexed = [name for name, column in COLUMNS.items() if column.indexed]
    known = {name: COLUMNS[name].field(name) for name in (indexed if columns is None else columns) if name in COLUMNS}
    return pa.schema([known[name] for name in known]).empty_table()


def light_curve(store: Store, object_id: str) -> pa.Table:
    """Light curve of an object, with units in the metadata of the fields."""
    if not isinstance(object_id, str):
        raise UsageError(f"an object_id is a text, not {type(object_id).__name__}")
    if any("\ud800" <= letter <= "\udfff" for letter in object_id):
        raise UsageError(f"{ascii(object_id)[:100]} is no text that an object_id can be")
    table = store.objects.light_curve(object_id)
    fields = [field.with_metadata(_POINTS[field.name].field(field.name).metadata) for field in table.schema]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))


def counted(counts: Mapping[str, int], name: str, doc: str) -> pa.Table:
    """Numbers of alerts per name, largest first."""
    schema = pa.schema(
        [
            Column("string", doc=doc).field(name),
            Column("int64", doc="Number of alerts.", ucd="meta.number").field("n_alerts"),
        ]
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return pa.Table.from_pylist([{name: key, "n_alerts": n} for key, n in ordered], schema)


def checked_night(night: int | None) -> int | None:
    """A night as YYYYMMDD; UsageError if it is none."""
    if night is None:
        return None
    value = _integer(night, "night")
    if not is_date(value):
        raise UsageError(f"a night is a date, YYYYMMDD, such as 20260310, not {value}")
    return value


def checked_limit(limit: int | None) -> int | None:
    """A number of rows; UsageError if it is none."""
    if limit is None:
        return None
    value = _integer(limit, "limit")
    if not 0 <= value < 2**63:
        raise UsageError(f"limit is at least 0 and has 64 bits, not {value}")
    return value


def checked_id(alert_id: int) -> int:
    """An alert_id as int; text of digits, as JSON has it, is one too; UsageError if it is not one of 64 bits."""
    is_digits = isinstance(alert_id, str) and alert_id.isascii() and alert_id.removeprefix("-").isdigit()
    value = int(alert_id) if is_digits and len(str(alert_id)) <= 20 else _integer(alert_id, "alert_id")
    if not -(2**63) <= value < 2**63:
        raise UsageError(f"an alert_id has 64 bits; {value} is too large")
    return value


def checked_survey(survey: str) -> str:
    """The name of a survey; UsageError with the near names if there is none."""
    if not isinstance(survey, str) or survey not in SURVEYS:
        raise UsageError(f"there is no survey '{str(survey)[:100]}'; use {' or '.join(SURVEYS)}")
    return survey


def survey_of(store: Store, alert_id: int, survey: str | None) -> str:
    """The survey of an alert, checked if it is given; UsageError if alerts of several surveys have the identifier."""
    if survey is not None:
        return checked_survey(survey)
    import numpy as np

    found = [name for name in SURVEYS if store.alerts.exists(name, np.array([alert_id]))[0]]
    if not found:
        raise NotFound(f"there is no alert {alert_id}")
    if len(found) > 1:
        raise UsageError(f"alerts of {' and '.join(found)} have the identifier {alert_id}: name the survey")
    return found[0]


def _integer(value: Any, name: str) -> int:
    import numpy as np

    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise UsageError(f"{name} is an integer, not {str(value)[:50]!r}")
    if not -(2**63) <= value < 2**63:
        raise UsageError(f"{name} has more than 64 bits")
    return int(value)
