"""From the configuration to the cross-match stage: every catalogue, watchlist, region and sky map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from redpoll.catalogs.library import Library
from redpoll.config import Config
from redpoll.crossmatch.context import Context, Missing
from redpoll.crossmatch.host_columns import CATALOGUES
from redpoll.crossmatch.host_columns import COLUMNS as HOST_COLUMNS
from redpoll.crossmatch.known_columns import DUST_COLUMNS, known_columns
from redpoll.crossmatch.stage import Stage
from redpoll.schema.column import Column

DUST = "ebv"
"""Folder of the dust map beside the catalogues."""
MADE_FROM = {"hosts": CATALOGUES}
"""Contexts whose data are computed from catalogues, which they depend on."""
_NO_GALAXIES = Missing("hosts", HOST_COLUMNS, "neither mangrove nor glade is built")
_NO_DUST = Missing(DUST, DUST_COLUMNS)


def context_columns(config: Config) -> dict[str, Column]:
    """The columns that the stage adds; catalogues are not opened for this, the user's own files are read."""
    columns = known_columns() | _library(config).columns()
    for context in _own_contexts(config):
        columns |= context.columns
    return columns


def missing_contexts(config: Config) -> dict[str, str]:
    """Names of the catalogues whose columns are null, and why."""
    entries = _library(config).entries()
    missing = {entry.name: entry.state for entry in entries if entry.facts is None}
    if {"mangrove", "glade"} <= missing.keys():
        missing[_NO_GALAXIES.name] = _NO_GALAXIES.why
    if not _dust(config).is_dir():
        missing[_NO_DUST.name] = _NO_DUST.why
    return missing


def open_stage(config: Config) -> Stage:
    """The stage, its files mapped: to be made anew in every process.

    Raises
    ------
    CatalogError
        If a catalogue is damaged.
    SkyFileError
        If a watchlist, region, sky map or dust map cannot be read.
    PluginError
        If two contexts make columns of one name.
    """
    from redpoll.crossmatch.catalog import open_catalogs  # numba is slow to import

    contexts, missing = open_catalogs(_library(config))
    for part in (_hosts(contexts, Path(config.crossmatch.catalogs)), _open_dust(_dust(config))):
        if isinstance(part, Missing):
            missing.append(part)
        else:
            contexts.append(part)
    return Stage([*contexts, *_own_contexts(config)], missing)


def _library(config: Config) -> Library:
    return Library(Path(config.crossmatch.catalogs))


def _dust(config: Config) -> Path:
    return Path(config.crossmatch.catalogs) / DUST


def _hosts(contexts: Sequence[Context], folder: Path) -> Context | Missing:
    """Host association with the catalogues that are open."""
    if not contexts:
        return _NO_GALAXIES
    from redpoll.crossmatch.catalog import Catalog  # these bring numba
    from redpoll.crossmatch.hosts import open_hosts

    catalogs = {context.name: context for context in contexts if isinstance(context, Catalog)}
    return open_hosts(catalogs, folder=folder)


def _open_dust(folder: Path) -> Context | Missing:
    if not folder.is_dir():
        return _NO_DUST
    from redpoll.crossmatch.dust import DustMap

    return DustMap(folder)


def _own_contexts(config: Config) -> list[Context]:
    """The watchlists, regions and sky maps that the configuration names; the last see the columns of all before."""
    own = config.crossmatch
    files = {"watchlists": own.watchlists, "regions": own.regions, "sky_maps": own.sky_maps}
    return [_maker(kind)(name, Path(path)) for kind, named in files.items() for name, path in named.items()]


def _maker(kind: str) -> Callable[[str, Path], Context]:
    """Function that opens a file of a kind; imported only when needed, because it imports numba."""
    if kind == "watchlists":
        from redpoll.crossmatch.watchlist import open_watchlist

        return open_watchlist
    if kind == "regions":
        from redpoll.crossmatch.regions import open_region

        return open_region
    from redpoll.crossmatch.sky_maps.context import open_sky_map

    return open_sky_map
