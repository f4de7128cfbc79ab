"""What the first run compiles: CPU seconds of every kernel from an empty cache, by step.

``python benchmarks/compile.py`` runs all modules over the few simulated alerts that `redpoll.pipeline.warm` compiles
with, in this one process, and prints the kernels in order of cost. A kernel takes what all that it calls for the first
time takes: what it shares with one before it is counted there. ``numpy`` is how much of it goes into numba's own
versions of the functions of numpy and Python.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

_CACHE = tempfile.TemporaryDirectory()
os.environ["NUMBA_CACHE_DIR"] = _CACHE.name

from numba.core import event  # noqa: E402
from numba.core.codegen import CPUCodeLibrary  # noqa: E402

from redpoll.config import Config  # noqa: E402
from redpoll.pipeline.assemble import build_graph  # noqa: E402
from redpoll.pipeline.warm import compile_group, compile_groups, compile_history  # noqa: E402

STEPS = {"nopython_type_inference": "types", "native_lowering": "lowering"}
LLVM = ("add_ir_module", "finalize")


class Clock(event.Listener):
    """CPU seconds within steps, each without the steps within it, by kernel."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.functions: list[Any] = []
        self.steps: list[str] = []
        self.since = 0.0

    def begin(self, step: str) -> None:
        self.count()
        self.steps.append(step)

    def end(self) -> None:
        self.count()
        self.steps.pop()

    def count(self) -> None:
        """Book the time since the last change on the innermost step."""
        now = time.process_time()
        if self.functions:
            of = self.seconds[_name(self.functions[0])]
            of[self.steps[-1]] += now - self.since
            if any(not f.__module__.startswith("redpoll") for f in self.functions):
                of["numpy"] += now - self.since
        self.since = now

    def on_start(self, event: Any) -> None:
        """A function or a pass of the compiler begins."""
        if event.kind == "numba:compile":
            self.begin("other")
            self.functions.append(event.data["dispatcher"].py_func)
        else:
            self.begin(STEPS.get(event.data["name"].split()[0], "other"))

    def on_end(self, event: Any) -> None:
        """It ends."""
        self.end()
        if event.kind == "numba:compile":
            self.functions.pop()

    def watched(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """A method of numba's that counts as LLVM."""

        def wrapped(*args: Any, **options: Any) -> Any:
            self.begin("llvm")
            try:
                return run(*args, **options)
            finally:
                self.end()

        return wrapped


def _name(function: Any) -> str:
    return f"{function.__module__.removeprefix('redpoll.')}.{function.__name__}"


def main() -> None:
    clock, start = Clock(), time.process_time()
    for kind in ("numba:compile", "numba:run_pass"):
        event.register(kind, clock)
    for method in LLVM:
        setattr(CPUCodeLibrary, method, clock.watched(getattr(CPUCodeLibrary, method)))
    for group in compile_groups(build_graph(Config())):
        compile_group(Config(), group, nullcontext())
    compile_history()
    print(f"{'seconds':>8}{'types':>8}{'lowering':>10}{'llvm':>8}{'other':>8}{'numpy':>8}  kernel")
    rows = {name: sum(v for k, v in of.items() if k != "numpy") for name, of in clock.seconds.items()}
    for name, seconds in sorted(rows.items(), key=lambda row: -row[1]):
        types, lowering, llvm, other, numpy = (
            clock.seconds[name][k] for k in ("types", "lowering", "llvm", "other", "numpy")
        )
        print(f"{seconds:8.2f}{types:8.2f}{lowering:10.2f}{llvm:8.2f}{other:8.2f}{numpy:8.2f}  {name}")
    print(
        f"{sum(rows.values()):8.2f}  all kernels; {time.process_time() - start:.2f} s with simulating and running them"
    )


if __name__ == "__main__":
    main()
