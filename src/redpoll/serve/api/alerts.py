"""/api/v2/alerts: pages of alerts, and one full alert."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from redpoll.formats.values import plain, plain_rows, to_json
from redpoll.schema.alert import CUTOUTS
from redpoll.serve.api import formats
from redpoll.serve.api.facts import column_facts
from redpoll.serve.api.models import PROBLEMS, AlertPage, FullAlert
from redpoll.serve.api.query import AlertQuery, check_found, scan_of
from redpoll.serve.dependencies import AlertId, Door, NoQuery, Survey
from redpoll.store.row_answers import full_alert

router = APIRouter(tags=["alerts"])


@router.get(
    "/alerts",
    response_model=AlertPage,
    responses=PROBLEMS | {200: {"content": {media_type: {} for media_type in formats.MEDIA_TYPES}}},
)
def alerts(
    request: Request, door: Door, query: Annotated[AlertQuery, Query()], accept: Annotated[str, Header()] = ""
) -> Response:
    """Alerts that fulfil every condition given, nearest first if one is a cone, else newest first.

    Pages are linked by `next` in JSON, and in every format by the header `Link: <...>; rel="next"`.
    """
    format, reader = formats.choose(query.format, accept), door.reader()
    scan, headers = scan_of(reader, query), {"Vary": "Accept"}
    if format == "json":
        rows = scan.to_rows()
        n_alerts, media_type = len(rows), "application/json"
        body = to_json({"alerts": plain_rows(rows, scan.schema), "next": scan.after})
    else:
        table = scan.to_table()
        n_alerts, (body, media_type) = table.num_rows, formats.encode(table, format)
    check_found(reader, query, n_alerts)
    if scan.after:
        headers["Link"] = f'<{request.url.include_query_params(cursor=scan.after)}>; rel="next"'
    return Response(body, headers=headers, media_type=media_type)


@router.get("/alerts/{survey}/{alert_id}", response_model=FullAlert, responses=PROBLEMS)
def alert(door: Door, survey: Survey, alert_id: AlertId, query: Annotated[NoQuery, Query()]) -> Response:
    """One alert with history, added values, and the survey's own packet; cutouts have their own addresses."""
    reader = door.reader()
    row = full_alert(reader, alert_id, survey)
    sent = [name.removeprefix("cutout_") for name in CUTOUTS if row.pop(name, None) is not None]
    facts = column_facts(reader, row, survey, reader.alerts.provenance(alert_id, survey))
    cutouts = {kind: f"/api/v2/alerts/{survey}/{alert_id}/cutouts/{kind}" for kind in sent}
    body = to_json({"alert": plain(row), "columns": facts, "cutouts": cutouts})
    return Response(body, media_type="application/json")
