"""What stored histories buy: recall of four rules on two years of simulated ZTF alerts, with and without them.

    python benchmarks/two_years.py [--alerts 20000] [--seed 91] [--only CLASS]

Objects seen by ZTF for two years, in simulated packets that hold 30 days. Every alert goes night after night through
the stage `history`, and its news into a store. Of each object up to `--per-object` alerts, spread over the time from
day `--since` on (by default the second year), are judged twice: by their packet alone, and by the joined light curve.
Intervals are 95 % Clopper-Pearson, of alerts taken as independent, which those of one object are not. Nothing was tuned
on the seeds 91 and later.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
from populations.simulated import nights
from populations.tally import RULES, Answers, answers, interval

from redpoll.history.stage import NEWS, HistoryStage
from redpoll.learn.replay import Labelled
from redpoll.schema.rows import take_rows
from redpoll.store import database, histories
from redpoll.store.objects import KEY_BITS
from redpoll.testing.histories import add_objects

START, NIGHTS = 60939.0, 730
MIX = {
    "rr_lyrae": 0.14, "eclipsing_binary": 0.09, "long_period_variable": 0.12, "agn": 0.21, "microlensing": 0.11,
    "dipper": 0.12, "cataclysmic_variable": 0.05, "sn_ia": 0.05, "sn_ii": 0.03, "tde": 0.04, "bogus": 0.04,
}  # fmt: skip
SHOWN = ("is_periodic", "is_agn_candidate", "is_dipper", "is_microlensing_candidate")
MEANT = {flag: RULES[flag][0] for flag in SHOWN}


def main() -> None:
    """Print the table of recall."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {os.cpu_count()} CPUs\n")
    mix = {options.only: 1.0} if options.only else MIX
    simulated = list(nights("ztf", options.alerts, options.seed, NIGHTS, mix))
    judged: list[tuple[Labelled, Labelled]] = []
    with tempfile.TemporaryDirectory() as folder:
        index = Index(Path(folder))
        index.stage.join(simulated[0][0])  # compiles
        index.seconds["join"] = 0.0
        n_alerts = _through(index, simulated, options, judged)
    alone, joined = (answers(part) for part in zip(*judged, strict=True))
    points = {
        name: np.concatenate([pair[i][0]["n_points"] for pair in judged]) for i, name in enumerate(("alone", "joined"))
    }
    _print_classes(alone, joined)
    packet, both = (np.median(points[name]) for name in ("alone", "joined"))
    print(f"\npoints of a light curve, median: packet {packet:.0f}, joined {both:.0f}")
    print("CPU time an alert: " + ", ".join(f"{k} {1e6 * v / n_alerts:.0f} us" for k, v in index.seconds.items()))


class Index:
    """The part of a store that histories need, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.connection = database.create(folder / "index.sqlite")
        self.connection.execute("PRAGMA synchronous = OFF")
        self.keys: dict[str, int] = {}
        self.n_alerts: Counter[int] = Counter()
        self.seconds = {"join": 0.0, "add": 0.0}
        self.stage = HistoryStage(histories.Histories(lambda sql, p: self.connection.execute(sql, p).fetchall()))

    def through(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch joined, and its news stored."""
        start = time.process_time()
        joined = self.stage.join(batch)
        self.seconds["join"] += time.process_time() - start
        keys = [self.alert_key(name) for name in joined["object_id"].to_pylist()]
        start = time.process_time()
        self.connection.execute("BEGIN")
        histories.add(self.connection, keys, joined[NEWS].to_pylist())
        self.connection.execute("COMMIT")
        self.seconds["add"] += time.process_time() - start
        return joined.drop_columns([NEWS])

    def alert_key(self, name: str) -> int:
        """Key of a new alert of an object."""
        key = self.key(name)
        self.n_alerts[key] += 1
        return (key << KEY_BITS) + self.n_alerts[key]

    def key(self, name: str) -> int:
        """Key of an object, made if it is new."""
        if name not in self.keys:
            self.keys[name] = len(self.keys) + 1
            add_objects(self.connection, [(self.keys[name], name)])
        return self.keys[name]


def _through(
    index: Index, parts: list[Labelled], options: argparse.Namespace, judged: list[tuple[Labelled, Labelled]]
) -> int:
    """Every alert night after night; those to be judged go to `judged`, by their packet and joined."""
    batch = pa.concat_batches([p[0] for p in parts])
    kind, unit = (np.concatenate([p[i] for p in parts]) for i in (1, 2))
    night, mjd = batch["night"].to_numpy(), batch["mjd"].to_numpy()
    chosen = _chosen(unit, mjd, options.per_object, options.since)
    for one in np.unique(night):
        rows = np.flatnonzero(night == one)
        before = take_rows(batch, rows)
        after = index.through(before)
        if (keep := np.flatnonzero(chosen[rows])).size:
            who = rows[keep]
            pair = (take_rows(b, keep) for b in (before, after))
            judged.append(tuple((b, kind[who], unit[who]) for b in pair))
    return batch.num_rows


def _chosen(unit: np.ndarray, mjd: np.ndarray, per_object: int, since: float) -> np.ndarray:
    """Alerts from a day on, at most `per_object` of each object, spread over it."""
    chosen = np.zeros(len(unit), bool)
    late = np.flatnonzero(mjd > START + since)
    for name in np.unique(unit[late]):
        mine = late[unit[late] == name]
        mine = mine[np.argsort(mjd[mine])]
        chosen[mine[np.unique(np.linspace(0, len(mine) - 1, per_object).round().astype(int))]] = True
    return chosen


def _print_classes(alone: Answers, joined: Answers) -> None:
    kinds, counts = np.unique(alone.kind, return_counts=True)
    census = (f"{k} {n} of {len(set(alone.unit[alone.kind == k]))}" for k, n in zip(kinds, counts, strict=True))
    print(f"{len(alone)} alerts judged (alerts of objects: {', '.join(census)})\n")
    print("| rule | | packet alone | with the stored history |\n|---|---|---|---|")
    for flag in SHOWN:
        meant = np.isin(alone.kind, MEANT[flag])
        for what, rows in (("alerts found", meant), ("wrong of others", ~meant)):
            cells = [_cell(int(a.is_selected[flag][rows].sum()), int(rows.sum())) for a in (alone, joined)]
            print(f"| `{flag}` | {what} | {' | '.join(cells)} |")
        wrong = joined.kind[~meant & joined.is_selected[flag]]
        names = (f"{name} {n}" for name, n in zip(*np.unique(wrong, return_counts=True), strict=True))
        print(f"| `{flag}` | wrong of which | | {', '.join(names)} |")
        cells = [_objects(a, flag, meant) for a in (alone, joined)]
        print(f"| `{flag}` | objects found | {' | '.join(cells)} |")


def _objects(a: Answers, flag: str, meant: np.ndarray) -> str:
    return _cell(len(set(a.unit[meant & a.is_selected[flag]])), len(set(a.unit[meant])))


def _cell(k: int, n: int) -> str:
    return f"{k}/{n} = {100 * k / n:.1f} % [{interval(k, n)}]" if n else "-"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=91)
    parser.add_argument("--only", choices=tuple(MIX), help="simulate this class alone")
    parser.add_argument("--since", type=float, default=NIGHTS / 2, help="first day on which alerts are judged")
    parser.add_argument("--per-object", type=int, default=8)
    return parser.parse_args()


if __name__ == "__main__":
    main()
