"""Builds the components of a run from the configuration: graph, enrichment, worker's task, sinks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

from redpoll.answer_cache import AnswerCache
from redpoll.config import Config, Cuts
from redpoll.crossmatch.stage import Stage
from redpoll.engine.worker import MakeTask
from redpoll.errors import ConfigError, PluginError, RedpollError, near
from redpoll.history.stage import open_history
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.nights import PacketNights
from redpoll.ingest.schemas import SchemaLocations, SchemaLookup
from redpoll.pipeline.block_task import BlockTask
from redpoll.pipeline.contexts import context_columns, open_stage
from redpoll.pipeline.delivery import Delivery
from redpoll.pipeline.enrich import ChecksAlerts, Clock, Enrichment, JoinsHistory
from redpoll.pipeline.personal_scores import personal_scores
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.spool import Spool, spool_name
from redpoll.pipeline.store_access import SegmentWriter, answer_cache, open_champions, spool_folder
from redpoll.plugin.discovery import installed_filters, installed_modules, installed_sinks
from redpoll.plugin.expression_filter import expression_filter
from redpoll.plugin.files import NOTHING, Loaded, load_file
from redpoll.plugin.graph import Graph
from redpoll.plugin.isolation import error_text, outcome
from redpoll.plugin.ports import Sink
from redpoll.quality.stage import Quality
from redpoll.schema.alert import COLUMNS
from redpoll.schema.bands import BANDS, SURVEYS

log = logging.getLogger(__name__)


def build_graph(config: Config, own: Loaded = NOTHING) -> Graph:
    """The modules and filters of a run: installed, in plugin files and expressions of `config`, and in `own`.

    A module or filter of a plugin file stands in for an installed one of the same name, and one of `own` for any other.

    Raises
    ------
    ConfigError, PluginError, UnknownColumn, ExpressionError
        If a name in the configuration is unknown, a plugin file cannot be used, or the modules do not fit together.
    """
    modules = _left_on(installed_modules(), config.modules.off, "modules")
    filters = _left_on(installed_filters(), config.filters.off, "filters")
    filters += [expression_filter(topic, text) for topic, text in config.filters.expressions.items()]
    for loaded in (_plugin_files(config), own):
        modules, filters = _with_own(modules, loaded.modules), _with_own(filters, loaded.filters)
    min_probability = config.classes.min_probability
    if not 0 <= min_probability <= 1:
        raise ConfigError(f"classes: min_probability: expected 0 to 1, got {min_probability}")
    return Graph.build(
        modules,
        filters,
        columns=COLUMNS | context_columns(config),
        settings=config.node_settings,
        min_probability=min_probability,
    )


def store_graph(config: Config, store: Path | None, own: Loaded = NOTHING) -> Graph:
    """The graph of `build_graph`, with the personal anomaly models that are in use in a store."""
    graph = build_graph(config, own)
    if store is None:
        return graph
    made = (name for node in graph.nodes for name in (node.name, *node.outputs))
    personal = personal_scores(store, {*COLUMNS, *context_columns(config), *made})
    if not personal.modules:
        return graph
    return build_graph(config, Loaded([*own.modules, *personal.modules], [*own.filters, *personal.filters]))


def open_enrichment(
    config: Config,
    *,
    graph: Graph | None = None,
    quality: ChecksAlerts | None = None,
    history: JoinsHistory | None = None,
    crossmatch: Stage | None = None,
    store: Path | None = None,
    clock: Clock = time.process_time,
    answers: AnswerCache | None = None,
) -> Enrichment:
    """The one assembly of quality, history, cross-match, science and filters; opened anew in every process.

    Parameters
    ----------
    config
        Everything that can be set.
    graph
        Modules and filters; by default those of `store_graph`.
    quality
        The checks; by default only whether alerts are usable, with no cuts and nothing stored.
    history
        What joins stored measurements; by default those of `store`.
    crossmatch
        The cross-match stage; by default that of `redpoll.pipeline.contexts.open_stage`.
    store
        The store with the histories of objects and the trained models, its newest champions; without one there are no
        histories, and the shipped models score.
    clock
        Times the stages, catalogues, modules and filters.
    answers
        Cache of searches and fits; by default none.
    """
    crossmatch, graph = crossmatch or open_stage(config), graph or store_graph(config, store)
    enrich = Enrichment(
        quality or Quality(),
        history or open_history(store),
        crossmatch.timed_by(clock),
        graph.timed_by(clock),
        clock,
        open_champions(store, graph.nodes),
        answers,
    )
    enrich.change_to()
    return enrich


def task_maker(config: Config, store: Path, sinks: Sequence[Sink] = ()) -> MakeTask:
    """Factory of the worker's task, as plain data that can be sent to any process.

    Raises
    ------
    ConfigError
        If a sink names a topic that no filter has, or two sinks have one name.
    """
    graph = store_graph(config, store)
    _check_sinks(sinks, {node.name for node in graph.nodes if not node.is_module})
    return partial(_make_task, config, store, graph, quality_cuts(config), tuple(sinks))


def packet_decoder(config: Config) -> PacketDecoder:
    """A decoder with the schema locations of `config`; SchemaError or SourceError if one cannot be read."""
    return PacketDecoder(_schemas(config), config.quality)


def night_finder(config: Config) -> PacketNights:
    """Function that finds the nights of packets; schemas as in `packet_decoder`."""
    return PacketNights(_schemas(config))


def _schemas(config: Config) -> SchemaLookup:
    return SchemaLocations(config.ingest.schemas, config.ingest.registry).lookup()


def quality_cuts(config: Config) -> dict[str, Cuts]:
    """The cuts by survey; ConfigError if a band is unknown."""
    return {survey: _cuts(getattr(config.quality, survey), survey) for survey in SURVEYS}


def open_sinks(config: Config) -> list[Sink]:
    """The sinks that `config` names; ConfigError if one is not installed or its settings do not fit."""
    installed = installed_sinks()
    if unknown := sorted(set(config.sinks) - set(installed)):
        raise ConfigError(
            f"sinks: no sink named {', '.join(unknown)} is installed; installed: {', '.join(installed) or 'none'}. "
            "A sink comes with a package that registers it under redpoll.sinks, not from a file in 'plugins'"
        )
    return [_open_sink(name, installed[name], settings) for name, settings in config.sinks.items()]


def _open_sink(name: str, make: Callable[..., Sink], settings: Mapping[str, Any]) -> Sink:
    try:
        signature(make).bind(**settings)
    except TypeError as error:
        raise ConfigError(f"sinks: {name}: {error}; its settings: {', '.join(signature(make).parameters)}") from error
    sink, failure = outcome(make, **settings)
    if isinstance(failure, RedpollError):
        raise failure
    if failure is not None:
        raise ConfigError(f"sinks: {name}: {error_text(failure)}; check [sinks.{name}]") from failure
    if not isinstance(sink, Sink):
        raise ConfigError(
            f"sinks: {name}: an object of type {type(sink).__name__} has no name, encode and open; update its package"
        )
    return sink


@contextmanager
def open_deliveries(
    sinks: Sequence[Sink],
    store: Path,
    config: Config,
    report: RunReport,
    *,
    paused: Callable[[], AbstractContextManager[None]],
    stop: Callable[[], bool],
) -> Iterator[list[Delivery]]:
    """Open deliveries to the sinks and send their spools; counts of sent and waiting messages go to the report."""
    max_bytes = config.delivery.max_spool_mb * 1_000_000
    deliveries = [
        Delivery(sink, Spool(folder, max_bytes), config.delivery, paused=paused, stop=stop)
        for sink, folder in _spools(sinks, spool_folder(store))
    ]
    report.left_spools = _left_spools(sinks, spool_folder(store))
    try:
        for delivery in deliveries:
            delivery.start()
        yield deliveries
        for delivery in deliveries:
            delivery.finish()
    finally:
        for delivery in deliveries:
            delivery.close()
            report.sent[delivery.sink.name] = delivery.n_sent
            if delivery.is_parked:
                report.parked[delivery.sink.name] = delivery.spool.n_messages


def _spools(sinks: Sequence[Sink], folder: Path) -> list[tuple[Sink, Path]]:
    """Each sink and the folder of its spool."""
    return [(sink, folder / spool_name(sink.name)) for sink in sinks]


def _left_spools(sinks: Sequence[Sink], folder: Path) -> list[str]:
    """Folders with messages of sinks that are not configured any more."""
    named = {spool_name(sink.name) for sink in sinks}
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    return [str(path) for path in there if path.name not in named and any(path.glob("*.spool"))]


def _check_sinks(sinks: Sequence[Sink], topics: Set[str]) -> None:
    names = [sink.name for sink in sinks]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"sinks: more than one is named {', '.join(doubled)}; give them different settings")
    for sink in sinks:
        for topic in getattr(sink, "topics", ()):
            if topic not in topics:
                raise ConfigError(f"sinks: {sink.name}: no filter has the topic '{topic}'{near(topic, topics)}")


def _make_task(config: Config, store: Path, graph: Graph, cuts: Mapping[str, Cuts], sinks: Sequence[Sink]) -> BlockTask:
    segments = SegmentWriter(store)
    enrich = open_enrichment(config, graph=graph, quality=Quality(segments.exists, cuts), store=store,
                             answers=answer_cache(store, config))  # fmt: skip
    return BlockTask(packet_decoder(config), enrich, segments, sinks)


def _cuts(cuts: Cuts, survey: str) -> Cuts:
    if unknown := set(cuts.bands or ()) - set(BANDS):
        raise ConfigError(f"quality: {survey}: bands: unknown {', '.join(sorted(unknown))}; use {', '.join(BANDS)}")
    return cuts


def _plugin_files(config: Config) -> Loaded:
    """Everything that the plugin files of the configuration define, in their order."""
    found = [_plugin_file(path) for path in config.plugins]
    modules = [module for loaded in found for module in loaded.modules]
    return Loaded(modules, [filter_ for loaded in found for filter_ in loaded.filters])


def _plugin_file(path: str) -> Loaded:
    try:
        return load_file(path)
    except PluginError as error:
        remedy = "correct the file, or remove it from the list 'plugins' in the configuration"
        raise ConfigError(f"plugins: {path}: {error}; {remedy}") from error


def _with_own(nodes: list[Any], own: Sequence[Any]) -> list[Any]:
    taken = {node.name for node in own}
    return [*(node for node in nodes if node.name not in taken), *own]


def _left_on(nodes: list[Any], off: tuple[str, ...], what: str) -> list[Any]:
    names = [node.name for node in nodes]
    if unknown := [name for name in off if name not in names]:
        raise ConfigError(f"{what}: off: there is no {', '.join(unknown)}; installed: {', '.join(names) or 'none'}")
    return [node for node in nodes if node.name not in off]
