"""The table of a catalogue, fetched as its recipe says."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from redpoll.catalogs.fetch.address import fetch_address
from redpoll.catalogs.fetch.area import Cone, Positions
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
    where: Cone | Positions | None = None,
    max_bytes: int = 64 << 30,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Fetch the table a catalogue is built from, by the [fetch] of its recipe.

    A fetch that was cut goes on where it was; the same fetch of a table that is there returns at once.

    Parameters
    ----------
    folder
        Where to put it, made if needed: ``<name>.parquet`` with the columns the recipe reads, or the file as it is.
    progress
        Told the bytes so far and of the whole, None if not known.
    where
        A `Cone`: only what lies in it. `Positions`: only what matches them, for a recipe of kind ``xmatch``.
    max_bytes
        Give up when more came.

    Raises
    ------
    RecipeError
        If the recipe does not say how to fetch it.
    UsageError
        If `where` is not what its kind takes, or a key is wanted and not in the environment.
    CatalogError
        If it cannot be fetched, or not whole; the message says which server says what, and what to do.
    """
    plan = parse_fetch(recipe)
    with closing(Service(progress, max_bytes, sleep)) as service:
        return _fetched(recipe, plan, folder, service, where)


def _fetched(recipe: Recipe, plan: Plan, folder: Path, service: Service, where: Cone | Positions | None) -> Path:
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
    recipe: Recipe, plan: VizierPlan | TapPlan | XmatchPlan, where: Cone | Positions | None
) -> tuple[Cone | None, Positions | None]:
    if isinstance(plan, XmatchPlan):
        if isinstance(where, Cone):
            raise UsageError(f"{recipe.name} is fetched as the matches of positions, not of a cone")
        return None, where
    if isinstance(where, Positions):
        raise UsageError(f"{recipe.name} is fetched whole or in a cone, not as the matches of positions")
    return where, None
