"""The personal anomaly models of a store, as modules and filters of a graph."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterator
from pathlib import Path

from redpoll.errors import ModelError, StoreError
from redpoll.pipeline.store_access import served_models
from redpoll.plugin.anomaly_score import AnomalyScore, personal_filter, personal_node
from redpoll.plugin.files import Loaded
from redpoll.plugin.model_card import ModelCard, parse_card

log = logging.getLogger(__name__)


def personal_scores(store: Path, columns: Container[str]) -> Loaded:
    """A module and a filter for each personal anomaly model that is in use in a store, by name.

    One whose features are not all among `columns` is left out with a warning: a module that it needs is off. So is one
    whose column or topic would replace what is there.
    """
    nodes = [node for card in _champions(store) if (node := personal_node(card)) and _fits(node, columns)]
    return Loaded(nodes, [personal_filter(node) for node in nodes])


def _fits(node: AnomalyScore, columns: Container[str]) -> bool:
    missing = [name for name in node.features if name not in columns]
    if missing:
        log.warning("%s has no scores in this run: nothing makes its features %s", node.column, ", ".join(missing))
    elif node.column in columns:
        log.warning("%s has no scores in this run: another module makes a column of that name", node.column)
    return not missing and node.column not in columns


def _champions(store: Path) -> Iterator[ModelCard]:
    """Cards of the models in use; none if there is no store yet, or its models cannot be read."""
    try:
        with served_models(store) as models:
            cards = models.champions()["card"].to_pylist()
    except StoreError as error:
        log.debug("no personal anomaly models: %s", error)
        return
    for card in cards:
        try:
            yield parse_card(card)
        except ModelError as error:
            log.warning("a model of the store has no card that can be used: %s", error)
