"""Checks of the names in a graph, and the order in which its modules run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from redpoll.errors import PluginError
from redpoll.plugin.node import Node
from redpoll.schema.alert import PACKET
from redpoll.schema.classifications import CLASSES
from redpoll.schema.column import Column


def check_names(modules: Sequence[Node], filters: Sequence[Node], columns: Mapping[str, Column]) -> None:
    """Raise PluginError for a duplicate module, topic or output."""
    seen: dict[str, str] = {}
    for kind, node in chain((("module", m) for m in modules), (("topic", f) for f in filters)):
        if node.name in seen:
            raise PluginError(f"two plugins are named '{node.name}': a {seen[node.name]} and a {kind}; rename one")
        seen[node.name] = kind
    makers: dict[str, str] = {}
    for node in chain(modules, filters):
        for output in node.outputs:
            _check_output(node.name, output, makers, columns)
            makers[output] = node.name


def _check_output(name: str, output: str, makers: Mapping[str, str], columns: Mapping[str, Column]) -> None:
    if output in columns or output in (PACKET, CLASSES):
        raise PluginError(f"{name} makes '{output}', which is a column of the alerts; rename the output")
    if output in makers:
        raise PluginError(f"{name} and {makers[output]} both make '{output}'; rename one of the outputs")


def in_order(modules: Sequence[Node]) -> list[Node]:
    """The modules in dependency order; independent modules keep their order.

    Raises
    ------
    PluginError
        If modules depend on each other in a cycle; the message names the cycle.
    """
    makers = {output: module for module in modules for output in module.outputs}
    waiting = {module.name: module for module in modules}
    needs = {m.name: [makers[i].name for i in m.inputs if i in makers] for m in modules}
    ordered: list[Node] = []
    while waiting:
        ready = next((name for name in waiting if not any(need in waiting for need in needs[name])), None)
        if ready is None:
            raise PluginError(f"modules depend on each other in a cycle: {_cycle(needs, list(waiting))}")
        ordered.append(waiting.pop(ready))
    return ordered


def _cycle(needs: Mapping[str, Sequence[str]], waiting: Sequence[str]) -> str:
    """One cycle among the waiting modules, as ``reader -> module it reads``."""
    path = [waiting[0]]
    while path[-1] not in path[:-1]:
        path.append(next(need for need in needs[path[-1]] if need in waiting))
    return " -> ".join(path[path.index(path[-1]) :])
