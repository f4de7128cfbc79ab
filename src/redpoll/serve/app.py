"""The application: API, pages and static files over one store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

import redpoll
from redpoll.serve import api
from redpoll.serve.api import health
from redpoll.serve.door import Reader, StoreDoor
from redpoll.serve.headers import SecurityHeaders
from redpoll.serve.portal import pages
from redpoll.serve.portal.assets import Assets
from redpoll.serve.portal.errors import error_page
from redpoll.serve.portal.site import Site
from redpoll.serve.problems import add_problems
from redpoll.serve.query_time import QueryTime

_ABOUT = """Alerts, objects and light curves of a Redpoll store, to read.

Times are MJD TAI, fluxes nJy (AB zero point 31.4), positions ICRS degrees. Unknown is null. 64-bit identifiers are
strings. Errors are problem documents (RFC 9457). A parameter that is not listed is refused."""


def create_app(
    store_path: Path,
    *,
    opener: Callable[[Path], Reader] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    assets: Assets | None = None,
    query_seconds: float = 30.0,
) -> FastAPI:
    """The application over the store at `store_path`, which need not exist yet and is only read.

    Parameters
    ----------
    store_path
        Folder of the store; a run may be writing to it.
    opener
        Opens a store for reading; by default ``redpoll.store.open_store``.
    clock
        Returns the time, UTC, from which pages compute how long ago an alert was.
    assets
        Static files; by default those of the package.
    query_seconds
        How long the queries of one request may take in all; then the answer is an error.
    """
    app = FastAPI(
        title="Redpoll",
        version=redpoll.__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
    )
    app.state.door = StoreDoor(Path(store_path), opener)
    app.state.site = site = Site(assets or Assets(), clock)
    app.include_router(health.router)
    app.include_router(api.router)
    app.add_route("/static/{version}/{name:path}", site.assets.answer, methods=["GET"], include_in_schema=False)
    app.include_router(pages.router)
    add_problems(app, error_page)
    app.add_middleware(GZipMiddleware, minimum_size=600, compresslevel=6)
    app.add_middleware(QueryTime, seconds=query_seconds)
    app.add_middleware(SecurityHeaders)
    return app
