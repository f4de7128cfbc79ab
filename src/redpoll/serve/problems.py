"""Errors as RFC 9457 problem documents for programs, and as pages for people."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, get_type_hints

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from redpoll.errors import BadQuery, NotFound, PacketError, StoreError, near
from redpoll.formats.values import to_json
from redpoll.serve.door import StoreNotReady

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


Headers = Mapping[str, str]


def problem(
    status: int, detail: str, errors: list[dict[str, str]] | None = None, headers: Headers | None = None
) -> Response:
    """A problem document: `detail` is what is wrong and what to do, `errors` lists the parameters concerned."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {"detail": detail} | ({"errors": errors} if errors else {})
    return Response(to_json(body), status, headers=headers, media_type=MEDIA_TYPE)


def is_for_programs(request: Request) -> bool:
    """Whether the answer goes to a program: the API's paths, health, JSON twins."""
    path = request.url.path
    return path.startswith("/api/") or path in ("/healthz", "/openapi.json") or path.endswith(".json")


Answer = Callable[[Request, int, str], Response]
STATUS: dict[type[Exception], int] = {
    NotFound: 404,
    PacketError: 404,
    BadQuery: 400,
    StoreNotReady: 503,
    StoreError: 503,
}


def add_problems(app: FastAPI, page: Answer) -> None:
    """Answer errors with a problem document where a program asks, and with a `page` where a person does.

    ``page(request, status, detail)`` makes the page; it may read the store, so it runs in a worker thread.
    """

    async def answer(
        request: Request,
        status: int,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: Headers | None = None,
    ) -> Response:
        detail = without_path(detail, request.app.state.door.path)
        if is_for_programs(request):
            return problem(status, detail, errors, headers)
        return await run_in_threadpool(page, request, status, detail)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return await answer(request, 422, *explain(request, error))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = str(error.detail)
        if error.status_code == HTTPStatus.NOT_FOUND and detail == HTTPStatus.NOT_FOUND.phrase:
            detail = f"there is nothing at {request.url.path}"
        return await answer(request, error.status_code, detail, headers=error.headers)

    async def known(request: Request, error: Exception) -> Response:
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return await answer(request, status, str(error))
        log.warning("the store cannot answer: %s", error, extra={"path": request.url.path})
        return await answer(request, status, str(error), headers={"Retry-After": "5"})

    async def unexpected(request: Request, error: Exception) -> Response:
        return problem(500, "Unexpected error in the server; its log has the details.")

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    for kind in STATUS:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(Exception, unexpected)


def without_path(detail: str, path: Path) -> str:
    """The detail without the path of the store on this machine, which visitors must not see.

    >>> without_path("no object in /data/s, nor in /data/s2", Path("/data/s"))
    'no object in this store, nor in /data/s2'
    """
    return re.sub(re.escape(str(path.absolute())) + r"(?![\w-])", "this store", detail)


def explain(request: Request, error: RequestValidationError) -> tuple[str, list[dict[str, str]]]:
    """One sentence on what is wrong with a request, and the same for each parameter."""
    errors = [_explain_one(request, each) for each in error.errors()]
    return "; ".join(f"{e['name']}: {e['message']}" if e["name"] else e["message"] for e in errors), errors


def _explain_one(request: Request, error: dict[str, Any]) -> dict[str, str]:
    where, name = (*(str(part) for part in error["loc"][:2]), "", "")[:2]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"unknown parameter{near(name, _parameters(request))}"
    return {"in": where, "name": name, "message": message}


def _parameters(request: Request) -> list[str]:
    """Names of the query parameters of the route, whose function takes them as one model named `query`."""
    model = get_type_hints(request.scope["endpoint"]).get("query")
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]
