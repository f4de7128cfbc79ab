"""The card of a trained model: name, version, features and classes, and free fields for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from redpoll.errors import ModelError
from redpoll.plugin.node import Node

MAX_CARD_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")
_MAX_WORDS, _MAX_WORD = 10_000, 200


@dataclass(frozen=True)
class ModelCard:
    """What a model is: ``content`` holds all fields of the card, also those that Redpoll does not read."""

    name: str
    version: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    content: Mapping[str, Any]

    def check(self, nodes: Iterable[Node]) -> None:
        """Raise ModelError unless the model has the features and classes of every one of these modules."""
        for node in nodes:
            assigned = tuple(column.assigns or name for name, column in node.outputs.items())
            self._check("features", self.features, node.features, node)
            self._check("classes", self.classes[-len(assigned) :], assigned, node)

    def _check(self, what: str, has: tuple[str, ...], needs: tuple[str, ...], node: Node) -> None:
        if has != needs:
            raise ModelError(
                f"{self.name}@{self.version} was trained with {what} {_shown(has)}; module {node.name}@{node.version} "
                f"has {_shown(needs)}: train it again"
            )


def parse_card(data: bytes | str) -> ModelCard:
    """The model card in a JSON text.

    Raises
    ------
    ModelError
        If it is too large, no JSON object, or lacks one of the four fields.

    Examples
    --------
    >>> parse_card('{"name": "early_ia", "version": "1", "features": ["mag"], "classes": ["other", "sn_ia"]}').classes
    ('other', 'sn_ia')
    """
    if len(data) > MAX_CARD_BYTES:
        raise ModelError(f"the model card has {len(data):,} bytes; at most {MAX_CARD_BYTES:,} are allowed")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        content: Any = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the model card is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ModelError("the model card is not a JSON object")
    for key in ("name", "version"):
        if not isinstance(content.get(key), str) or not _NAME.fullmatch(content[key]):
            raise ModelError(f"the model card needs '{key}': 1 to 100 letters, digits and _ . + -")
    for key in ("features", "classes"):
        if not _is_words(content.get(key)):
            raise ModelError(f"the model card needs '{key}': a list of different words")
    features, classes = tuple(content["features"]), tuple(content["classes"])
    return ModelCard(content["name"], content["version"], features, classes, content)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _is_words(value: Any) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_WORDS:
        return False
    is_word = all(isinstance(word, str) and 0 < len(word) <= _MAX_WORD and word.isprintable() for word in value)
    return is_word and len(set(value)) == len(value)


def _shown(words: tuple[str, ...]) -> str:
    text = ", ".join(words)
    return text if len(text) <= 300 else text[:297] + "..."
