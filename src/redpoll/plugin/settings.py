"""Check of the configured settings of plugins against their defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from redpoll.errors import ConfigError, near
from redpoll.plugin.node import Node


def check_settings(nodes: Iterable[Node], settings: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The settings, converted to the types of their defaults: integer to float, list to tuple.

    Raises
    ------
    ConfigError
        For a plugin or setting that does not exist (with similar names), or a value of the wrong type.
    """
    by_name = {node.name: node for node in nodes}
    for name in settings:
        if name not in by_name:
            raise ConfigError(f"there is no module or filter '{name}' to set{near(name, by_name)}")
    return {
        name: {key: _checked(by_name[name], key, value) for key, value in given.items()}
        for name, given in settings.items()
    }


def _checked(node: Node, key: str, value: Any) -> Any:
    if key not in node.settings:
        raise ConfigError(f"{node.name} has no setting '{key}'{near(key, node.settings)}")
    default = node.settings[key]
    if default is None or type(value) is type(default):
        return value
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    expected, got = type(default).__name__, type(value).__name__
    raise ConfigError(f"{node.name}: setting '{key}' must be {expected} like {default!r}; got {got} {value!r}")
