"""How long the queries of a request may take."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from redpoll.store import query_time


class QueryTime:
    """ASGI middleware that stops the queries of a request that take too long in all."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its time; the threads that answer it have the same context."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with query_time(self._seconds):
            await self.app(scope, receive, send)
