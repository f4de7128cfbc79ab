"""The module, filter or catalogue that makes a column, and the page that documents it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from tempfile import TemporaryDirectory

from redpoll.catalogs.recipe import Recipe, builtin_recipes
from redpoll.config import Config, CrossmatchConfig
from redpoll.crossmatch.context import Missing
from redpoll.pipeline.contexts import open_stage
from redpoll.schema.column import Column
from redpoll_reference.plugins import FILTERS, MODULES, own

PAGES = {MODULES: "modules", FILTERS: "filters"}


def made() -> Iterator[tuple[str, Column, str, str]]:
    """Every column that a module, filter or catalogue makes: name, column, its maker, and the maker's page."""
    for group, page in PAGES.items():
        for node in (entry.load() for entry in own(group)):
            yield from ((name, column, node.name, page) for name, column in node.outputs.items())
    for one in catalogues():
        yield from ((name, column, one.name, "catalogues") for name, column in one.columns.items())


@cache
def catalogues() -> tuple[Recipe | Missing, ...]:
    """The recipes, and what else is matched in an empty installation: what is computed from catalogues."""
    recipes = builtin_recipes()
    with TemporaryDirectory() as empty:
        stage = open_stage(replace(Config(), crossmatch=CrossmatchConfig(empty)))
    return (*recipes.values(), *(missing for missing in stage.missing if missing.name not in recipes))


@cache
def makers() -> dict[str, str]:
    """The link to the maker of each column."""
    return {name: link(maker, page) for name, _, maker, page in made()}


def link(maker: str, page: str) -> str:
    """A link to a module, filter or catalogue."""
    return f"[{maker}]({page}.md#{maker})"


def reads(name: str) -> str:
    """An input, with its maker if that is not the packet."""
    return f"`{name}` ({makers()[name]})" if name in makers() else f"`{name}`"
