"""/api/v2/objects: everything about one object."""

from __future__ import annotations

from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from redpoll.formats.values import plain, plain_rows, shortest, to_json
from redpoll.serve.api.facts import column_facts
from redpoll.serve.api.models import PROBLEMS, ObjectAnswer
from redpoll.serve.api.query import AlertQuery, scan_of
from redpoll.serve.dependencies import Door, ObjectId
from redpoll.serve.door import Reader

router = APIRouter(tags=["objects"])


class ObjectQuery(BaseModel):
    """Parameters of /api/v2/objects/{object_id}."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(
        default=100, ge=1, le=1000, description="newest alerts to include; the light curve does not depend on it"
    )


@router.get("/objects/{object_id:path}", response_model=ObjectAnswer, responses=PROBLEMS)
def object_(door: Door, object_id: ObjectId, query: Annotated[ObjectQuery, Query()]) -> Response:
    """Summary, assigned classes, newest alerts and light curve of an object."""
    return Response(to_json(object_answer(door.reader(), object_id, query.limit)), media_type="application/json")


def object_answer(reader: Reader, object_id: str, limit: int = 100) -> dict[str, Any]:
    """The answer as plain values; NotFound if there is no such object."""
    summary, classes = reader.objects.get(object_id), reader.objects.classifications(object_id)
    scan = scan_of(reader, AlertQuery(object_id=object_id, limit=limit))
    alerts = scan.to_rows()
    survey, made_by = None, {}
    if alerts:
        survey = alerts[0]["survey"]
        made_by = reader.alerts.provenance(alerts[0]["alert_id"], survey)
    names = dict.fromkeys([*summary.schema.names, *scan.schema.names])
    return {
        "object": plain_rows(summary.to_rows(), summary.schema)[0],
        "classes": plain_rows(classes.to_rows(), classes.schema),
        "alerts": plain_rows(alerts, scan.schema),
        "next": scan.after,
        "light_curve": light_curve_columns(reader.objects.light_curve(object_id)),
        "columns": column_facts(reader, names, survey, made_by),
    }


def light_curve_columns(table: pa.Table) -> dict[str, list[Any]]:
    """A light curve as lists of JSON values, one per column."""
    columns = {name: plain(table[name].to_pylist(), name) for name in ("mjd", "band", "flux", "flux_err", "kind")}
    for name in ("flux", "flux_err"):
        columns[name] = [None if value is None else shortest(value) for value in columns[name]]
    return columns
