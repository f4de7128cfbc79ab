"""Download of the table of a catalogue by its recipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from redpoll.catalogs.fetch.address import fetch_address
from redpoll.catalogs.fetch.area import ConeArea, Positions
from redpoll.catalogs.fetch.ask import Progress, Service
from redpoll.catalogs.fetch.pages import Pages
from redpoll.catalogs.fetch.plan import Plan, TapPlan, UrlPlan, VizierPlan, XmatchPlan, parse_fetch, plan_key
from redpoll.catalogs.fetch.tap import fetch_tap
from redpoll.catalogs.fetch.vizier import fetch_vizier
from redpoll.catalogs.fetch.xmatch import fetch_xmatch
from redpoll.catalogs.recipe import Recipe
from redpoll.errors import UsageError


def fetch_table(
    recipe: Recipe,
    folder: Path,
    *,
    progress: Progress = lambda done, total: None,
    where: ConeArea | Positions | None = None,
    max_bytes: int = 64 << 30,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Fetch the table of a catalogue by the [fetch] of its recipe, and return its path.

    An interrupted fetch is resumed; a complete table of the same request is not fetched again.

    Parameters
    ----------
    folder
        Destination, created if needed: ``<name>.parquet`` with the columns of the recipe, or the file unchanged.
    progress
        Called with the bytes received and the total, None if unknown.
    where
        A `ConeArea`: only sources in it. `Positions`: only their matches, for a recipe of kind ``xmatch``.
    max_bytes
        Maximum bytes of all responses.

    Raises
    ------
    RecipeError
        If the recipe has no [fetch].
    UsageError
        If `where` does not fit the kind of the recipe, or a key is not in the environment.
    CatalogError
        If it cannot be fetched completely; the message names the server, its response and the remedy.
    """
    plan = parse_fetch(recipe)
    with closing(Service(progress, max_bytes, sleep)) as service:
        return _fetched(recipe, plan, folder, service, where)


def _fetched(recipe: Recipe, plan: Plan, folder: Path, service: Service, where: ConeArea | Positions | None) -> Path:
    if isinstance(plan, UrlPlan):
        if where is not None:
            raise UsageError(f"{recipe.name} is one file: it cannot be fetched in part")
        return fetch_address(plan, folder, service)
    cone, positions = _narrowed(recipe, plan, where)
    pages = Pages(folder, recipe, plan.columns, plan_key(plan, cone, positions and positions.key))
    if pages.is_done:
        return pages.out
    if isinstance(plan, VizierPlan):
        return fetch_vizier(plan, pages, service, cone)
    if isinstance(plan, TapPlan):
        return fetch_tap(plan, pages, service, cone)
    return fetch_xmatch(plan, pages, service, positions)


def _narrowed(
    recipe: Recipe, plan: VizierPlan | TapPlan | XmatchPlan, where: ConeArea | Positions | None
) -> tuple[ConeArea | None, Positions | None]:
    if isinstance(plan, XmatchPlan):
        if isinstance(where, ConeArea):
            raise UsageError(f"{recipe.name} is fetched as the matches of positions, not of a cone")
        return None, where
    if isinstance(where, Positions):
        raise UsageError(f"{recipe.name} is fetched whole or in a cone, not as the matches of positions")
    return where, None
