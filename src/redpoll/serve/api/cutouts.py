"""/api/v2/alerts/{survey}/{alert_id}/cutouts: cutouts as FITS, PNG, or pixels for a page."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from redpoll.astro.cutout_file import fits_bytes, read_cutout
from redpoll.errors import NotFound, PacketError
from redpoll.formats.values import to_json
from redpoll.schema.alert import CUTOUTS
from redpoll.serve.api.models import PROBLEMS, CutoutPixels
from redpoll.serve.cutout_image import Stretch, grey, grey_png, quantised
from redpoll.serve.dependencies import AlertId, Door, NoQuery, Survey
from redpoll.store.row_answers import full_alert

router = APIRouter(prefix="/alerts/{survey}/{alert_id}/cutouts", tags=["cutouts"])
Kind = Literal["science", "template", "difference"]
FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}
"""An alert never changes once it is stored."""


class CutoutQuery(BaseModel):
    """How one cutout is wanted."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["fits", "png"] = "fits"
    stretch: Stretch | None = Field(default=None, description="PNG only; asinh unless the kind is difference")


@router.get("", response_model=dict[str, CutoutPixels | None], responses=PROBLEMS)
def cutouts(door: Door, survey: Survey, alert_id: AlertId, query: Annotated[NoQuery, Query()]) -> Response:
    """All three cutouts, small enough to be drawn by a page; null where one was not sent or cannot be read."""
    row = full_alert(door.reader(), alert_id, survey, CUTOUTS)
    body = {name.removeprefix("cutout_"): _pixels(row.get(name)) for name in CUTOUTS}
    return Response(to_json(body), headers=FOR_A_DAY, media_type="application/json")


@router.get(
    "/{kind}",
    response_class=Response,
    responses=PROBLEMS | {200: {"content": {"application/fits": {}, "image/png": {}}}},
)
def cutout(
    door: Door, survey: Survey, alert_id: AlertId, kind: Kind, query: Annotated[CutoutQuery, Query()]
) -> Response:
    """One cutout as the survey sent it, a FITS file; or as a stretched PNG."""
    name = f"cutout_{kind}"
    data = full_alert(door.reader(), alert_id, survey, [name]).get(name)
    if data is None:
        raise NotFound(f"alert {alert_id} of {survey} has no {kind} cutout")
    if query.format == "png":
        image = grey(read_cutout(data), query.stretch or ("linear" if kind == "difference" else "asinh"))
        return Response(grey_png(image), headers=FOR_A_DAY, media_type="image/png")
    file_name = f"{survey}-{alert_id}-{kind}.fits"
    headers = FOR_A_DAY | {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return Response(bytes(fits_bytes(data)), headers=headers, media_type="application/fits")


def _pixels(data: bytes | None) -> dict[str, Any] | None:
    if data is None:
        return None
    try:
        pixels, low, high = quantised(read_cutout(data))
    except PacketError:
        return None
    height, width = pixels.shape
    text = base64.b64encode(pixels.tobytes()).decode("ascii")
    return {"width": width, "height": height, "low": low, "high": high, "pixels": text}
