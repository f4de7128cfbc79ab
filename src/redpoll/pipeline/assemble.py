"""From the configuration to the graph of modules and filters, and to the chain that a worker runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

from redpoll.config import Config, Cuts
from redpoll.engine.worker import MakeTask
from redpoll.errors import ConfigError
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.schemas import SchemaLocations
from redpoll.pipeline.chain import Chain
from redpoll.pipeline.contexts import context_columns, open_stage
from redpoll.pipeline.models import load_models
from redpoll.plugin.discovery import installed_filters, installed_modules, installed_sinks
from redpoll.plugin.expression import expression_filter
from redpoll.plugin.files import NOTHING, Loaded
from redpoll.plugin.graph import Graph
from redpoll.plugin.ports import Sink
from redpoll.schema.alert import COLUMNS
from redpoll.schema.bands import BANDS
from redpoll.store import open_store


def build_graph(config: Config, own: Loaded = NOTHING) -> Graph:
    """The installed modules and filters that `config` leaves on, its expressions, and what a user's own file defines.

    What `own` defines stands in for whatever else has the same name.

    Raises
    ------
    ConfigError, PluginError, UnknownColumn, ExpressionError
        If a name in the configuration is unknown, or the modules do not fit together.
    """
    columns = COLUMNS | context_columns(config)
    modules = _left_on(installed_modules(), config.modules.off, "modules")
    filters = _left_on(installed_filters(), config.filters.off, "filters")
    filters += [expression_filter(topic, text) for topic, text in config.filters.expressions.items()]
    modules, filters = _with_own(modules, own.modules), _with_own(filters, own.filters)
    models = load_models(Path(config.models.folder), modules)
    least = config.classes.min_probability
    if not 0 <= least <= 1:
        raise ConfigError(f"classes: min_probability: expected 0 to 1, got {least}")
    return Graph.build(
        modules, filters, columns=columns, settings=config.node_settings, models=models, min_probability=least
    )


def chain_maker(config: Config, store: Path) -> MakeTask:
    """What makes the chain in any process: plain data and names, to be sent to workers."""
    return partial(_make_chain, config, store, build_graph(config))


def packet_decoder(config: Config) -> PacketDecoder:
    """A decoder that looks for schemas where `config` says; SchemaError or SourceError if it cannot look there."""
    return PacketDecoder(SchemaLocations(config.ingest.schemas, config.ingest.registry).lookup(), config.quality)


def open_sinks(config: Config) -> list[Sink]:
    """The sinks that `config` names; ConfigError if one is not installed or its settings do not fit."""
    installed = installed_sinks()
    if unknown := sorted(set(config.sinks) - set(installed)):
        raise ConfigError(f"sinks: there is no {', '.join(unknown)}; installed: {', '.join(installed) or 'none'}")
    return [_open_sink(name, installed[name], settings) for name, settings in config.sinks.items()]


def _open_sink(name: str, make: Callable[..., Sink], settings: Mapping[str, Any]) -> Sink:
    try:
        signature(make).bind(**settings)
    except TypeError as error:
        raise ConfigError(f"sinks: {name}: {error}") from error
    return make(**settings)


def _make_chain(config: Config, store: Path, graph: Graph) -> Chain:
    reader = open_store(store)
    cuts = {"ztf": _cuts(config.quality.ztf, "ztf"), "rubin": _cuts(config.quality.rubin, "rubin")}
    return Chain(packet_decoder(config), cuts, open_stage(config), graph, reader.exists, reader.segments)


def _cuts(cuts: Cuts, survey: str) -> Cuts:
    if unknown := set(cuts.bands or ()) - set(BANDS):
        raise ConfigError(f"quality: {survey}: bands: unknown {', '.join(sorted(unknown))}; use {', '.join(BANDS)}")
    return cuts


def _with_own(nodes: list[Any], own: Sequence[Any]) -> list[Any]:
    taken = {node.name for node in own}
    return [*(node for node in nodes if node.name not in taken), *own]


def _left_on(nodes: list[Any], off: tuple[str, ...], what: str) -> list[Any]:
    names = [node.name for node in nodes]
    if unknown := [name for name in off if name not in names]:
        raise ConfigError(f"{what}: off: there is no {', '.join(unknown)}; installed: {', '.join(names) or 'none'}")
    return [node for node in nodes if node.name not in off]
