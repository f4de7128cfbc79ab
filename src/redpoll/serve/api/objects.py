"""/api/v2/objects: everything about one object."""

from __future__ import annotations

from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from redpoll.formats.values import plain, plain_rows, shortest, to_json
from redpoll.serve.api.facts import column_facts
from redpoll.serve.api.models import ObjectAnswer
from redpoll.serve.api.query import AlertQuery, page_of
from redpoll.serve.dependencies import PROBLEMS, Door, ObjectId
from redpoll.serve.door import Reader

router = APIRouter(tags=["objects"])


class ObjectQuery(BaseModel):
    """Parameters of /api/v2/objects/{object_id}."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(
        default=100, ge=1, le=1000, description="newest alerts to include; the light curve is always whole"
    )


@router.get("/objects/{object_id:path}", response_model=ObjectAnswer, responses=PROBLEMS)
def object_(door: Door, object_id: ObjectId, query: Annotated[ObjectQuery, Query()]) -> Response:
    """Summary, assigned classes, newest alerts and merged light curve of an object."""
    return Response(to_json(object_answer(door.reader(), object_id, query.limit)), media_type="application/json")


def object_answer(reader: Reader, object_id: str, limit: int = 100) -> dict[str, Any]:
    """The answer as plain values; NotFound if there is no such object."""
    summary = reader.objects.get(object_id).to_table()
    alerts, following = page_of(reader, AlertQuery(object_id=object_id, limit=limit))
    survey, made_by = None, {}
    if alerts.num_rows:
        survey, newest = alerts["survey"][0].as_py(), alerts["alert_id"][0].as_py()
        made_by = reader.alerts.provenance(newest, survey)
    names = dict.fromkeys([*summary.column_names, *alerts.column_names])
    return {
        "object": plain_rows(summary)[0],
        "classes": plain_rows(reader.objects.classifications(object_id).to_table()),
        "alerts": plain_rows(alerts),
        "next": following,
        "light_curve": light_curve_columns(reader.objects.light_curve(object_id)),
        "columns": column_facts(reader, names, survey, made_by),
    }


def light_curve_columns(table: pa.Table) -> dict[str, list[Any]]:
    """A light curve as lists of JSON values, one per column."""
    columns = {name: plain(table[name].to_pylist(), name) for name in ("mjd", "band", "flux", "flux_err", "kind")}
    for name in ("flux", "flux_err"):
        columns[name] = [None if value is None else shortest(value) for value in columns[name]]
    return columns
