"""Which small wrong changes of a source file its tests notice: ``mutants.py FILE[:LINE,LINE...]...``.

Each mutant is tested in a forked process of a parent that has imported all that the mutant does not change: the changed
module is imported from memory, its examples are run, and then the tests that import it until one fails. Functions that
numba compiles are run by Python, except for the files that `mutants.toml` names as compiled. No real packets are read.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import doctest
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
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from wrong_changes import mutants, mutated

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "redpoll"
SETTINGS = tomllib.loads((ROOT / "tools" / "mutants.toml").read_text(encoding="utf-8"))
TESTS = [path for folder in SETTINGS["folders"] for path in sorted((ROOT / folder).rglob("test_*.py"))]
OPTIONS = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
OPTIONS += ["-p", "redpoll.testing.pytest_plugin"]
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
    """The test files that import a source file: those named after it, if there are any; and what the settings add."""
    module = Changed(path, None).name
    added = [ROOT / test for test in SETTINGS["tests"].get(str(path.relative_to(SOURCE)), ())]
    importing = [test for test in TESTS if module in set(imported(test)) and test not in added]
    return ([test for test in importing if test.stem.startswith(f"test_{path.stem}")] or importing) + added


def imported(path: Path) -> Iterator[str]:
    """Names of all modules that a file may import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def passes(tests: list[Path], seconds: float, log: Path, *changed: Changed) -> bool:
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
        examples = [doctest.testmod(import_module(finder.name)) for finder in changed]
        code = any(result.failed for result in examples) or int(pytest.main([*OPTIONS, *map(str, tests)]))
        print(MODULES, *sys.modules)
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
    gc.freeze()


def check(file: str, every: int = 1) -> tuple[str, Counter[str]]:
    """What became of the mutants of a file, as text; how many were "noticed", "equivalent" or in the "rest"."""
    name, _, lines = file.partition(":")
    path, began = Path(name).resolve(), time.monotonic()
    key, tests, source = str(path.relative_to(SOURCE)), tests_of(path), path.read_text(encoding="utf-8")
    report, counts = [], Counter[str]()
    if key not in SETTINGS["compiled"]:
        sys.meta_path.insert(0, Changed(SOURCE / "kernels.py", PLAIN))
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        passed = bool(tests) and passes(tests, 600, log)
        preload(path, log)
        started = time.monotonic()
        if not passed or not passes(tests, 600, log, Changed(path, source)):
            counts["rest"] = len(mutants(source))
            output = log.read_text(encoding="utf-8").partition(MODULES)[0]
            return (
                f"{name}: not measured: its tests fail without a change, or there are none: {tests}\n{output}",
                counts,
            )
        seconds = 3 + 4 * (time.monotonic() - started)
        for mutant in mutants(source)[::every]:
            if lines and str(mutant.line) not in lines.split(","):
                continue
            text, change = source.splitlines()[mutant.line - 1].strip(), f"{mutant.before} -> {mutant.after}"
            if not passes(tests, seconds, log, Changed(path, mutated(source, mutant))):
                counts["noticed"] += 1
            elif is_equivalent(key, text, change):
                counts["equivalent"] += 1
            else:
                counts["rest"] += 1
                report.append(f"{name}:{mutant.line}: {text}\n    {change}")
    numbers = (counts.total(), counts["noticed"], counts["equivalent"], counts["rest"])
    row = f"| {key} | {' | '.join(map(str, numbers))} | {time.monotonic() - began:.0f} s |"
    return "\n".join([*report, row]), counts


def is_equivalent(key: str, text: str, change: str) -> bool:
    """Whether the settings list a change of a line of a file as one that no test can notice."""
    return any(e["file"] == key and e["line"] == text and change in e["changes"] for e in SETTINGS["equivalent"])


def main() -> int:
    """0 if each mutant is noticed or listed as equivalent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE[:LINE,...]")
    parser.add_argument("--jobs", type=int, default=1, help="files at a time")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="a sample: each N-th mutant only")
    arguments = parser.parse_args()
    os.environ |= ENVIRONMENT
    total = Counter[str]()
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for report, counts in pool.map(partial(check, every=arguments.every), arguments.files):
            print(report, flush=True)
            total += counts
    percent = 100 * total["noticed"] / max(total["noticed"] + total["rest"], 1)
    print(f"{total.total()} mutants, {dict(total)}: {percent:.1f} % of those that are not equivalent are noticed")
    return 1 if total["rest"] else 0


if __name__ == "__main__":
    sys.exit(main())
