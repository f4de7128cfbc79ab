"""Which small wrong changes of a source file its tests notice: ``mutants.py FILE[:LINE,LINE...]...``.

Each mutant runs in a forked process of a parent that has imported all that the mutant does not change: the changed
module is imported from memory, and pytest runs the tests that import it until one fails. Functions that numba compiles
are run by Python, except in the files that `mutants.toml` names as compiled. No real packets are read.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from mutations import mutants, mutated

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "redpoll"
SETTINGS = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text(encoding="utf-8"))
TESTS = sorted(path for folder in SETTINGS["folders"] for path in (ROOT / folder).rglob("test_*.py"))
OPTIONS = [
    "-x",
    "-q",
    "--assert=plain",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:faulthandler",
    "-p",
    "redpoll.testing.pytest_plugin",
]
ENVIRONMENT = {
    "REDPOLL_DATA": os.devnull,
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # pytest imports packages with plugins by itself, and not from memory
}
MODULES = "\nmodules:"
PLAIN = """
def parts(**options): return lambda function: function
kernel = part = parts()
"""
"""Stands for `redpoll.kernels` where Python runs the functions."""


class Changed(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports one module from a source in memory; without a source, the module cannot be imported."""

    def __init__(self, path: Path, source: str | None) -> None:
        parts = path.relative_to(ROOT / "src").with_suffix("").parts
        super().__init__(".".join(parts[:-1] if parts[-1] == "__init__" else parts), str(path))
        self.source = source

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        if self.source is None:
            raise ImportError(name)
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, fullname: str) -> Any:
        return compile(str(self.source), self.path, "exec", dont_inherit=True)


def tests_of(path: Path) -> list[Path]:
    """The test files that import a source file, and those that the settings add."""
    module = Changed(path, None).name
    added = [ROOT / test for test in SETTINGS["tests"].get(str(path.relative_to(SOURCE)), ())]
    return [test for test in TESTS if module in set(imported(test)) and test not in added] + added


def imported(path: Path) -> Iterator[str]:
    """Names of all modules that a file may import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def run_tests(tests: list[Path], seconds: float, log: Path, *changed: Changed) -> bool:
    """Whether the tests pass within a time, in a forked process that imports some modules from memory."""
    child = os.fork()
    if child == 0:
        _run_and_leave(tests, log, *changed)
    deadline = time.monotonic() + seconds
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.003)
    return ended[1] == 0


def _run_and_leave(tests: list[Path], log: Path, *changed: Changed) -> None:
    """End this process with pytest's code; its output and the names of all imported modules go to the log."""
    code: int = 1
    try:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.meta_path[:0] = changed
        code = int(pytest.main([*OPTIONS, *map(str, tests)]))
        print(MODULES, *sys.modules, flush=True)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def preload(path: Path, log: Path) -> None:
    """Import all that the tests imported and that does not import the file."""
    sys.meta_path.insert(0, Changed(path, None))
    for name in log.read_text(encoding="utf-8").rpartition(MODULES)[2].split():
        with contextlib.suppress(Exception):
            import_module(name)
    del sys.meta_path[0]
    gc.collect()
    gc.freeze()


def check(file: str) -> tuple[str, list[int]]:
    """A report of the mutants of a file that no test notices, and the numbers of mutants: noticed, equivalent, rest."""
    name, _, lines = file.partition(":")
    path = Path(name).resolve()
    source, tests, key = path.read_text(encoding="utf-8"), tests_of(path), str(path.relative_to(SOURCE))
    equivalent = {(e["line"], e["before"], e["after"]) for e in SETTINGS["equivalent"] if e["file"] == key}
    report, counts = [], [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        if key not in SETTINGS["compiled"]:
            sys.meta_path.insert(0, Changed(SOURCE / "kernels.py", PLAIN))
        began = time.monotonic()
        passed = bool(tests) and run_tests(tests, 600, log)
        seconds = 10 + 5 * (time.monotonic() - began)
        preload(path, log)
        if not passed or not run_tests(tests, 600, log, Changed(path, source)):
            return (
                f"{name}: without a change, these tests fail: {tests}\n{log.read_text().partition(MODULES)[0]}",
                counts,
            )
        for mutant in mutants(source):
            text = source.splitlines()[mutant.line - 1].strip()
            if not lines or str(mutant.line) in lines.split(","):
                if (text, mutant.before, mutant.after) in equivalent:
                    counts[1] += 1
                elif not run_tests(tests, seconds, log, Changed(path, mutated(source, mutant))):
                    counts[0] += 1
                else:
                    counts[2] += 1
                    report.append(f"{name}:{mutant.line}: {text}\n    {mutant.before}  ->  {mutant.after}")
    table = [name, str(sum(counts)), *map(str, counts), f"{time.monotonic() - began:.0f} s"]
    return "\n".join([*report, f"| {' | '.join(table)} |"]), counts


def main() -> int:
    """0 if each mutant is noticed or listed as equivalent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE[:LINE,...]")
    parser.add_argument("--jobs", type=int, default=1, help="files at a time")
    arguments = parser.parse_args()
    os.environ |= ENVIRONMENT
    sums = [0, 0, 0]
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for report, counts in pool.map(check, arguments.files):
            print(report, flush=True)
            sums = [a + b for a, b in zip(sums, counts, strict=True)]
    noticed, equivalent, rest = sums
    percent = 100 * noticed / max(noticed + rest, 1)
    print(f"{sum(sums)} mutants: {noticed} noticed, {equivalent} equivalent, {rest} not; {percent:.1f} % noticed")
    return 1 if rest else 0


if __name__ == "__main__":
    sys.exit(main())
