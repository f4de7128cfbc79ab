"""The catalogues that Redpoll has recipes for."""

from __future__ import annotations

from collections.abc import Mapping

from redpoll.catalogs.recipe import Recipe
from redpoll.crossmatch.context import Missing
from redpoll.schema.column import Column
from redpoll_reference.examples import of_catalogue
from redpoll_reference.links import catalogues
from redpoll_reference.markdown import required, table

INTRODUCTION = """# Catalogues

*For people who want to know which catalogues Redpoll can match, their columns, and their licences.*

Redpoll ships a recipe for each of these, and no data: `redpoll catalog add NAME` builds one, from a file of
yours or by the download that its recipe defines. Until then its columns are null, with the
provenance `NAME: not installed`. Each picture shows a simulated alert of a class that the catalogue contains.
"""


def page() -> str:
    """The page of catalogues."""
    return "\n\n".join([INTRODUCTION, *(section(one) for one in catalogues())]) + "\n"


def section(one: Recipe | Missing) -> str:
    """Section of a catalogue, or of columns computed from catalogues and maps, with its picture."""
    if isinstance(one, Recipe):
        text = describe(one)
    else:
        text = f"## `{one.name}`\n\nComputed from catalogues. Without them: {one.why}.\n\n{_columns(one.columns, {})}"
    return f"{text}\n\n{of_catalogue(one).figure()}"


def describe(recipe: Recipe) -> str:
    """Facts of a recipe."""
    facts = [
        ["what it is", required(recipe.title, f"catalogue {recipe.name}")],
        ["source", f"<{recipe.url}>" if recipe.url else ""],
        ["licence", required(recipe.licence, f"licence of {recipe.name}")],
        ["citation", required(recipe.citation, f"citation of {recipe.name}")],
        ["match", _match(recipe)],
    ]
    sources = {kept.name: f"`{kept.source}`" for kept in recipe.kept}
    return "\n\n".join([f"## `{recipe.name}`", table(["", ""], facts), _columns(recipe.columns, sources)])


def _match(recipe: Recipe) -> str:
    if recipe.position is None:
        return f"by the identifier of the object, its column `{recipe.key}`"
    own = f", or each source's own `{recipe.match.radius_column}`" if recipe.match.radius_column else ""
    motion = "; proper motion is applied" if recipe.position.pm_ra else ""
    kept = "the nearest source" if recipe.match.which == "nearest" else "all sources, nearest first,"
    return f"{kept} within {recipe.match.radius_arcsec:g} arcsec{own}{motion}"


def _columns(columns: Mapping[str, Column], sources: Mapping[str, str]) -> str:
    rows = [
        [f"`{name}`", str(column.arrow_type), column.unit, f"`{column.assigns}`" if column.assigns else "",
         sources.get(name, "computed"), required(column.doc, f"column {name}")]
        for name, column in columns.items()
    ]  # fmt: skip
    return table(["column", "type", "unit", "class", "from", "meaning"], rows)
