"""Import of a user's Python file as a module, outside of any package."""

from __future__ import annotations

import sys
import traceback
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from redpoll.errors import PluginError
from redpoll.plugin.isolation import error_text, outcome, printing_to_stderr
from redpoll.plugin.node import FILE_PREFIX


def imported_file(path: str | Path) -> ModuleType:
    """The Python module of a file, run at most once per process."""
    path = Path(path).resolve()
    return sys.modules.get(_module_name(path)) or run_file(path)


def run_file(path: Path) -> ModuleType:
    """Run a file and return its module.

    Raises
    ------
    PluginError
        If the file is not a Python file, has a syntax error or fails; the message names the line.
    """
    name = _module_name(path)
    if not path.exists():
        raise PluginError(f"there is no file {path}")
    spec = spec_from_file_location(name, path) if path.is_file() and path.suffix == ".py" else None
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file; give the path of a .py file")
    module = module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    with printing_to_stderr():
        _, error = outcome(spec.loader.exec_module, module=module)
    if error is None:
        return module
    if before is None:
        del sys.modules[name]
    else:
        sys.modules[name] = before
    raise PluginError(f"{path.name}{_line(path, error)}: {_reason(error)}") from error


def file_hash(function: object) -> str:
    """Hash of the user's file that a function was loaded from; empty for a function of a package, or no function."""
    name = str(getattr(function, "__module__", ""))
    module = sys.modules.get(name) if name.startswith(FILE_PREFIX) else None
    path = getattr(module, "__file__", None)
    return sha256(Path(path).read_bytes()).hexdigest() if path else ""


def _module_name(path: Path) -> str:
    return FILE_PREFIX + sha256(str(path).encode()).hexdigest()[:16]


def _line(path: Path, error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}" if error.lineno else ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _reason(error: Exception) -> str:
    if isinstance(error, PluginError):
        return str(error)
    return f"SyntaxError: {error.msg}" if isinstance(error, SyntaxError) else error_text(error)
