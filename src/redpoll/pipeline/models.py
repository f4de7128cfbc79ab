"""Trained models of a store's registry: checked when they are registered, changed in a worker between two blocks."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Any

from redpoll.errors import ModelError, RedpollError, StoreError
from redpoll.pipeline.shipped import shipped_models
from redpoll.plugin.model_card import ModelCard, parse_card
from redpoll.plugin.model_file import MAX_MODEL_BYTES, OpenModel, open_model
from redpoll.plugin.node import Node
from redpoll.store.app.ports import ServedModels

log = logging.getLogger(__name__)


class Generation:
    """Reads the generation of the registry when a block is begun.

    A registry that cannot be read any more leaves the run with the generation that was read last.
    """

    def __init__(self, models: ServedModels) -> None:
        self._models, self._last = models, models.generation()
        self._is_logged = False

    def __call__(self) -> int:
        """The generation now."""
        try:
            self._last = self._models.generation()
        except StoreError as error:
            if not self._is_logged:
                log.error("the model registry cannot be read, the models in use are kept: %s", error)
            self._is_logged = True
        return self._last


class Champions:
    """The opened models of one generation, for the modules of a graph.

    A champion that cannot be used is kept out: the model of before goes on if it is open here, else the columns of its
    modules are null. ``unusable`` has the reason by ``model@version``. A name that was never chosen in the registry
    has the shipped model, if the module that uses it is the one that it was trained for. Without a registry all have.
    """

    def __init__(self, registry: ServedModels | None, nodes: Iterable[Node]) -> None:
        self._registry, self._users = registry, users_of_models(nodes)
        self._generation: int | None = None
        self._files: dict[str, str] = {}
        self.models: dict[str, OpenModel] = {}
        self.unusable: dict[str, str] = {}

    def change_to(self, generation: int | None = None) -> bool:
        """Open the models of a generation, by default the newest; returns whether any model changed."""
        if not self._users:
            return False
        if generation is not None and generation == self._generation:
            return False
        before, self.unusable = dict(self.models), {}
        try:
            generation, rows, chosen = self._in_use(generation)
        except StoreError as error:
            self.unusable["registry"] = f"{error}; the models in use are kept"
            return False
        for row in rows:
            if row["name"] in self._users:
                self._change(row)
        kept = {row["name"] for row in rows} | self._use_shipped(self._users.keys() - chosen)
        for name in self.models.keys() - kept:
            del self.models[name]
        self._generation = generation
        return before != self.models

    def _in_use(self, generation: int | None) -> tuple[int, list[dict[str, Any]], frozenset[str]]:
        """The generation, its champions, and the names that were ever chosen."""
        if self._registry is None:
            return 0, [], frozenset()
        generation = self._registry.generation() if generation is None else generation
        rows: list[dict[str, Any]] = self._registry.champions(generation).to_pylist()
        return generation, rows, self._registry.chosen(generation)

    def _use_shipped(self, names: Iterable[str]) -> set[str]:
        """Open the shipped models of these names; returns the names that have one."""
        used = {name: shipped_models()[name] for name in names if name in shipped_models()}
        for name, model in used.items():
            if name not in self.models:
                with contextlib.suppress(ModelError):  # the module of that name is another than Redpoll's own
                    self.models[name] = open_model(model.data, model.card, self._users[name])
        return set(used)

    def _change(self, row: dict[str, Any]) -> None:
        name, version, former = row["name"], row["version"], self.models.get(row["name"])
        if former is not None and (former.version, self._files.get(name)) == (version, row["sha256"]):
            return
        try:
            self.models[name] = self._open(row)
            self._files[name] = row["sha256"]
        except RedpollError as error:
            remedy = f"{name}@{former.version} goes on" if former else "its columns are null"
            self.unusable[f"{name}@{version}"] = f"{error}; {remedy}"

    def _open(self, row: dict[str, Any]) -> OpenModel:
        card = parse_card(row["card"])
        if (card.name, card.version) != (row["name"], row["version"]):
            raise ModelError(f"its card is that of {card.name}@{card.version}")
        if row["n_bytes"] > MAX_MODEL_BYTES:
            raise ModelError(f"a file of {row['n_bytes']:,} bytes; at most {MAX_MODEL_BYTES:,} are allowed")
        assert self._registry is not None
        return open_model(self._registry.read(row["sha256"]), card, self._users[card.name])


def model_validator(card: ModelCard, nodes: Iterable[Node]) -> Callable[[bytes], OpenModel]:
    """Function that checks the file of a model before it is registered.

    Raises
    ------
    ModelError
        If no module uses a model of this name. The validator raises it for a file that cannot be used.
    """
    users = users_of_models(nodes)
    if card.name not in users:
        known = ", ".join(sorted(users)) or "none"
        raise ModelError(
            f"no module uses a model named '{card.name}'; models that modules use: {known}; the file of "
            "another module is named in 'plugins' of the configuration"
        )

    def validate(data: bytes) -> OpenModel:
        return open_model(data, card, users[card.name])

    return validate


def users_of_models(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    """The modules that use each model, by its name."""
    users: dict[str, list[Node]] = {}
    for node in nodes:
        if node.model:
            users.setdefault(node.model, []).append(node)
    return users
