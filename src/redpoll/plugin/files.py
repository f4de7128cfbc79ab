"""Science modules and filters of a Python file, without packaging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from redpoll.errors import PluginError
from redpoll.plugin.contract import AlertFilter, ScienceModule
from redpoll.plugin.discovery import Filter, check_plugin
from redpoll.plugin.expression_filter import ExpressionFilter
from redpoll.plugin.node import Node
from redpoll.plugin.user_file import run_file


@dataclass(frozen=True)
class Loaded:
    """Modules and filters that a file defines, or that a store adds, in order."""

    modules: Sequence[Node]
    filters: Sequence[Filter]


NOTHING = Loaded((), ())
"""Result of no file: no modules and no filters."""


def load_file(path: str | Path) -> Loaded:
    """Run a Python file and return the science modules and filters it defines.

    Imported modules and filters are not returned. The file is run again at each call, so that changes take effect.

    Raises
    ------
    PluginError
        If the file cannot be read, has a syntax error, fails while it runs, or defines nothing; the message
        names the line.
    """
    path = Path(path).resolve()
    module = run_file(path)
    own = [value for value in vars(module).values() if _is_defined_in(value, module)]
    unique = list({id(value): value for value in own}.values())
    for plugin in unique:
        try:
            check_plugin(plugin, (ScienceModule, AlertFilter, ExpressionFilter), "a module or filter")
        except PluginError as error:
            raise PluginError(f"{path.name}: {error}") from error
    if not unique:
        raise PluginError(f"{path.name} defines no function decorated by @science_module or @alert_filter")
    modules = [plugin for plugin in unique if isinstance(plugin, ScienceModule)]
    return Loaded(modules, [plugin for plugin in unique if not isinstance(plugin, ScienceModule)])


def _is_defined_in(value: object, module: ModuleType) -> bool:
    if isinstance(value, ScienceModule | AlertFilter):
        return value.function.__module__ == module.__name__
    return isinstance(value, ExpressionFilter)
