"""Options that many verbs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from redpoll.config import Config, load_config
from redpoll.log import configure_logging

Command = Callable[..., Any]


def with_options(command: Command, options: Sequence[Command]) -> Command:
    """The command with several options, which its help shows in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def config_option(command: Command) -> Command:
    """``--config FILE``, given to the command as a `Config`."""
    return click.option(
        "--config", "config", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
        callback=lambda _, __, path: load_config(path), help="TOML file of settings; `redpoll config` prints one.",
    )(command)  # fmt: skip


def store_option(command: Command) -> Command:
    """``--store DIR``; where it is not given, `store_of` looks into the configuration."""
    return click.option(
        "--store", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
        help="Folder of the store.  [default: redpoll-store]",
    )(command)  # fmt: skip


def used_store_option(command: Command) -> Command:
    """``--store DIR`` of a command that stores nothing: the store whose histories and models it uses, if any."""
    return click.option(
        "--store", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR",
        help="Store whose histories and trained models are used.  [default: none]",
    )(command)  # fmt: skip


def selection_options(command: Command) -> Command:
    """``--class``, ``--topic``, ``--night``, ``--cone``, ``--moc`` and ``--survey``: conditions of a selection.

    They are given to the command as the keyword arguments of `redpoll.client.Client.alerts`.
    """
    options = (
        click.option("--class", "class_", metavar="NAME", help="Alerts classified as this class or a subclass."),
        click.option("--topic", metavar="NAME", help="Alerts that passed this filter."),
        click.option("--night", type=int, metavar="YYYYMMDD", help="Alerts of this night."),
        click.option("--cone", metavar="RA,DEC,RADIUS", help="Alerts within a circle: degrees, degrees, arcsec.",
                     callback=lambda _, __, text: None if text is None else text.split(",")),
        click.option("--moc", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                     help="Alerts within the region of a file: MOC or STC-S."),
        click.option("--survey", metavar="NAME", help="Alerts of this survey: ztf, rubin or elasticc."),
    )  # fmt: skip
    return with_options(command, options)


def catalogs_option(command: Command) -> Command:
    """``--catalogs DIR``, to be given to `with_catalogs`."""
    return click.option(
        "--catalogs", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
        help="Folder of the catalogues.  [default: redpoll-catalogs]",
    )(command)  # fmt: skip


def json_option(command: Command) -> Command:
    """``--json``: data for programs on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print data as JSON.")(command)


def verbose_option(command: Command) -> Command:
    """``--verbose``: the log in full."""
    return click.option(
        "--verbose", is_flag=True, expose_value=False, help="Log more, to stderr.",
        callback=lambda _, __, verbose: configure_logging(verbose=verbose),
    )(command)  # fmt: skip


def with_catalogs(config: Config, catalogs: Path | None) -> Config:
    """The configuration with the folder named by ``--catalogs``, if there is one."""
    if catalogs is None:
        return config
    return replace(config, crossmatch=replace(config.crossmatch, catalogs=str(catalogs)))


def store_of(store: Path | None, config: Config) -> Path:
    """The folder named by ``--store``, else by the configuration."""
    return store if store is not None else Path(config.store)
