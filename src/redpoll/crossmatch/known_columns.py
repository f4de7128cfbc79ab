"""Columns of Redpoll's own recipes, of hosts and of dust, which every alert has, null if not installed."""

from __future__ import annotations

from redpoll.catalogs.recipe import builtin_recipes
from redpoll.crossmatch.host_columns import COLUMNS as HOST_COLUMNS
from redpoll.schema.column import Column

DUST_COLUMNS = {
    "ebv": Column(
        "float32", "mag", "Reddening E(B-V) by dust of the Milky Way; null without a dust map.", "phot.color.excess"
    )
}


def known_columns() -> dict[str, Column]:
    """Columns of contexts that modules and filters may read; null if the context is not installed.

    >>> known_columns()["vsx_arcsec"].unit
    'arcsec'
    """
    recipes = [recipe.columns for recipe in builtin_recipes().values()]
    return {name: column for columns in (*recipes, HOST_COLUMNS, DUST_COLUMNS) for name, column in columns.items()}
