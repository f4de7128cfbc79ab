"""Trained models that come with Redpoll: each scores alerts until somebody promotes or retires a model of its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from redpoll.errors import NotFound
from redpoll.plugin.model_card import ModelCard, parse_card
from redpoll.store.app.ports import ModelRegistry, NewModel

BY = "Redpoll"
"""Who registers a shipped model."""


@dataclass(frozen=True)
class ModelFile:
    """The card of a trained model, and the bytes of its file."""

    card: ModelCard
    data: bytes


@lru_cache(maxsize=1)
def shipped_models() -> Mapping[str, ModelFile]:
    """The models by name, from the folder ``trained`` of the science modules.

    >>> all(name == model.card.name for name, model in shipped_models().items())
    True
    """
    folder = files("redpoll.science") / "trained"
    cards = [file for file in folder.iterdir() if file.name.endswith(".json")] if folder.is_dir() else []
    found = (_read(file, folder) for file in cards)
    return {model.card.name: model for model in sorted(found, key=lambda model: model.card.name)}


def _read(card_file: Traversable, folder: Traversable) -> ModelFile:
    data = folder / card_file.name.replace(".json", ".forest")
    return ModelFile(parse_card(card_file.read_bytes()), data.read_bytes())


def adopt(registry: ModelRegistry, name: str) -> None:
    """Register the shipped model of a name, if there is one; in a registry that has chosen none it is the champion.

    A later promotion can thus be undone.
    """
    model = shipped_models().get(name)
    if model is None:
        return
    card = model.card
    registry.register(NewModel(name, card.version, model.data, card.content, BY), len)
    if not registry.promotions(name).num_rows:
        registry.promote(name, card.version, by=BY)


def known_versions(registry: ModelRegistry, name: str | None = None) -> list[dict[str, Any]]:
    """Rows of `ModelRegistry.versions`, before them those of shipped models that the registry does not hold.

    A shipped one is the champion if nothing of its name was ever promoted or retired; ``created`` is None.
    """
    rows: list[dict[str, Any]] = registry.versions(name).to_pylist()
    held = {(row["name"], row["version"]) for row in rows}
    chosen = set(registry.promotions(name)["name"].to_pylist())
    shipped = [
        {"name": own, "version": model.card.version, "stage": "candidate" if own in chosen else "champion",
         "sha256": sha256(model.data).hexdigest(), "n_bytes": len(model.data),
         "card": json.dumps(dict(model.card.content)), "created": None, "by": BY}
        for own, model in shipped_models().items()
        if name in (None, own) and (own, model.card.version) not in held
    ]  # fmt: skip
    return shipped + rows


def model_of(registry: ModelRegistry, name: str, version: str | None = None) -> ModelFile:
    """A version of a model, by default the one that scores alerts.

    Raises
    ------
    NotFound
        If there is none.
    StoreError
        If its file is gone or changed.
    """
    row = version_row(registry, name, version)
    if row["created"] is None:
        return shipped_models()[name]
    return ModelFile(parse_card(row["card"]), registry.read(row["sha256"]))


def version_row(registry: ModelRegistry, name: str, version: str | None = None) -> dict[str, Any]:
    """The row of `known_versions` of a version, by default of the one that scores alerts; NotFound if there is none."""
    for row in known_versions(registry, name):
        if row["stage"] == "champion" if version is None else row["version"] == version:
            return row
    raise NotFound(f"no version {version!r} of model {name!r}" if version else f"model {name!r} has no champion")
