"""Discovery of plugins of installed packages through entry points.

A package registers its plugins in its ``pyproject.toml``::

    [project.entry-points."redpoll.science_modules"]
    rise_rate = "my_modules:rise_rate"

A plugin that cannot be loaded is logged and listed by `broken_plugins`; the others are loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from redpoll.errors import PluginError
from redpoll.plugin.contract import AlertFilter, ScienceModule
from redpoll.plugin.expression_filter import ExpressionFilter
from redpoll.plugin.isolation import error_text, outcome, printing_to_stderr

log = logging.getLogger(__name__)
MODULES, FILTERS = "redpoll.science_modules", "redpoll.filters"
SOURCES, SINKS = "redpoll.sources", "redpoll.sinks"
GROUPS = (MODULES, FILTERS, SOURCES, SINKS)
Filter = AlertFilter | ExpressionFilter


@dataclass(frozen=True)
class Discovery:
    """Plugins of one group of entry points by name, and an error for each broken one."""

    found: dict[str, Any]
    broken: tuple[PluginError, ...]


def installed_modules() -> list[ScienceModule]:
    """The science modules of all installed packages, by name."""
    return list(_found(MODULES).values())


def installed_filters() -> list[Filter]:
    """The alert filters of all installed packages, by topic."""
    return list(_found(FILTERS).values())


def installed_sources() -> dict[str, Callable[..., Any]]:
    """The source factories of all installed packages, by entry-point name."""
    return _found(SOURCES)


def installed_sinks() -> dict[str, Callable[..., Any]]:
    """The sink factories of all installed packages, by entry-point name."""
    return _found(SINKS)


def broken_plugins() -> list[PluginError]:
    """One error for each installed plugin that cannot be used, with its package, reason and remedy."""
    return [error for group in GROUPS for error in discover(group).broken]


def discover(group: str) -> Discovery:
    """Load every plugin of a group of entry points, sorted by name."""
    found: dict[str, Any] = {}
    broken: list[PluginError] = []
    for entry in sorted(entry_points(group=group), key=lambda e: (e.name, e.value)):
        plugin, error = outcome(_load, entry=entry, group=group, found=found)
        if error is None:
            found[_name(entry, plugin)] = plugin
        else:
            broken.append(_explained(entry, error))
    return Discovery(found, tuple(broken))


def check_plugin(plugin: object, kinds: tuple[type, ...], wanted: str) -> None:
    """Raise PluginError unless `plugin` is of one of these kinds and has a docstring."""
    if not isinstance(plugin, kinds):
        raise PluginError(f"it is a {type(plugin).__name__}, not {wanted}")
    if not getattr(plugin, "doc", None):
        raise PluginError(f"{plugin} has no docstring; describe its output in one line")


def _found(group: str) -> dict[str, Any]:
    discovery = discover(group)
    for error in discovery.broken:
        log.error("%s", error, extra={"group": group})
    return discovery.found


def _load(entry: EntryPoint, group: str, found: dict[str, Any]) -> Any:
    with printing_to_stderr():
        plugin = entry.load()
    if group == MODULES:
        check_plugin(plugin, (ScienceModule,), "a function decorated by @science_module")
    elif group == FILTERS:
        check_plugin(plugin, (AlertFilter, ExpressionFilter), "a function decorated by @alert_filter")
    elif not callable(plugin):
        raise PluginError(f"it is a {type(plugin).__name__}, not a class or function")
    if _name(entry, plugin) in found:
        raise PluginError(f"another package already provides '{_name(entry, plugin)}'; rename or uninstall one")
    return plugin


def _name(entry: EntryPoint, plugin: Any) -> str:
    nodes = (ScienceModule, AlertFilter, ExpressionFilter)
    return plugin.name if isinstance(plugin, nodes) else entry.name


def _explained(entry: EntryPoint, error: Exception) -> PluginError:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"
    reason = str(error) if isinstance(error, PluginError) else error_text(error)
    remedy = "update or uninstall that package, or fix it and reinstall"
    explained = PluginError(f"plugin '{entry.name}' ({entry.value}) of {package} cannot be used: {reason}; {remedy}")
    explained.__cause__ = error
    return explained
