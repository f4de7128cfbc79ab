"""Asking an application without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from redpoll.serve import create_app

Get = Callable[..., httpx.Response]


def client(store: Path, **options: Any) -> Get:
    """A function that asks the application over a store; redirections are not followed.

    It asks from a thread of its own: a browser test of the same process leaves an event loop in the main one.
    """
    transport = httpx.ASGITransport(create_app(store, **options))

    async def ask(path: str, method: str, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://redpoll.test") as http:
            return await http.request(method, path, headers=headers)

    def get(path: str, method: str = "GET", **headers: str) -> httpx.Response:
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(asyncio.run, ask(path, method, headers)).result()

    return get
