"""The REST interface, version 2: typed questions, paged answers, problem documents."""

from __future__ import annotations

from fastapi import APIRouter

from redpoll.serve.api import alerts, cutouts, night, objects

router = APIRouter(prefix="/api/v2")
for part in (cutouts, alerts, objects, night):
    router.include_router(part.router)
