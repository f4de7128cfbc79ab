"""What a reprocessing runs: the nodes that are named and all that depend on them, and the stored columns they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from hashlib import sha256

import pyarrow as pa

from redpoll.errors import UsageError, near
from redpoll.pipeline.contexts import MADE_FROM
from redpoll.pipeline.enrich import Enrichment, EnrichmentNode
from redpoll.plugin.files import NOTHING, Loaded
from redpoll.plugin.user_file import file_hash
from redpoll.schema.alert import COLUMNS
from redpoll.store import Selection

CROSSMATCH = "cross-match"
HISTORY = ("light_curve", "packet_light_curve")
"""Columns that the history stage makes from the archived light curve of the packet."""
_HISTORY_READS = ("object_id", "night", "mjd", "light_curve")
_FLAG = {CROSSMATCH: "--catalog", "module": "--module", "filter": "--filter"}
Key = tuple[str, str]
"""Kind and name of a node."""


@dataclass(frozen=True)
class Wanted:
    """What is to run again, by name; everything in the configuration if nothing is named.

    ``contexts`` are catalogues, watchlists, regions, sky maps, ``hosts`` and ``ebv``; ``own`` are modules and filters
    that the configuration does not name.
    """

    modules: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    own: Loaded = NOTHING

    @property
    def keys(self) -> list[Key]:
        """Kind and name of each."""
        named = {CROSSMATCH: self.contexts, "module": self.modules, "filter": self.filters}
        return [(kind, name) for kind, names in named.items() for name in names]


@dataclass(frozen=True)
class PlannedNode:
    """A catalogue, module or filter that runs again: its maker ``by``, what it reads and makes, and why it runs."""

    name: str
    kind: str
    by: str
    reads: tuple[str, ...]
    outputs: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class ReprocessPlan:
    """What runs, in order, and what is read for it.

    Parameters
    ----------
    nodes
        Catalogues, modules and filters in the order in which they run.
    stored
        Types of the columns that are read from the store.
    blank
        Types of the columns that are read and that no alert of the store has: they are null.
    before
        The columns that are made again and have values in the store already.
    left_out
        Catalogues and modules of the configuration that cannot run, and why; their stored values stay.
    """

    nodes: tuple[PlannedNode, ...]
    stored: Mapping[str, pa.DataType]
    blank: Mapping[str, pa.DataType]
    before: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def joins_history(self) -> bool:
        """Whether a node reads light curves."""
        return any(name in HISTORY for node in self.nodes for name in node.reads)

    def names(self, *, of_contexts: bool) -> frozenset[str]:
        """Names of the contexts that run, or of the modules and filters."""
        return frozenset(node.name for node in self.nodes if (node.kind == CROSSMATCH) is of_contexts)

    @property
    def flags(self) -> list[str]:
        """The booleans among the stored columns that a node made: unknown for alerts that it did not see."""
        return [name for name, kind in self.stored.items() if pa.types.is_boolean(kind) and name not in COLUMNS]


def plan_reprocessing(enrich: Enrichment, wanted: Wanted, stored: Set[str]) -> ReprocessPlan:
    """The plan for what is wanted.

    A node runs if it is named, if it reads a column that another node of the plan makes, or if a node of the plan reads
    a column of it that no stored alert has.

    Parameters
    ----------
    enrich
        Everything in the configuration, with ``wanted.own``.
    wanted
        What is named.
    stored
        The columns that the store has.

    Raises
    ------
    UsageError
        If a name is unknown, or that of a catalogue or module that cannot run.
    """
    why_not = enrich.silent
    nodes = {(node.kind, node.name): node for node in enrich.nodes if not _has_no_model(enrich, node)}
    for key in wanted.keys:
        _check(key, nodes, why_not)
    chosen = _closure(list(nodes.values()), wanted.keys or list(nodes), stored, is_named=bool(wanted.keys))
    planned = tuple(_planned(enrich, node, chosen[key]) for key, node in nodes.items() if key in chosen)
    made = {name for node in planned for name in node.outputs}
    types = _types(enrich)
    reads = dict.fromkeys(name for node in planned for name in node.reads if name not in made)
    if any(name in reads for name in HISTORY):
        reads |= dict.fromkeys(_HISTORY_READS)
    names = [name for name in reads if name != "packet_light_curve"]
    return ReprocessPlan(
        planned,
        stored={name: types[name] for name in names if name in stored},
        blank={name: types[name] for name in names if name not in stored},
        before=tuple(name for name in made if name in stored),
        left_out={} if wanted.keys else why_not,
    )


def job_key(plan: ReprocessPlan, enrich: Enrichment, selection: Selection) -> str:
    """The key of a reprocessing: a hash of the nodes, their versions, models and settings, and of the selection.

    The version of a catalogue, watchlist, region or sky map is a hash of its content. Of a module or filter in a
    user's file the content of the file counts too, whatever its version.
    """
    settings = {name: facts["settings"] for name, facts in enrich.graph.provenance().items()}
    files = {node.name: file_hash(getattr(node, "function", None)) for node in enrich.graph.nodes}
    facts = [
        (n.kind, n.by, n.outputs, n.kind != CROSSMATCH and files[n.name], [settings.get(o) for o in n.outputs])
        for n in plan.nodes
    ]
    text = repr((facts, enrich.graph.min_probability, selection))
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _closure(
    nodes: Sequence[EnrichmentNode], first: Iterable[Key], stored: Set[str], *, is_named: bool
) -> dict[Key, str]:
    """Why each node runs, by its key."""
    makers = {name: (node.kind, node.name) for node in nodes for name in node.outputs}
    why = dict.fromkeys(first, "named" if is_named else "configured")
    while True:
        n = len(why)
        for node in nodes:
            key = (node.kind, node.name)
            if key in why:
                lacking = [name for name in node.reads if name in makers and name not in stored]
                why |= {makers[name]: f"{name} is not stored yet" for name in lacking if makers[name] not in why}
            elif reason := _dependence(node, makers, why):
                why[key] = reason
        if len(why) == n:
            return why


def _dependence(node: EnrichmentNode, makers: Mapping[str, Key], why: Mapping[Key, str]) -> str:
    """How a node depends on those that run; empty if it does not."""
    for name in node.reads:
        if makers.get(name) in why:
            return f"reads {name}"
    sources = MADE_FROM.get(node.name, ()) if node.kind == CROSSMATCH else ()
    return next((f"is made from {name}" for name in sources if (CROSSMATCH, name) in why), "")


def _check(key: Key, nodes: Mapping[Key, EnrichmentNode], why_not: Mapping[str, str]) -> None:
    kind, name = key
    if key in nodes:
        return
    what = "catalogue, watchlist, region or sky map" if kind == CROSSMATCH else kind
    known = [other for other_kind, other in nodes if other_kind == kind]
    if name in why_not and (kind != "filter"):
        remedy = f"`redpoll catalog add {name}`" if kind == CROSSMATCH else "`redpoll models import` and `promote`"
        raise UsageError(f"{_FLAG[kind]}: {name} cannot run: {why_not[name]}; {remedy}")
    raise UsageError(f"{_FLAG[kind]}: there is no {what} '{name}'{near(name, known)}")


def _has_no_model(enrich: Enrichment, node: EnrichmentNode) -> bool:
    return node.kind == "module" and node.name in enrich.graph.without_model


def _planned(enrich: Enrichment, node: EnrichmentNode, why: str) -> PlannedNode:
    made = enrich.graph.provenance()
    by = f"{node.name}@{node.version}" if node.kind == CROSSMATCH else made[next(iter(node.outputs))]["by"]
    return PlannedNode(node.name, node.kind, by, node.reads, tuple(node.outputs), why)


def _types(enrich: Enrichment) -> dict[str, pa.DataType]:
    columns = COLUMNS | enrich.crossmatch.columns
    columns |= {name: column for node in enrich.graph.nodes for name, column in node.outputs.items()}
    return {name: column.arrow_type for name, column in columns.items()}
