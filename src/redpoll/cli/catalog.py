"""``redpoll catalog``: catalogues that alerts are matched with: build, list, show, remove."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from redpoll.catalogs.draft import draft_recipe, read_sky_positions
from redpoll.catalogs.library import Entry, Library
from redpoll.catalogs.recipe import Recipe, builtin_recipes, load_recipe, parse_recipe
from redpoll.cli.options import catalogs_option, config_option, json_option, verbose_option, with_catalogs
from redpoll.cli.output import print_json, print_rows, progress
from redpoll.config import Config
from redpoll.log import plain_text
from redpoll.pipeline.contexts import DUST

_DUST_TITLE = "Map of the Milky Way's reddening E(B-V), of your own"


@click.group(epilog="Example: redpoll catalog add vsx vsx.parquet")
def command() -> None:
    """Build and look after the catalogues that alerts are matched with."""


@command.command(epilog="Example: redpoll catalog add my_stars stars.csv --radius 2 --column Type --column Vmag")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--recipe", "recipe_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.toml",
              help="Recipe of the catalogue, instead of Redpoll's own or of the options below.")  # fmt: skip
@click.option("--ra", metavar="COL", help="Column of the right ascension [deg or h m s]; by default guessed.")
@click.option("--dec", metavar="COL", help="Column of the declination [deg or d m s]; by default guessed.")
@click.option("--radius", type=click.FloatRange(0, 36_000, min_open=True), default=None, metavar="ARCSEC",
              help="How far a match may lie.  [default: 1.5]")  # fmt: skip
@click.option("--column", "columns", multiple=True, metavar="COL", help="Column to keep; may be repeated.")
@click.option("--cone", type=(float, float, float), metavar="RA DEC RADIUS", default=None,
              help="Download only this part of the catalogue [deg].")  # fmt: skip
@click.option("--positions", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Download only what matches the positions in this table.")  # fmt: skip
@click.option("--frame", type=click.Choice(["galactic", "icrs"]), help="Frame of a dust map whose header lacks it.")
@click.option("--all", "every", is_flag=True, help="Keep all matches, nearest first, instead of the nearest.")
@catalogs_option
@config_option
@json_option
@verbose_option
def add(
    name: str, file: Path | None, recipe_file: Path | None, ra: str | None, dec: str | None, radius: float | None,
    columns: tuple[str, ...], cone: tuple[float, float, float] | None, positions: Path | None, every: bool,
    frame: str | None, catalogs: Path | None, config: Config, as_json: bool,
) -> None:  # fmt: skip
    """Build the catalogue NAME from FILE: CSV, Parquet, FITS table or VOTable, gzipped or not.

    Redpoll has recipes for the catalogues in `redpoll catalog list`; without FILE, those are downloaded as their recipe
    defines; an interrupted download is resumed. For a table of your own, give the columns here, or a recipe. A
    catalogue of this name that exists is replaced.

    The name ebv is that of the dust map: FILE is then a HEALPix map of E(B-V), FITS or Parquet.
    """
    from redpoll.catalogs.build import build_catalog  # brings numba

    if name == DUST:
        _add_dust(file, _library(config, catalogs).folder / DUST, frame, columns)
        return
    if file is not None and (cone or positions):
        raise click.UsageError("--cone and --positions are for a catalogue that is downloaded, without FILE")
    library = _library(config, catalogs)
    options = {"ra": ra, "dec": dec, "radius": radius, "columns": columns or None, "every": every or None}
    given = {key: value for key, value in options.items() if value is not None}
    recipe = _recipe(name, file, recipe_file, given)
    downloads = library.folder / ".downloads" / name
    table = file if file is not None else _fetched(recipe, downloads, cone, positions)
    with progress(f"building {name}") as advance:
        facts = build_catalog(recipe, table, library.folder, progress=advance)
    shutil.rmtree(downloads, ignore_errors=True)
    if as_json:
        print_json(_as_dict(library.entry(name), library.folder))
        return
    click.echo(f"{name}: {facts.rows:,} rows, {facts.n_bytes / 1e6:,.1f} MB in {library.folder / name}")
    for reason, n in facts.skipped.items():
        click.echo(f"{n:,} rows left out: {plain_text(reason)}", err=True)


@command.command("list", epilog="Example: redpoll catalog list --catalogs my-catalogs")
@catalogs_option
@config_option
@json_option
@verbose_option
def show_list(catalogs: Path | None, config: Config, as_json: bool) -> None:
    """List the catalogues: those that are built, and those Redpoll has a recipe for."""
    library = _library(config, catalogs)
    entries = library.entries()
    if as_json:
        dust = {"name": DUST, "state": _dust_state(library), "title": _DUST_TITLE}
        print_json([*(_as_dict(entry, library.folder) for entry in entries), dust])
        return
    headings = {"name": "name", "state": "state", "rows": "rows", "built": "age", "radius": "radius", "which": "keeps",
                "licence": "licence", "title": "what it is"}  # fmt: skip
    rows = [_row(entry) for entry in entries] + [{"name": DUST, "state": _dust_state(library), "title": _DUST_TITLE}]
    print_rows(rows, headings, none="There is no catalogue and no recipe.")


@command.command(epilog="Example: redpoll catalog info vsx")
@click.argument("name")
@catalogs_option
@config_option
@json_option
@verbose_option
def info(name: str, catalogs: Path | None, config: Config, as_json: bool) -> None:
    """Show the recipe of the catalogue NAME: citation, licence, columns; and what was built from it."""
    library = _library(config, catalogs)
    shown = _as_dict(library.entry(name), library.folder)
    if as_json:
        print_json(shown)
        return
    for key, value in shown.items():
        if key != "columns" and value not in (None, "", {}):
            click.echo(f"{key:14s}{plain_text(_words(value))}")
    headings = {"column": "column", "dtype": "type", "unit": "unit", "source": "from", "doc": "meaning"}
    print_rows(shown["columns"], headings, none="")


@command.command(epilog="Example: redpoll catalog remove my_stars")
@click.argument("name")
@catalogs_option
@config_option
@verbose_option
def remove(name: str, catalogs: Path | None, config: Config) -> None:
    """Delete the built catalogue NAME; its columns are null from then on."""
    library = _library(config, catalogs)
    if name == DUST and _dust_state(library) == "built":
        shutil.rmtree(library.folder / DUST)
    else:
        library.remove(name)
    click.echo(f"{name} is removed from {library.folder}")


def _dust_state(library: Library) -> str:
    return "built" if (library.folder / DUST).is_dir() else "not installed"


def _library(config: Config, catalogs: Path | None) -> Library:
    return Library(Path(with_catalogs(config, catalogs).crossmatch.catalogs))


def _recipe(name: str, file: Path | None, recipe_file: Path | None, given: Mapping[str, Any]) -> Recipe:
    """The recipe in a file, Redpoll's own, or one drafted from the options."""
    if recipe_file is not None and given:
        raise click.UsageError("give --recipe, or columns and radius as options, not both")
    if recipe_file is not None:
        return load_recipe(recipe_file, name)
    own = builtin_recipes().get(name)
    if own is not None and given:
        raise click.UsageError(f"Redpoll has a recipe for {name}; choose another name, or give --recipe")
    if own is not None:
        return own
    if file is None:
        known = ", ".join(builtin_recipes()) or "none"
        raise click.UsageError(f"there is no recipe for '{name}', so give a FILE; recipes: {known}")
    return parse_recipe(draft_recipe(name, file, **given), name, f"recipe drafted for {file}")


