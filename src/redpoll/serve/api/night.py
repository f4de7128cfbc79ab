"""/api/v2/ledger and /api/v2/topics: counts of a night's packets and alerts."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from redpoll.formats.values import plain, to_json
from redpoll.serve.api.models import PROBLEMS, LedgerAnswer, Topics
from redpoll.serve.dependencies import Door, Night
from redpoll.store.row_answers import ledger_rows

router = APIRouter(tags=["night"])


class LedgerQuery(BaseModel):
    """Parameters of /api/v2/ledger."""

    model_config = ConfigDict(extra="forbid")

    by: Literal["night", "run"] = Field(
        default="night", description="one row per survey and night, or per survey and run"
    )


class TopicsQuery(BaseModel):
    """Parameters of /api/v2/topics."""

    model_config = ConfigDict(extra="forbid")

    night: Night | None = None


@router.get("/ledger", response_model=LedgerAnswer, responses=PROBLEMS)
def ledger(door: Door, query: Annotated[LedgerQuery, Query()]) -> Response:
    """Packets received = stored + duplicate + rejected, with reasons."""
    rows = ledger_rows(door.reader(), query.by)
    return Response(to_json({"ledger": [plain(row) for row in rows]}), media_type="application/json")


@router.get("/topics", response_model=Topics, responses=PROBLEMS)
def topics(door: Door, query: Annotated[TopicsQuery, Query()]) -> Response:
    """Alerts per topic, over one night or all."""
    counts = door.reader().ledger.topics(night=query.night)
    return Response(to_json({"night": query.night, "topics": counts}), media_type="application/json")
