"""/api/v2/objects: everything about one object."""

from __future__ import annotations

from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from redpoll.serve.api.facts import column_facts
from redpoll.serve.api.models import ObjectAnswer
from redpoll.serve.api.query import AlertQuery, page_of
from redpoll.serve.dependencies import PROBLEMS, Door, ObjectId
from redpoll.serve.door import Reader
from redpoll.serve.values import plain, shortest, to_json

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
    summary = reader.object(object_id)
    alerts, following = page_of(reader, AlertQuery(object_id=object_id, limit=limit))
    newest = alerts[0] if alerts else {}
    survey = newest.get("survey")
    made_by = reader.provenance(int(newest["alert_id"]), survey) if survey is not None else {}
    names = dict.fromkeys([*summary, *(name for row in alerts for name in row)])
    return {
        "object": plain(summary),
        "classes": [plain(row) for row in reader.classes_of(object_id)],
        "alerts": [plain(row) for row in alerts],
        "next": following,
        "light_curve": light_curve_columns(reader.light_curve(object_id)),
        "columns": column_facts(reader, names, survey, made_by),
    }


def light_curve_columns(table: pa.Table) -> dict[str, list[Any]]:
    """A light curve as lists of JSON values, one per column."""
    columns = {name: plain(table[name].to_pylist(), name) for name in ("mjd", "band", "flux", "flux_err", "kind")}
    for name in ("flux", "flux_err"):
        columns[name] = [None if value is None else shortest(value) for value in columns[name]]
    return columns
