"""Errors as pages: what is wrong, and where to go from here."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from redpoll.errors import StoreError
from redpoll.serve.door import StoreDoor
from redpoll.serve.portal.search import suggestions
from redpoll.serve.portal.site import Site

_WORDS = {
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.UNPROCESSABLE_ENTITY: "This address cannot be understood",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store cannot answer now",
}


def error_page(request: Request, status: int, detail: str) -> Response:
    """A page for a person; for an unknown object with near identifiers."""
    site: Site = request.app.state.site
    asked = request.path_params.get("object_id") or request.query_params.get("q") or ""
    near = _near(request.app.state.door, asked) if status == HTTPStatus.NOT_FOUND and asked else []
    title = _WORDS.get(HTTPStatus(status), HTTPStatus(status).phrase)
    return site.page("error.html", status, title=title, detail=detail, near=near, asked=asked)


def _near(door: StoreDoor, asked: str) -> list[str]:
    try:
        return suggestions(door.reader(), asked)
    except StoreError:
        return []
