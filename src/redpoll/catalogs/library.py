"""The folder of built catalogues, with Redpoll's own recipes and the columns of all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from redpoll.catalogs.errors import CatalogError, RecipeError
from redpoll.catalogs.facts import FACTS, RECIPE, Facts, read_facts
from redpoll.catalogs.recipe import Recipe, builtin_recipes, load_recipe
from redpoll.errors import UsageError
from redpoll.schema.column import Column


@dataclass(frozen=True)
class Entry:
    """A catalogue of the library: built if it has `facts`, damaged if it has a `problem`, else not installed."""

    name: str
    recipe: Recipe | None
    facts: Facts | None = None
    problem: str = ""

    @property
    def state(self) -> str:
        """``"built"``, ``"not installed"`` or ``"damaged"``."""
        return "damaged" if self.problem else "built" if self.facts else "not installed"


class Library:
    """The catalogues in a folder, which need not exist, and Redpoll's own recipes."""

    def __init__(self, folder: Path, recipes: Mapping[str, Recipe] | None = None) -> None:
        self.folder = folder
        self.recipes = dict(builtin_recipes() if recipes is None else recipes)

    def entries(self) -> list[Entry]:
        """Every catalogue, built or not, by name."""
        built = self._built()
        return [self._entry(name, built) for name in sorted({*self.recipes, *built})]

    def entry(self, name: str) -> Entry:
        """The catalogue of a name; UsageError if it has neither a folder nor a recipe."""
        built = self._built()
        if name not in {*self.recipes, *built}:
            known = ", ".join(sorted({*self.recipes, *built})) or "none"
            raise UsageError(f"there is no catalogue '{name}'; known: {known}")
        return self._entry(name, built)

    def _entry(self, name: str, built: set[str]) -> Entry:
        path = self.folder / name
        if name not in built:
            return Entry(name, self.recipes[name])
        try:
            return Entry(name, load_recipe(path / RECIPE, name), read_facts(path))
        except (CatalogError, RecipeError) as error:
            return Entry(name, self.recipes.get(name), problem=str(error))

    def remove(self, name: str) -> None:
        """Delete a built catalogue; CatalogError if it is not built."""
        if name not in self._built():
            raise CatalogError(f"{self.folder}: holds no catalogue '{name}'")
        shutil.rmtree(self.folder / name)

    def columns(self) -> dict[str, Column]:
        """The columns of all catalogues; none is opened."""
        return {name: column for entry in self.entries() for name, column in self.columns_of(entry).items()}

    def columns_of(self, entry: Entry) -> dict[str, Column]:
        """The columns of a catalogue: as built, and further ones of Redpoll's own recipe."""
        own = self.recipes[entry.name].columns if entry.name in self.recipes else {}
        return {**own, **(entry.recipe.columns if entry.recipe else {})}

    def _built(self) -> set[str]:
        if not self.folder.is_dir():
            return set()
        found = {path.parent.name for name in (FACTS, RECIPE) for path in self.folder.glob(f"*/{name}")}
        return {name for name in found if not name.startswith(".")}
