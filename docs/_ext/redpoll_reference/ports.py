"""The sources and sinks that Redpoll comes with."""

from __future__ import annotations

from importlib.metadata import EntryPoint

from redpoll_reference.markdown import docstring, required
from redpoll_reference.plugins import SINKS, SOURCES, own

INTRODUCTION = """# Sources and sinks

*For anyone who asks where packets can come from and where alerts can go.*

A source is named by the scheme of a URI, such as `simulate://`; a sink by its table in the configuration.
"""
PORTS = {SOURCES: "Sources", SINKS: "Sinks"}


def page() -> str:
    """The page of sources and sinks."""
    parts = [_section(title, [_port(e) for e in own(group)]) for group, title in PORTS.items()]
    return "\n\n".join([INTRODUCTION, *parts]) + "\n"


def _section(title: str, parts: list[str]) -> str:
    return "\n\n".join([f"## {title}", *(parts or ["None yet."])])


def _port(entry: EntryPoint) -> str:
    text = required(entry.load().__doc__, f"{entry.group} {entry.name}")
    return "\n\n".join([f"### {entry.name}", docstring(text)])
