"""The science modules and filters that are installed, and their sources and sinks."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from redpoll.plugin.contract import AlertFilter, ScienceModule
from redpoll_reference.markdown import docstring, said, table

INTRODUCTION = """# Modules and filters

*For anyone who asks where a column or a topic comes from.*

These are registered by Redpoll itself, by the same entry points that a package of yours uses. A setting is changed in
the configuration, under the name of its module or filter. Every value is stored with the `name@version` of its maker.
"""
NODES = {"redpoll.science_modules": "Science modules", "redpoll.filters": "Filters"}
PORTS = {"redpoll.sources": "Sources", "redpoll.sinks": "Sinks"}


def page() -> str:
    """The page of modules and filters."""
    nodes = [_section(title, [describe(e.load()) for e in own(group)]) for group, title in NODES.items()]
    ports = [_section(title, [_port(e) for e in own(group)]) for group, title in PORTS.items()]
    return "\n\n".join([INTRODUCTION, *nodes, *ports]) + "\n"


def own(group: str) -> list[EntryPoint]:
    """The entry points of a group that Redpoll itself registers, by name."""
    found = [e for e in entry_points(group=group) if e.dist is not None and e.dist.name == "redpoll"]
    return sorted(found, key=lambda e: e.name)


def _section(title: str, parts: list[str]) -> str:
    return "\n\n".join([f"## {title}", *(parts or ["None yet."])])


def describe(node: ScienceModule | AlertFilter) -> str:
    """Section of a module or filter."""
    text = said(node.function.__doc__, node.name)
    kind = "one call per object" if node.per == "object" else "one call per batch"
    reads = ", ".join(f"`{name}`" for name in node.inputs)
    facts = f"Version {node.version}, {kind}. Reads {reads}."
    if node.settings:
        facts += " Settings: " + ", ".join(f"`{name} = {value!r}`" for name, value in node.settings.items()) + "."
    return "\n\n".join([f"### `{node.name}`", docstring(text), facts, _outputs(node)])


def _outputs(node: ScienceModule | AlertFilter) -> str:
    rows = [
        [f"`{name}`", str(column.arrow_type), column.unit, said(column.doc, f"column {name} of {node.name}")]
        for name, column in node.outputs.items()
    ]
    return table(["column", "type", "unit", "meaning"], rows)


def _port(entry: EntryPoint) -> str:
    text = said(entry.load().__doc__, f"{entry.group} {entry.name}")
    return "\n\n".join([f"### {entry.name}", docstring(text)])
