"""Recipe of a catalogue: its columns of positions, the radius of a match, and the columns to keep.

A recipe is a TOML file; ``docs/how-to/use-a-catalogue.md`` explains every key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from redpoll.catalogs.errors import RecipeError
from redpoll.catalogs.recipe_table import Section
from redpoll.errors import PluginError, SchemaError
from redpoll.schema.column import Column
from redpoll.schema.names import valid_name
from redpoll.schema.taxonomy import taxonomy

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Position:
    """Columns of the positions, their notation, and columns of proper motions [mas/yr] since `epoch` [Julian yr].

    ``pm_ra`` includes the cosine of the declination.
    """

    ra: str
    dec: str
    format: Literal["degrees", "sexagesimal"] = "degrees"
    epoch: float = 2000.0
    pm_ra: str | None = None
    pm_dec: str | None = None


@dataclass(frozen=True)
class Match:
    """Radius of a match [arcsec], a column with a radius for each source, and which matches are kept."""

    radius_arcsec: float = 1.5
    which: Literal["nearest", "all"] = "nearest"
    radius_column: str | None = None


@dataclass(frozen=True)
class Kept:
    """A column to keep: its `source` in the file, its `column`, and the conversion of its values."""

    name: str
    source: str
    column: Column
    null: tuple[Scalar, ...] = ()
    strip: bool = True
    scale: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """A recipe; made by `parse_recipe`. It has either a `position` or a `key`, the column of object ids.

    `class_` is the class of every source, if all have the same; it becomes the column ``<name>_class``.
    """

    name: str
    title: str
    url: str = ""
    licence: str = ""
    citation: str = ""
    position: Position | None = None
    key: str | None = None
    match: Match = Match()
    kept: tuple[Kept, ...] = ()
    class_: str | None = None
    where: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    fetch: Mapping[str, Any] = field(default_factory=dict)
    text: str = field(default="", repr=False, compare=False)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns that the catalogue adds to an alert: lists where all matches are kept, nearest first."""
        made = {kept.name: kept.column for kept in self.kept}
        if self.class_ is not None:
            made[self.class_column] = self._class
        if self.position is not None:
            made[f"{self.name}_arcsec"] = self._separation
        if self.match.which == "all":
            made = {name: _listed(column) for name, column in made.items()}
        return made

    @property
    def sources(self) -> tuple[str, ...]:
        """Every column of the file that the recipe reads, each once."""
        names = [self.key] if self.position is None else [self.position.ra, self.position.dec]
        if self.position is not None:
            names += [self.position.pm_ra, self.position.pm_dec, self.match.radius_column]
        names += [*(kept.source for kept in self.kept), *self.where]
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @property
    def class_column(self) -> str:
        """Name of the column with the class of every source."""
        return f"{self.name}_class"

    @property
    def _class(self) -> Column:
        doc = f"'{self.class_}', the class of every source in {self.title}; null without a match."
        return Column("string", doc=doc, ucd="src.class", indexed=False, assigns=self.class_)

    @property
    def _separation(self) -> Column:
        doc = f"Distance to the match in {self.title}; null without one."
        return Column("float32", "arcsec", doc, "pos.angDistance", indexed=False)


def parse_recipe(text: str, name: str, where: str = "recipe") -> Recipe:
    """The recipe of catalogue `name` in TOML text; `where` names the text in errors.

    Raises
    ------
    RecipeError
        If the text is not TOML, has an unknown key or a value of the wrong type, or lacks a required key.

    Examples
    --------
    >>> recipe = parse_recipe('''
    ... title = "My stars"
    ... [position]
    ... ra = "RAJ2000"
    ... dec = "DEJ2000"
    ... [columns.mine_type]
    ... source = "Type"
    ... dtype = "string"
    ... doc = "Type of the star."
    ... ''', "mine")
    >>> list(recipe.columns)
    ['mine_type', 'mine_arcsec']
    """
    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecipeError(f"{where}: not TOML: {error}") from error
    _check_name(name, "a catalogue's name", where)
    top = Section(tree, where)
    facts = {key: top.text(key, required=key == "title") for key in ("title", "url", "licence", "citation")}
    position, key = _position(top), _key(top)
    if (position is None) == (key is None):
        raise RecipeError(f"{where}: needs [position] with ra and dec, or [key] with column, and not both")
    recipe = Recipe(
        name, **facts, position=position, key=key, match=_match(top), kept=_kept(top, name),
        class_=_class(top), where=_where(top), fetch=top.section("fetch").free(), text=text,
    )  # fmt: skip
    top.done()
    _check_class(recipe, where)
    return recipe


