"""Science modules and filters of a Python file, without packaging."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from redpoll.errors import PluginError
from redpoll.plugin.contract import AlertFilter, ScienceModule
from redpoll.plugin.discovery import Filter, check_plugin
from redpoll.plugin.expression import ExpressionFilter
from redpoll.plugin.isolation import outcome
from redpoll.plugin.reference import FILE_PREFIX


@dataclass(frozen=True)
class Loaded:
    """Modules and filters that a file defines, in order."""

    modules: Sequence[ScienceModule]
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
    module = _run(path)
    own = [value for value in vars(module).values() if _is_defined_in(value, module)]
    unique = list({id(value): value for value in own}.values())
    for plugin in unique:
        check_plugin(plugin, (ScienceModule, AlertFilter, ExpressionFilter), "a module or filter")
    if not unique:
        raise PluginError(f"{path.name} defines no function decorated by @science_module or @alert_filter")
    modules = [plugin for plugin in unique if isinstance(plugin, ScienceModule)]
    return Loaded(modules, [plugin for plugin in unique if not isinstance(plugin, ScienceModule)])


def imported_file(path: str | Path) -> ModuleType:
    """The Python module of a file, run at most once per process."""
    path = Path(path).resolve()
    return sys.modules.get(_module_name(path)) or _run(path)


def _module_name(path: Path) -> str:
    return FILE_PREFIX + sha256(str(path).encode()).hexdigest()[:16]


def _run(path: Path) -> ModuleType:
    name = _module_name(path)
    spec = spec_from_file_location(name, path) if path.is_file() and path.suffix == ".py" else None
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file; give the path of a .py file")
    module = module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    _, error = outcome(spec.loader.exec_module, module=module)
    if error is None:
        return module
    if before is None:
        del sys.modules[name]
    else:
        sys.modules[name] = before
    raise PluginError(f"{path.name}{_line(path, error)}: {_reason(error)}") from error


def _line(path: Path, error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _reason(error: Exception) -> str:
    if isinstance(error, PluginError):
        return str(error)
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}"


def _is_defined_in(value: object, module: ModuleType) -> bool:
    if isinstance(value, ScienceModule | AlertFilter):
        return value.function.__module__ == module.__name__
    return isinstance(value, ExpressionFilter)
