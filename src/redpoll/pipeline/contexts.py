"""From the configuration to the cross-match stage: everything that knows places on the sky."""

from __future__ import annotations

from pathlib import Path

from redpoll.config import Config
from redpoll.crossmatch.catalogs.library import Library
from redpoll.crossmatch.stage import Stage
from redpoll.schema.column import Column


def context_columns(config: Config) -> dict[str, Column]:
    """The columns that the stage adds, without opening anything."""
    return _library(config).columns()


def missing_contexts(config: Config) -> dict[str, str]:
    """Names of the catalogues whose columns are null, and why."""
    return {entry.name: entry.state for entry in _library(config).entries() if entry.facts is None}


def open_stage(config: Config) -> Stage:
    """The stage, its files mapped: to be made anew in every process.

    Raises
    ------
    CatalogError
        If a catalogue is damaged.
    PluginError
        If two contexts make columns of one name.
    """
    return Stage(*_library(config).open())


def _library(config: Config) -> Library:
    return Library(Path(config.crossmatch.catalogs))
