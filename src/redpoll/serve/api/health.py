"""/healthz: is the server there, and is a store behind it?"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

import redpoll
from redpoll.formats.values import to_json
from redpoll.serve.api.models import Health
from redpoll.serve.dependencies import Door
from redpoll.serve.door import StoreNotReady

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Health)
def healthz(door: Door) -> Response:
    """Always 200 while the server runs; `store` is ready, or waiting until a run makes it."""
    try:
        door.reader()
        store = "ready"
    except StoreNotReady:
        store = "waiting"
    body = {"status": "ok", "store": store, "version": redpoll.__version__}
    return Response(to_json(body), media_type="application/json")
