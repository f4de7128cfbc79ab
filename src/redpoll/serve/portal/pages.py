"""The pages' addresses."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from redpoll.errors import NotFound
from redpoll.formats.values import plain, to_json
from redpoll.serve.api.objects import object_answer
from redpoll.serve.dependencies import Door, Night, ObjectId
from redpoll.serve.door import StoreNotReady
from redpoll.serve.portal.object_page import object_page
from redpoll.serve.portal.search import find_object
from redpoll.serve.portal.site import Site, segment
from redpoll.serve.portal.tonight import tonight
from redpoll.serve.problems import without_path

router = APIRouter(include_in_schema=False)


async def site_of(request: Request) -> Site:
    """The application's site."""
    site: Site = request.app.state.site
    return site


TheSite = Annotated[Site, Depends(site_of)]
OneNight = Annotated[Night | None, Query()]
ClassName = Annotated[str | None, Query(alias="class", max_length=200)]
Topic = Annotated[str | None, Query(max_length=200)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
AlertNumber = Annotated[int | None, Query(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, Query(max_length=200)]


@router.get("/")
def front(door: Door, site: TheSite, night: OneNight = None, topic: Topic = None, class_: ClassName = None) -> Response:
    """Tonight: the ledger, the topics and classes, the newest candidates; a welcome while there is no store."""
    try:
        reader = door.reader()
    except StoreNotReady as error:
        return site.page("waiting.html", reason=str(error), store=door.path.name)
    facts = tonight(reader, site.sparklines, night, topic, class_)
    if facts.night is None and not facts.candidates:
        return site.page("waiting.html", reason="the store is empty", store=door.path.name)
    return site.page("tonight.html", t=facts)


@router.get("/tonight.json")
def front_json(
    door: Door, site: TheSite, night: OneNight = None, topic: Topic = None, class_: ClassName = None
) -> Response:
    """The front page for programs."""
    facts = tonight(door.reader(), site.sparklines, night, topic, class_)
    body: dict[str, Any] = {
        "night": facts.night,
        "ledger": plain(facts.ledger),
        "topics": dict(facts.topics),
        "classes": {kind.name: kind.n for kind in facts.classes},
        "candidates": [plain(candidate.alert) for candidate in facts.candidates],
    }
    return Response(to_json(body), media_type="application/json")


@router.get("/objects/{object_id:path}.json")
def object_json(door: Door, object_id: ObjectId) -> Response:
    """The object's page for programs."""
    return Response(to_json(object_answer(door.reader(), object_id)), media_type="application/json")


@router.get("/objects/{object_id:path}")
def object_html(
    door: Door,
    site: TheSite,
    object_id: ObjectId,
    alert: AlertNumber = None,
    points: PageNumber = 1,
    alerts: PageNumber = 1,
) -> Response:
    """An object; `alert` chooses whose cutouts and columns are shown, `points` and `alerts` page the tables."""
    facts = object_page(door.reader(), object_id, alert, points, alerts)
    return site.page("object.html", o=facts, trouble=facts.trouble and without_path(facts.trouble, door.path))


@router.get("/search")
def search(door: Door, q: Text = "") -> Response:
    """From an object's or an alert's identifier to the page of the object."""
    if not q.strip():
        return RedirectResponse("/", 303)
    object_id, alert_id = find_object(door.reader(), q.strip())
    if object_id is None:
        raise NotFound(f"there is no object or alert '{q.strip()}' in this store")
    return RedirectResponse(f"/objects/{segment(object_id)}" + (f"?alert={alert_id}" if alert_id else ""), 303)
