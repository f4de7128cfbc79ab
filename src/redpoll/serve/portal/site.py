"""Templates and what they may use: filters, static addresses, the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from starlette.responses import HTMLResponse

import redpoll
from redpoll.astro.sky import galactic
from redpoll.serve.portal import plot, sparkline, words
from redpoll.serve.portal.assets import Assets
from redpoll.serve.portal.tonight import Sparklines


class Site:
    """The portal's templates, static files, and data cached between requests."""

    def __init__(self, assets: Assets, clock: Callable[[], datetime]) -> None:
        self.assets = assets
        self.sparklines = Sparklines()
        self._clock = clock
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters = (words.fixed, words.count, words.counted, words.value, words.utc, words.night, words.days)
        self._templates.filters.update({f.__name__: f for f in filters}, segment=segment)
        self._templates.globals.update(
            asset=assets.url,
            has_vendor=assets.has_vendor,
            version=redpoll.__version__,
            plot=plot,
            spark_box=sparkline,
            sexagesimal=words.sexagesimal,
            galactic=galactic,
        )

    def page(self, name: str, status: int = 200, **facts: Any) -> HTMLResponse:
        """A page from a template. Caches ask again each time, because the store grows."""
        now = self._clock()
        text = self._templates.get_template(name).render(now=now, ago=partial(words.ago, now=now), **facts)
        return HTMLResponse(text.encode("utf-8", "replace"), status, headers={"Cache-Control": "no-cache"})


def segment(text: object) -> str:
    """Text as one segment of a path.

    >>> segment("a/b?c")
    'a%2Fb%3Fc'
    """
    return quote(str(text), safe="", errors="replace")
