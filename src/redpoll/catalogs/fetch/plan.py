"""Plans of downloads from the [fetch] table of a recipe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from redpoll.catalogs.errors import RecipeError
from redpoll.catalogs.recipe import Recipe
from redpoll.catalogs.recipe_table import Section
from redpoll.errors import SourceError
from redpoll.web.bounded_get import parse_address

VIZIER = "https://vizier.cds.unistra.fr/viz-bin/votable"
XMATCH = "http://cdsxmatch.u-strasbg.fr/xmatch/api/v1/sync"
XMATCH_MAX_ARCSEC = 180.0
_COLUMN = re.compile(r'[A-Za-z_][\w.()\-+]*|"[^"]+"|[^;]+ AS \w+')
_FILE = re.compile(r"[\w][\w.\-]*")


@dataclass(frozen=True)
class VizierPlan:
    """A table of VizieR. `columns` are the names in the recipe and at the service, `where` its ASU constraints."""

    url: str
    source: str
    columns: Mapping[str, str]
    where: Mapping[str, str]
    strip_column: str | None
    strips: int
    page_rows: int


@dataclass(frozen=True)
class TapPlan:
    """A query of a TAP service: ``SELECT columns FROM table WHERE condition`` and the strip or cone."""

    url: str
    table: str
    columns: Mapping[str, str]
    condition: str
    ra: str
    dec: str
    strips: int
    page_rows: int
    is_async: bool
    format: str


@dataclass(frozen=True)
class XmatchPlan:
    """Matches of uploaded positions with a catalogue of CDS X-Match: ``simbad`` or ``vizier:<table>``."""

    url: str
    catalogue: str
    columns: Mapping[str, str]
    radius_arcsec: float
    page_rows: int


@dataclass(frozen=True)
class UrlPlan:
    """A file at an address.

    Parameters
    ----------
    member
        File to extract if the download is a zip archive.
    skip_lines
        Number of lines to skip at the start of the file.
    form_from_env, headers_from_env
        Fields of a form to post, and headers to send: each with the environment variable that holds its value.
    """

    url: str
    file: str
    sha256: str | None
    member: str | None
    skip_lines: int
    max_bytes: int
    form_from_env: Mapping[str, str] = field(default_factory=dict)
    headers_from_env: Mapping[str, str] = field(default_factory=dict)


Plan = VizierPlan | TapPlan | XmatchPlan | UrlPlan


def parse_fetch(recipe: Recipe) -> Plan:
    """The plan to fetch a catalogue.

    Raises
    ------
    RecipeError
        If the recipe has no [fetch], or it has an unknown key, a value of the wrong type, or lacks a required key.

    Examples
    --------
    >>> from redpoll.catalogs.recipe import parse_recipe
    >>> recipe = parse_recipe('title = "x"\\n[position]\\nra = "ra"\\ndec = "dec"\\n'
    ...                       '[fetch]\\nkind = "vizier"\\nsource = "B/vsx/vsx"', "mine")
    >>> parse_fetch(recipe).columns
    {'ra': 'ra', 'dec': 'dec'}
    """
    if not recipe.fetch:
        raise RecipeError(
            f"{recipe.name}: its recipe has no [fetch]; download it from {recipe.url or 'its home'}"
            f" and run: redpoll catalog add {recipe.name} FILE"
        )
    table = Section(recipe.fetch, f"recipe of {recipe.name}: fetch")
    plan = _PLANS[table.choice("kind", tuple(_PLANS))](table, recipe)
    table.done()
    return plan


def name_in_answer(column: str) -> str:
    """Name of a requested column in the response of a service.

    >>> [name_in_answer(column) for column in ("basic.ra", '"e.Plx"', "1 / e.frequency AS period")]
    ['ra', 'e.Plx', 'period']
    """
    if column.startswith('"'):
        return column.strip('"')
    return column.rpartition(" AS ")[2].rpartition(".")[2]


def plan_key(plan: Plan, *parts: object) -> str:
    """Hash of the plan and of its restrictions."""
    return hashlib.sha256(repr((plan, parts)).encode()).hexdigest()


def _vizier(table: Section, recipe: Recipe) -> Plan:
    strips = _count(table, "strips", 1, 4096)
    column = table.maybe("strip_column")
    if strips > 1 and column is None:
        raise RecipeError(f"{table.where}: strips needs strip_column, a column of declinations in degrees")
    return VizierPlan(
        _url(table, VIZIER), table.text("source", required=True), _columns(table, recipe), _texts(table, "where"),
        column, strips, _count(table, "page_rows", 500_000, 5_000_000),
    )  # fmt: skip


def _tap(table: Section, recipe: Recipe) -> Plan:
    position = recipe.position
    columns = _columns(table, recipe)
    if position is None:
        raise RecipeError(f"{table.where}: a catalogue without positions cannot be fetched by TAP")
    return TapPlan(
        _url(table, None), table.text("table", required=True), columns, table.text("condition"),
        columns[position.ra], columns[position.dec], _count(table, "strips", 1, 4096),
        _count(table, "page_rows", 500_000, 50_000_000), table.choice("mode", ("sync", "async")) == "async",
        table.maybe("format") or "votable/td",
    )  # fmt: skip


def _xmatch(table: Section, recipe: Recipe) -> Plan:
    radius = table.number("radius_arcsec", recipe.match.radius_arcsec)
    if not 0.0 < radius <= XMATCH_MAX_ARCSEC:
        raise RecipeError(f"{table.where}: radius_arcsec is {radius}; X-Match takes at most {XMATCH_MAX_ARCSEC:g}")
    return XmatchPlan(
        _url(table, XMATCH), table.text("catalogue", required=True), _columns(table, recipe), radius,
        _count(table, "page_rows", 50_000, 1_000_000),
    )  # fmt: skip


def _address(table: Section, recipe: Recipe) -> Plan:
    url = _url(table, None)
    member = table.maybe("member")
    name = table.maybe("file") or member or urlsplit(url).path.rpartition("/")[2]
    if not _FILE.fullmatch(name):
        raise RecipeError(f"{table.where}: '{name}' is not a file name; give one as file")
    return UrlPlan(
        url, name, table.maybe("sha256"), member, _count(table, "skip_lines", 0, 1000, low=0),
        _count(table, "max_bytes", 4 << 30, 1 << 40), _texts(table, "form_from_env"), _texts(table, "headers_from_env"),
    )  # fmt: skip


_PLANS: dict[str, Callable[[Section, Recipe], Plan]] = {
    "vizier": _vizier,
    "tap": _tap,
    "xmatch": _xmatch,
    "url": _address,
}


def _url(table: Section, default: str | None) -> str:
    url = table.maybe("url") or default
    if url is None:
        raise RecipeError(f"{table.where}: needs 'url'")
    try:
        address = parse_address(url, "the catalogue")
    except SourceError as error:
        raise RecipeError(f"{table.where}: {error}") from error
    if address.auth is not None:
        raise RecipeError(f"{table.where}: url holds a password; use headers_from_env")
    return url.rstrip("/")


def _columns(table: Section, recipe: Recipe) -> dict[str, str]:
    """Every column the recipe reads, with its name at the service: the same unless [fetch.columns] has another."""
    given = _texts(table, "columns")
    for name in given:
        if name not in recipe.sources:
            raise RecipeError(f"{table.where}: columns: the recipe reads no column '{name}'")
    named = {name: given.get(name, name) for name in recipe.sources}
    for name in named.values():
        if not _COLUMN.fullmatch(name):
            raise RecipeError(f"{table.where}: columns: '{name}' is not a column name")
    return named


def _texts(table: Section, key: str) -> dict[str, str]:
    section = table.section(key)
    made: dict[str, Any] = {name: section.text(name) for name in section.names}
    return made


def _count(table: Section, key: str, default: int, high: int, *, low: int = 1) -> int:
    value = table.number(key, float(default))
    if not (low <= value <= high and value == int(value)):
        raise RecipeError(f"{table.where}: {key} is {value:g}; it must be a whole number from {low} to {high}")
    return int(value)
