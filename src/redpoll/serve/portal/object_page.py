"""The contents of an object's page, read from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from redpoll.errors import NotFound, StoreError
from redpoll.formats.values import shortest
from redpoll.schema.alert import COLUMNS, CUTOUTS
from redpoll.schema.bands import BANDS, KINDS
from redpoll.schema.light_curve import POINT_TYPE
from redpoll.serve.api.facts import column_facts
from redpoll.serve.curve import Curve
from redpoll.serve.door import Reader
from redpoll.serve.portal.groups import Value, ValueGroup, groups_of
from redpoll.serve.portal.plot import SHAPES, Plot, drawn, light_curve_plot
from redpoll.serve.portal.what import ClassRow, what_is_it
from redpoll.store import Selection
from redpoll.store.row_answers import Row, classification_rows, full_alert, object_row

POINTS_A_PAGE = 50
ALERTS_A_PAGE = 25
_NOTHING: Row = dict.fromkeys(COLUMNS)


@dataclass(frozen=True)
class Paged:
    """One page of a table: rows, its number from 1, how many pages, and how many rows in all."""

    rows: list[Any]
    page: int
    n_pages: int
    n_rows: int


@dataclass(frozen=True)
class ObjectPage:
    """The page of one object; ``alert`` is the one whose cutouts and columns are shown."""

    summary: Row
    alert: Row
    is_newest: bool
    curve: Curve
    plot: Plot | None
    bands: list[tuple[str, dict[str, int]]]
    data: dict[str, Any]
    points: Paged
    alerts: Paged
    groups: list[ValueGroup]
    cutouts: list[str]
    extrema: list[Value]
    classes: list[ClassRow]
    trouble: str | None
    curve_trouble: str | None

    @property
    def n_drawn(self) -> int:
        """How many points the plot shows at first."""
        return int(drawn(self.curve).sum())

    @property
    def n_upper_limits(self) -> int:
        """How many of them are upper limits."""
        return int((drawn(self.curve) & self.curve.is_upper_limit).sum())


def object_page(reader: Reader, object_id: str, alert_id: int | None, points: int, alerts: int) -> ObjectPage:
    """Gather the page; NotFound if there is no such object, or no such alert of it."""
    summary = object_row(reader, object_id)
    rows = [_NOTHING | row for row in reader.alerts.scan(None, Selection(object_ids=[object_id])).to_rows()]
    alert = _chosen(rows, alert_id)
    curve, no_curve = _curve(reader, object_id)
    archived, made_by, no_archive = _archived(reader, alert)
    row = alert | archived
    return ObjectPage(
        summary=summary,
        alert=alert,
        is_newest=alert is rows[0],
        curve=curve,
        plot=light_curve_plot(curve),
        bands=curve.bands(),
        data=plot_data(curve),
        points=paged(_point_rows(curve), points, POINTS_A_PAGE),
        alerts=paged(rows, alerts, ALERTS_A_PAGE),
        groups=groups_of(row, column_facts(reader, row, alert["survey"], made_by), made_by),
        cutouts=[name.removeprefix("cutout_") for name in CUTOUTS if archived.get(name) is not None],
        extrema=_extrema(reader, summary),
        classes=what_is_it(classification_rows(reader, object_id)),
        trouble=no_archive,
        curve_trouble=no_curve,
    )


def _chosen(rows: Sequence[Row], alert_id: int | None) -> Row:
    """The alert that was asked for, else the newest."""
    for row in rows:
        if alert_id is None or int(row["alert_id"]) == alert_id:
            return row
    raise NotFound(f"this object has no alert {alert_id}" if rows else "this object has no alerts")


def _curve(reader: Reader, object_id: str) -> tuple[Curve, str | None]:
    """The light curve of the object; if it is damaged an empty one, and what went wrong."""
    try:
        return Curve.from_table(reader.objects.light_curve(object_id)), None
    except StoreError as error:
        return Curve.from_table(pa.schema(list(POINT_TYPE)).empty_table()), str(error)


def _archived(reader: Reader, alert: Row) -> tuple[Row, Mapping[str, str], str | None]:
    """The alert from the archive and who made its values; without the archive, what went wrong."""
    survey, alert_id = alert["survey"], int(alert["alert_id"])
    try:
        made_by = reader.alerts.provenance(alert_id, survey)
        stored = set(reader.alerts.schema().names)
        wanted = [name for name in (*COLUMNS, *made_by) if name in stored and name != "light_curve"]
        return full_alert(reader, alert_id, survey, wanted), made_by, None
    except StoreError as error:
        return {}, {}, str(error)


def plot_data(curve: Curve) -> dict[str, Any]:
    """The curve for the page's own drawing: columns of numbers, times after `mjd0`, fluxes in nJy."""
    start = float(np.floor(curve.mjd[0])) if len(curve) else 0.0
    return {
        "mjd0": start,
        "mjd": [round(float(t) - start, 5) for t in curve.mjd],
        "flux": [_short(v) for v in curve.flux],
        "err": [_short(v) for v in curve.flux_err],
        "band": curve.band.tolist(),
        "kind": curve.kind.tolist(),
        "bands": BANDS,
        "kinds": KINDS,
        "shapes": SHAPES,
    }


def _short(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _point_rows(curve: Curve) -> list[dict[str, Any]]:
    """Points, newest first, as the table shows them."""
    return [
        {
            "mjd": float(curve.mjd[i]),
            "band": BANDS[curve.band[i]] if curve.band[i] >= 0 else None,
            "kind": KINDS[curve.kind[i]] if curve.kind[i] >= 0 else None,
            "is_upper_limit": bool(curve.is_upper_limit[i]),
            "mag": float(curve.mag[i]),
            "mag_err": float(curve.mag_err[i]),
            "flux": shortest(float(curve.flux[i])),
            "flux_err": shortest(float(curve.flux_err[i])),
        }
        for i in reversed(range(len(curve)))
    ]


def paged(rows: Sequence[Any], page: int, size: int) -> Paged:
    """One page of rows; a page beyond the last is the last.

    >>> paged(range(7), 99, 3)
    Paged(rows=[6], page=3, n_pages=3, n_rows=7)
    """
    n_pages = max(1, -(-len(rows) // size))
    page = min(max(page, 1), n_pages)
    return Paged(list(rows[(page - 1) * size : page * size]), page, n_pages, len(rows))


def _extrema(reader: Reader, summary: Row) -> list[Value]:
    """The maximum or minimum of each score over all alerts of the object."""
    scores = {name[4:]: value for name, value in summary.items() if name.startswith(("max_", "min_"))}
    facts = column_facts(reader, scores)
    return [Value.of(name, value, facts[name]) for name, value in scores.items() if name in facts and value is not None]
