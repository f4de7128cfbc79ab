"""The catalogues that Redpoll has recipes for."""

from __future__ import annotations

from redpoll.crossmatch.recipe import Recipe, builtin_recipes
from redpoll_reference.examples import of_catalogue
from redpoll_reference.markdown import said, table

INTRODUCTION = """# Catalogues

*For anyone who asks what is known at the place of an alert, from which catalogue, and under which licence.*

Redpoll has a recipe for each of these, and the data of none: `redpoll catalog add NAME` builds one, from a file of
yours or by download as its recipe says. Until then its columns are null, and made by `NAME: not installed`. Each
picture shows a simulated alert of a kind that the catalogue may explain.
"""


def page() -> str:
    """The page of catalogues."""
    return "\n\n".join([INTRODUCTION, *(describe(recipe) for recipe in builtin_recipes().values())]) + "\n"


def describe(recipe: Recipe) -> str:
    """Section of a catalogue."""
    facts = [
        ["what it is", said(recipe.title, f"catalogue {recipe.name}")],
        ["source", f"<{recipe.url}>" if recipe.url else ""],
        ["licence", said(recipe.licence, f"licence of {recipe.name}")],
        ["citation", said(recipe.citation, f"citation of {recipe.name}")],
        ["match", _match(recipe)],
    ]
    parts = [f"## `{recipe.name}`", table(["", ""], facts), _columns(recipe), of_catalogue(recipe).figure()]
    return "\n\n".join(parts)


def _match(recipe: Recipe) -> str:
    if recipe.position is None:
        return f"by the identifier of the object, its column `{recipe.key}`"
    own = f", or each source's own `{recipe.match.radius_column}`" if recipe.match.radius_column else ""
    motion = "; proper motion is applied" if recipe.position.pm_ra else ""
    kept = "the nearest source" if recipe.match.which == "nearest" else "all sources, nearest first,"
    return f"{kept} within {recipe.match.radius_arcsec:g} arcsec{own}{motion}"


def _columns(recipe: Recipe) -> str:
    sources = {kept.name: f"`{kept.source}`" for kept in recipe.kept}
    rows = [
        [f"`{name}`", str(column.arrow_type), column.unit, f"`{column.says}`" if column.says else "",
         sources.get(name, "computed"), said(column.doc, f"column {name} of {recipe.name}")]
        for name, column in recipe.columns.items()
    ]  # fmt: skip
    return table(["column", "type", "unit", "class", "from", "meaning"], rows)
