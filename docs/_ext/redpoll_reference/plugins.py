"""The plugins that Redpoll itself registers."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

MODULES, FILTERS = "redpoll.science_modules", "redpoll.filters"
SOURCES, SINKS = "redpoll.sources", "redpoll.sinks"


def own(group: str) -> list[EntryPoint]:
    """The entry points of a group that Redpoll itself registers, by name."""
    found = [e for e in entry_points(group=group) if e.dist is not None and e.dist.name == "redpoll"]
    return sorted(found, key=lambda e: e.name)
