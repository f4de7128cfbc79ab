"""Redpoll's modules beside Fink's own, on the same real ZTF alerts, in one run.

    python benchmarks/fink_speed.py [--rounds 3] [--environment FOLDER] [--python PYTHON]

Fink's packages (`benchmarks/fink/requirements.txt`) are installed once into an environment of their own, by default
~/.cache/redpoll-fink. Its modules are called as functions on pandas Series, without Spark, in a process of their own;
Redpoll's start from Arrow and end in Arrow. The two take turns, module by module and round by round; CPU time of the
one process, the fastest round, after one that is not counted. Where the packages cannot be installed, the reason is
printed and nothing is measured.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from chain import with_catalogs
from decode import processor
from fink.counterparts import Alerts, Job
from fink.environment import NoEnvironment, default_folder, interpreter
from fink.packets import DATA, ZTF

from redpoll.config import Config
from redpoll.testing.real_data import build_catalogues

PAIRS = {
    "n_points": "nalerthist / count_of_each",
    "roid": "asteroids / roid",
    "statistics": "ad_features / light_curve_statistics",
    "rate": "fast_transient_rate / rise_rate",
    "blazars": "standardized_flux, blazar_low_state / blazar_state",
    "catalogues": "xmatch / crossmatch, five catalogues",
    "catalogues_large": "the same, more positions in the batch",
    "label": "fink_filters classification / fink_class",
    "hostless": "hostless_detection / hostless, candidates",
}
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Fink:
    """Fink's side: a process that runs a module when its name is sent."""

    def __init__(self, python: Path, task: dict[str, Any]) -> None:
        script = Path(__file__).parent / "fink" / "modules.py"
        self._process = subprocess.Popen(
            [python, "-I", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env={**os.environ, **THREADS},
        )  # fmt: skip
        self.about = self._answer(json.dumps(task))

    def run(self, name: str) -> dict[str, Any]:
        """Seconds and number of answers of one round, or the error."""
        return self._answer(name)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()

    def _answer(self, line: str) -> dict[str, Any]:
        print(line, file=self._process.stdin, flush=True)
        if not (answer := self._process.stdout.readline()):
            raise RuntimeError(f"Fink's process ended with code {self._process.wait()}")
        return json.loads(answer)


def main() -> None:
    """Print the table."""
    options = _options()
    if not any((DATA / "ztf" / name).is_file() for name in ZTF):
        sys.exit(print(f"no real ZTF alerts in {DATA}: nothing measured"))
    try:
        python = interpreter(options.environment, options.python)
    except NoEnvironment as why:
        sys.exit(print(f"Fink's modules cannot be installed here: nothing measured ({why})"))
    with tempfile.TemporaryDirectory() as folder:
        build_catalogues(DATA, Path(folder))
        alerts = Alerts(with_catalogs(Config(), Path(folder)), options.cutouts, options.positions)
        fink = Fink(python, alerts.task())
        _heading(fink.about["versions"])
        _table(fink, alerts, options.rounds)
        _absent(fink.about)
        fink.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cutouts", type=int, default=60, help="alerts whose cutouts are tested")
    parser.add_argument("--positions", type=int, default=20_000, help="positions of the larger cross-match")
    parser.add_argument("--environment", type=Path, default=default_folder(), help="folder of Fink's environment")
    parser.add_argument("--python", help="Python 3.9 or 3.10 to make it with")
    return parser.parse_known_args()[0]


def _heading(versions: dict[str, str]) -> None:
    print(f"{dt.date.today()}, {processor()}, load "
          f"{os.getloadavg()[0]:.1f}; CPU time of one process each, fastest round")  # fmt: skip
    print("Fink:    " + ", ".join(f"{name} {number}" for name, number in versions.items()))
    ours = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "pyarrow"))
    print(f"Redpoll: {version('redpoll')}, Python {platform.python_version()}, {ours}\n")


def _table(fink: Fink, alerts: Alerts, rounds: int) -> None:
    sizes = {"hostless": alerts.cutouts.num_rows, "catalogues_large": alerts.positions.num_rows}
    print(f"{'':<56}{'us an alert':>22}{'':>9}{'answers':>16}")
    print(f"{'Fink / Redpoll':<50}{'alerts':>6}{'Fink':>10}{'Redpoll':>12}{'ratio':>9}{'Fink':>8}{'Redpoll':>8}")
    for name, job in alerts.jobs().items():
        if why := fink.about["failed"].get(name):
            print(f"{PAIRS[name]:<50}does not run: {why}")
            continue
        n = sizes.get(name, alerts.batch.num_rows)
        theirs, ours = _in_turns(fink, name, job, rounds)
        if "error" in theirs:
            print(f"{PAIRS[name]:<50}does not run: {theirs['error']}")
            continue
        a, b = (1e6 * side["seconds"] / n for side in (theirs, ours))
        print(f"{PAIRS[name]:<50}{n:>6,}{a:>10,.1f}{b:>12,.2f}{a / b:>9,.0f}{theirs['answers']:>8}{ours['answers']:>8}")


def _in_turns(fink: Fink, name: str, job: Job, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fastest of the rounds of each side; the first is not counted."""
    best: list[dict[str, Any]] = [{"seconds": math.inf}, {"seconds": math.inf}]
    for number in range(rounds + 1):
        both = fink.run(name), _own(job)
        if "error" in both[0]:
            return both
        if number:
            best = [min(pair, key=lambda side: side["seconds"]) for pair in zip(best, both, strict=True)]
    return best[0], best[1]


def _own(job: Job) -> dict[str, Any]:
    run, count = job
    start = time.process_time()
    found = run()
    return {"seconds": time.process_time() - start, "answers": count(found)}


def _absent(about: dict[str, Any]) -> None:
    print("\nmodules of the package that cannot be imported:")
    for name, why in about["absent"].items():
        print(f"  {name:<22}{why}")


if __name__ == "__main__":
    main()
