"""A real server over a synthetic night, and a Chromium that may talk to nobody else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "contract/serve"))  # for the synthetic night

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright
from synthetic_night import long_object, make_store, night_objects

from redpoll.testing.server import running_server

ROOT = Path(__file__).parents[3]
CHROMIUM = shutil.which("chromium")
AXE = ROOT / "node_modules/axe-core/axe.min.js"
VENDOR = ROOT / "src/redpoll/serve/portal/static/vendor/uPlot.iife.min.js"


@dataclass
class Visit:
    """A page and a record of its requests, its console messages and its bytes."""

    page: Page
    requests: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    received: int = 0
    sent: int = 0


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server over the synthetic night and an object of 1000 alerts."""
    store = make_store(tmp_path_factory.mktemp("portal") / "store", [*night_objects(30), long_object(1000)])
    with running_server(store) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: apt-get install chromium, or `make setup`")
    if not (AXE.is_file() and VENDOR.is_file()):
        pytest.skip("the front-end packages are missing: `make setup`, or python tools/frontend.py")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[object]:
    """A function that opens a path of the portal in a fresh context; any request elsewhere fails the test."""
    contexts: list[BrowserContext] = []
    outside: list[str] = []

    def guard(route: Route) -> None:
        if route.request.url.startswith(address):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    def open_it(path: str, *, width: int = 1400, theme: str = "light", javascript: bool = True) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=javascript)
        context.set_default_timeout(8000)
        contexts.append(context)
        context.route("**/*", guard)
        context.add_init_script(f"localStorage.getItem('theme') ?? localStorage.setItem('theme', '{theme}')")
        visit = Visit(context.new_page())
        watch(visit)
        visit.page.goto(address + path, wait_until="networkidle" if javascript else "load")
        return visit

    yield open_it
    for context in contexts:
        context.close()
    assert not outside


def watch(visit: Visit) -> None:
    """Note every request, byte, console error and exception of a page."""
    page = visit.page
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: _add(visit, int(event["encodedDataLength"])))
    page.on("request", lambda request: _request(visit, request.url, len(request.post_data_buffer or b"")))
    page.on(
        "console", lambda message: visit.trouble.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: visit.trouble.append(str(error)))


def _add(visit: Visit, n_bytes: int) -> None:
    visit.received += n_bytes


def _request(visit: Visit, url: str, n_bytes: int) -> None:
    visit.requests.append(url)
    visit.sent += n_bytes
