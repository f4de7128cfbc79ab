"""From the configuration to the cross-match stage: everything that knows places on the sky."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from redpoll.config import Config
from redpoll.crossmatch.catalogs.library import Library
from redpoll.crossmatch.context import Context
from redpoll.crossmatch.stage import Stage
from redpoll.schema.column import Column


def context_columns(config: Config) -> dict[str, Column]:
    """The columns that the stage adds; catalogues are not opened for this, the user's own files are read."""
    columns = _library(config).columns()
    for context in _own_contexts(config):
        columns |= context.columns
    return columns


def missing_contexts(config: Config) -> dict[str, str]:
    """Names of the catalogues whose columns are null, and why."""
    return {entry.name: entry.state for entry in _library(config).entries() if entry.facts is None}


def open_stage(config: Config) -> Stage:
    """The stage, its files mapped: to be made anew in every process.

    Raises
    ------
    CatalogError
        If a catalogue is damaged.
    SkyFileError
        If a watchlist, region or sky map cannot be read.
    PluginError
        If two contexts make columns of one name.
    """
    contexts, missing = _library(config).open()
    return Stage([*contexts, *_own_contexts(config)], missing)


def _library(config: Config) -> Library:
    return Library(Path(config.crossmatch.catalogs))


def _own_contexts(config: Config) -> list[Context]:
    """The watchlists, regions and sky maps that the configuration names; the last see the columns of all before."""
    own = config.crossmatch
    files = {"watchlists": own.watchlists, "regions": own.regions, "sky_maps": own.sky_maps}
    return [_maker(kind)(name, Path(path)) for kind, named in files.items() for name, path in named.items()]


def _maker(kind: str) -> Callable[[str, Path], Context]:
    """What opens a file of a kind; imported only when it is named, because it brings numba."""
    if kind == "watchlists":
        from redpoll.crossmatch.watchlist import open_watchlist

        return open_watchlist
    if kind == "regions":
        from redpoll.crossmatch.regions import open_region

        return open_region
    from redpoll.crossmatch.sky_maps.context import open_sky_map

    return open_sky_map