def load_recipe(path: Path, name: str) -> Recipe:
    """The recipe in a file; RecipeError if it cannot be read or is invalid."""
    try:
        return parse_recipe(path.read_text(encoding="utf-8"), name, str(path))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: is not UTF-8 text") from error


@cache
def builtin_recipes() -> dict[str, Recipe]:
    """The recipes included in Redpoll, by name of the catalogue."""
    folder = files("redpoll") / "catalogs" / "recipes"
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    names = [f.name.removesuffix(".toml") for f in found]
    return {n: parse_recipe(f.read_text("utf-8"), n, f.name) for n, f in zip(names, found, strict=True)}


def _position(top: Section) -> Position | None:
    if "position" not in top:
        return None
    table = top.section("position")
    made = Position(
        table.text("ra", required=True), table.text("dec", required=True),
        table.choice("format", ("degrees", "sexagesimal")), table.number("epoch", 2000.0),
        table.maybe("pm_ra"), table.maybe("pm_dec"),
    )  # fmt: skip
    table.done()
    if (made.pm_ra is None) != (made.pm_dec is None):
        raise RecipeError(f"{table.where}: give both pm_ra and pm_dec, or neither")
    return made


def _key(top: Section) -> str | None:
    if "key" not in top:
        return None
    table = top.section("key")
    column = table.text("column", required=True)
    table.done()
    return column


def _class(top: Section) -> str | None:
    name = top.maybe("class")
    try:
        return name and taxonomy().check(name)
    except SchemaError as error:
        raise RecipeError(f"{top.where}: class: {error}") from error


def _check_class(recipe: Recipe, where: str) -> None:
    """Raise RecipeError for a class of a list of matches, or a second column with its name."""
    if recipe.class_ is None:
        return
    if recipe.match.which == "all":
        raise RecipeError(f"{where}: class: an alert is of the class of its nearest match; leave out which = 'all'")
    if recipe.class_column in (kept.name for kept in recipe.kept):
        raise RecipeError(f"{where}: class: it adds {recipe.class_column}; give the column of the file another name")


def _match(top: Section) -> Match:
    table = top.section("match")
    radius = table.number("radius_arcsec", 1.5)
    made = Match(radius, table.choice("which", ("nearest", "all")), table.maybe("radius_column"))
    table.done()
    if not 0.0 < radius <= 36_000.0:
        raise RecipeError(f"{table.where}: radius_arcsec is {radius}; it must be above 0 and at most 36000")
    return made


def _kept(top: Section, name: str) -> tuple[Kept, ...]:
    table = top.section("columns")
    made = tuple(_one_kept(table.section(column), column, name) for column in table.names)
    table.done()
    return made


def _one_kept(table: Section, column: str, catalogue: str) -> Kept:
    _check_name(column, "a column's name", table.where)
    if not column.startswith(f"{catalogue}_") or column == f"{catalogue}_arcsec":
        raise RecipeError(f"{table.where}: name it {catalogue}_<what>; {catalogue}_arcsec is the distance of the match")
    dtype = table.text("dtype", required=True)
    declared = Column(
        dtype, table.text("unit"), table.text("doc", required=True), table.text("ucd"),
        table.flag("indexed", True), assigns=table.maybe("assigns"),
    )  # fmt: skip
    kept = Kept(column, table.text("source", required=True), declared, table.scalars("null"),
                table.flag("strip", True), table.number("scale", 1.0))  # fmt: skip
    table.done()
    try:
        is_odd = declared.arrow_type in (pa.binary_view(), pa.bool_())
    except SchemaError as error:
        raise RecipeError(f"{table.where}: {error}") from error
    if is_odd:
        raise RecipeError(f"{table.where}: a catalogue's column cannot be {dtype}; use int8 for a boolean with nulls")
    return kept


def _where(top: Section) -> dict[str, tuple[Scalar, ...]]:
    table = top.section("where")
    made = {column: table.scalars(column) for column in table.names}
    table.done()
    return made


def _listed(column: Column) -> Column:
    kind = pa.list_(column.arrow_type)
    return Column(kind, column.unit, f"{column.doc} All matches, nearest first.", column.ucd, indexed=False)


def _check_name(name: str, what: str, where: str) -> None:
    try:
        valid_name(name, what)
    except PluginError as error:
        raise RecipeError(f"{where}: {error}") from error
