"""The filters that Redpoll comes with, each with an alert that passes."""

from __future__ import annotations

from redpoll_reference.examples import of_node
from redpoll_reference.modules import describe
from redpoll_reference.plugins import FILTERS, own

INTRODUCTION = """# Filters

*For people who want to know which alerts a topic contains, or look for a filter to start from.*

Each filter has a topic of its name and makes one column, `pass_<topic>`. A setting is changed in the configuration,
under the topic. Each picture shows a simulated alert that passes.
"""


def page() -> str:
    """The page of filters."""
    nodes = [entry.load() for entry in own(FILTERS)]
    return "\n\n".join([INTRODUCTION, *(f"{describe(node)}\n\n{of_node(node).figure()}" for node in nodes)]) + "\n"
