"""The columns of an alert under headings: what modules added, then what the survey sent."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from redpoll.schema.alert import CUTOUTS
from redpoll.schema.bands import BANDS
from redpoll.schema.classifications import CLASSES
from redpoll.serve.labels import BAND_COLUMN
from redpoll.store.row_answers import Row

_NOT_VALUES = {*CUTOUTS, "light_curve", "packet_light_curve", "packet", "topics", CLASSES}
_HEADINGS = {
    "Identity": ("survey", "alert_id", "object_id", "night", "n_detections", "first_mjd"),
    "Time and position": ("mjd", "ra", "dec", "hpx29"),
    "Brightness": ("band", "flux", "flux_err", "mag", "mag_err", "limiting_mag", "is_positive"),
}
_REST = "Surroundings and quality"


@dataclass(frozen=True)
class Value:
    """One column of an alert with what it means."""

    name: str
    label: str
    value: Any
    dtype: str
    unit: str
    doc: str
    by: str

    @classmethod
    def of(cls, name: str, value: Any, facts: Mapping[str, str]) -> Value:
        """The value of a column with its facts (see ``column_facts``)."""
        return cls(name, facts["label"], value, facts["dtype"], facts["unit"], facts["doc"], facts["by"])

    @property
    def is_known(self) -> bool:
        """Whether there is a value: not null, not NaN."""
        return self.value is not None and not (isinstance(self.value, float) and math.isnan(self.value))


@dataclass(frozen=True)
class BandTable:
    """Quantities that a module gives for every band: a row each, a column per band in which anything is known."""

    bands: list[str]
    rows: list[tuple[Value, list[Value | None]]]


@dataclass(frozen=True)
class ValueGroup:
    """Columns under one heading, from the survey or from one module; ``unknown`` holds those without a value."""

    title: str
    is_added: bool
    size: int
    values: list[Value]
    by_band: BandTable | None
    unknown: list[Value]

    @property
    def is_empty(self) -> bool:
        """Whether every value is unknown or false, so that the group matters little."""
        return self.by_band is None and all(v.value is False for v in self.values)


def groups_of(row: Row, facts: Mapping[str, Mapping[str, str]], made_by: Mapping[str, str]) -> list[ValueGroup]:
    """All columns of an alert: a group for each module, then the data model's, then groups without values."""
    values = {
        name: Value.of(name, item, facts[name])
        for name, item in row.items()
        if name in facts and name not in _NOT_VALUES
    }
    makers = dict.fromkeys(made_by[name] for name in values if name in made_by)
    groups = [_group(maker, True, (v for v in values.values() if made_by.get(v.name) == maker)) for maker in makers]
    own = {name: v for name, v in values.items() if name not in made_by}
    for title, names in _HEADINGS.items():
        groups.append(_group(title, False, [own.pop(name) for name in names if name in own]))
    groups.append(_group(_REST, False, own.values()))
    return sorted((group for group in groups if group.size), key=lambda group: group.is_empty)


def _group(title: str, is_added: bool, values: Iterable[Value]) -> ValueGroup:
    everything = list(values)
    families = _families(everything) if is_added else {}
    in_family = {v.name for family in families.values() for v in family.values()}
    single = [v for v in everything if v.name not in in_family]
    table = _band_table(families)
    shown = {v.name for _, cells in table.rows for v in cells if v is not None} if table else set()
    known = [v for v in single if v.is_known]
    hidden = [v for v in everything if not v.is_known and v.name not in shown]
    return ValueGroup(title, is_added, len(everything), known, table, hidden)


def _families(values: list[Value]) -> dict[str, dict[str, Value]]:
    """Columns whose names differ in the band at the end only: stem -> band -> column, if there are two or more."""
    families: dict[str, dict[str, Value]] = {}
    for value in values:
        if match := BAND_COLUMN.fullmatch(value.name):
            families.setdefault(match["stem"], {})[match["band"]] = value
    return {stem: family for stem, family in families.items() if len(family) > 1}


def _band_table(families: Mapping[str, Mapping[str, Value]]) -> BandTable | None:
    bands = [b for b in BANDS if any(b in family and family[b].is_known for family in families.values())]
    rows = []
    for stem, family in families.items():
        if any(value.is_known for value in family.values()):
            band, first = next(iter(family.items()))
            doc = re.sub(rf"\b(in|the) {band}\b", r"\1 each band", first.doc)
            label = first.label.removesuffix(f" ({band})")
            row = replace(first, name=stem, label=label, value=None, doc=doc)
            rows.append((row, [family.get(b) for b in bands]))
    return BandTable(bands, rows) if rows else None