def _add_dust(file: Path | None, folder: Path, frame: str | None, columns: tuple[str, ...]) -> None:
    from redpoll.crossmatch.dust import add_dust_map  # brings healpix

    if file is None or len(columns) > 1:
        raise click.UsageError("give the FILE of the dust map, and at most one --column")
    made = add_dust_map(file, folder, frame=frame, column=columns[0] if columns else None)
    click.echo(f"{DUST}: {made.source}, HEALPix order {made.order}, {made.frame}, in {folder}")


def _fetched(recipe: Recipe, folder: Path, cone: tuple[float, float, float] | None, positions: Path | None) -> Path:
    from redpoll.catalogs.fetch import ConeArea, Positions, fetch_table  # brings the network

    if cone and positions:
        raise click.UsageError("give --cone or --positions, not both")
    where = ConeArea(*cone) if cone else Positions(*read_sky_positions(positions)) if positions else None
    with progress(f"fetching {recipe.name}", in_bytes=True) as advance:
        return fetch_table(recipe, folder, progress=advance, where=where)


def _row(entry: Entry) -> dict[str, Any]:
    recipe, facts = entry.recipe, entry.facts
    return {
        "name": entry.name,
        "state": entry.state,
        "rows": facts.rows if facts else None,
        "built": _age(facts.built) if facts else None,
        "radius": _radius(recipe) if recipe else None,
        "which": ("by id" if recipe.position is None else recipe.match.which) if recipe else None,
        "licence": (recipe.licence or None) if recipe else None,
        "title": entry.problem or (recipe.title if recipe else None),
    }


def _radius(recipe: Recipe) -> str:
    if recipe.position is None:
        return "-"
    own = f"{recipe.match.radius_column} or " if recipe.match.radius_column else ""
    return f'{own}{recipe.match.radius_arcsec:g}"'


def _age(built: str) -> str:
    days = (datetime.now(UTC) - datetime.fromisoformat(built)).days
    return "today" if days < 1 else f"{days} d"


def _as_dict(entry: Entry, folder: Path) -> dict[str, Any]:
    recipe, facts = entry.recipe, entry.facts
    shown: dict[str, Any] = {"name": entry.name, "state": entry.state, "problem": entry.problem or None}
    if recipe is not None:
        shown |= {"title": recipe.title, "url": recipe.url, "licence": recipe.licence, "citation": recipe.citation,
                  "radius": _radius(recipe), "keeps": recipe.match.which, "columns": _columns(recipe)}  # fmt: skip
    if facts is not None:
        shown |= {"folder": str(folder / entry.name), "version": facts.version, "rows": facts.rows,
                  "left_out": dict(facts.skipped), "source": facts.source, "sha256": facts.sha256,
                  "built": facts.built, "redpoll": facts.redpoll, "sky_fraction": facts.sky_fraction,
                  "n_bytes": facts.n_bytes}  # fmt: skip
    return shown


def _columns(recipe: Recipe) -> Sequence[dict[str, Any]]:
    sources = {kept.name: kept.source for kept in recipe.kept}
    return [
        {"column": name, "dtype": str(column.arrow_type), "unit": column.unit, "source": sources.get(name, "computed"),
         "doc": column.doc}
        for name, column in recipe.columns.items()
    ]  # fmt: skip


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{n:,} {reason}" for reason, n in value.items())
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}" if isinstance(value, float) else str(value)
