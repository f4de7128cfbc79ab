"""What stored histories buy, and what they cost.

    python benchmarks/histories.py classes [--alerts 20000] [--seed 91] [--dippers 400] [--only CLASS]
    python benchmarks/histories.py store [--objects 1000000] [--points 300] [--batch 2000] [--folder DIR]

`classes`: objects seen by ZTF for two years, in simulated packets that hold 30 days, and stars that dim once, replayed
as such packets. Every alert goes night after night through the stage `history`, and its news into a store. Of each
object up to `--per-object` alerts, spread over the time from day `--since` on (by default the second year), are judged
twice: by their packet alone, and by the joined light curve. Intervals are 95 % Clopper-Pearson, of alerts taken as
independent, which those of one object are not. Nothing was tuned on the seeds 91 and later.

`store`: the time to read histories of random objects by the batch, from memory and after the index was dropped from it
(`posix_fadvise`), and the time to add what alerts bring. Yardsticks of the same run: the query alone (by one thread),
copying as many bytes, and one random read of the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from populations.dippers import dippers
from populations.replay import replayed
from populations.simulated import Labelled, nights
from populations.tally import RULES, Answers, answers, interval

from redpoll.history.stage import NEWS, HistoryStage
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.rows import take_rows
from redpoll.store import database, histories
from redpoll.store.history_blobs import pack
from redpoll.store.layout import Layout
from redpoll.store.objects import KEY_BITS, MOST_ALERTS
from redpoll.store.pool import POOL_SIZE, ReadPool

START, NIGHTS = 60939.0, 730
MIX = {
    "rr_lyrae": 0.15, "eclipsing_binary": 0.1, "long_period_variable": 0.15, "agn": 0.25, "microlensing": 0.12,
    "cataclysmic_variable": 0.06, "sn_ia": 0.06, "sn_ii": 0.03, "tde": 0.04, "bogus": 0.04,
}  # fmt: skip
SHOWN = ("is_periodic", "is_agn_candidate", "is_dipper", "is_microlensing_candidate")
MEANT = {flag: RULES[flag][0] for flag in SHOWN} | {"is_dipper": ("dipper",)}
_COLUMNS = "_survey, object_id, ra, dec, hpx29, first_mjd, last_mjd, _last_alert, n_alerts"


def main() -> None:
    """Run the benchmark that is asked for."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {os.cpu_count()} CPUs\n")
    if options.what == "classes":
        _classes(options)
    else:
        _store(options)


class Index:
    """The part of a store that histories need, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.connection = database.create(folder / "index.sqlite")
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.execute("INSERT INTO surveys VALUES (1, 'ztf')")
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
            sql = f"INSERT INTO objects (_id, {_COLUMNS}) VALUES (?, 1, ?, 0, 0, 0, 0, 0, 0, 0)"
            self.connection.execute(sql, (self.keys[name], name))
        return self.keys[name]


def _classes(options: argparse.Namespace) -> None:
    mix = {options.only: 1.0} if options.only else MIX
    simulated = list(nights("ztf", options.alerts, options.seed, NIGHTS, mix))
    faded = list(replayed(dippers(options.dippers, options.seed), "ztf", 30.0, 400))
    judged: list[tuple[Labelled, Labelled]] = []
    with tempfile.TemporaryDirectory() as folder:
        index = Index(Path(folder))
        index.stage.join(simulated[0][0])  # compiles
        index.seconds["join"] = 0.0
        n_alerts = sum(_through(index, part, options, judged) for part in (simulated, faded))
    alone, joined = (answers(part) for part in zip(*judged, strict=True))
    points = {
        name: np.concatenate([pair[i][0]["n_points"] for pair in judged]) for i, name in enumerate(("alone", "joined"))
    }
    _print_classes(alone, joined)
    packet, both = (np.median(points[name]) for name in ("alone", "joined"))
    print(f"\npoints of a light curve, median: packet {packet:.0f}, joined {both:.0f}")
    print("CPU time an alert: " + ", ".join(f"{k} {1e6 * v / n_alerts:.0f} us" for k, v in index.seconds.items()))


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


def _store(options: argparse.Namespace) -> None:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "index.sqlite"
        _fill(path, options, rng)
        print(f"{options.objects} objects of {options.points} points: index {path.stat().st_size / 1e9:.2f} GB")
        names = [[f"ZTF{i:09d}" for i in rng.integers(0, options.objects, options.batch)] for _ in range(40)]
        _read_all(path, names, options)
        _add_all(path, rng, options)


def _fill(path: Path, options: argparse.Namespace, rng: np.random.Generator) -> None:
    """An index in which every object has one packed history and two rows of news; the points repeat every 20,000."""
    connection = database.create(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("INSERT INTO surveys VALUES (1, 'ztf')")
    start, most = time.perf_counter(), min(20_000, options.objects)
    packed = pack(*_curves(rng, most, options.points - 6))
    news = [pack(*_curves(rng, most, 3, after=730.0 + i)) for i in range(2)]
    for first in range(0, options.objects, most):
        keys = range(first + 1, min(first + most, options.objects) + 1)
        connection.execute("BEGIN")
        sql = f"INSERT INTO objects (_id, {_COLUMNS}) VALUES (?, 1, ?, 0, 0, 0, 0, 0, 0, 0)"
        connection.executemany(sql, ((key, f"ZTF{key - 1:09d}") for key in keys))
        for number, blobs in ((MOST_ALERTS, packed), *enumerate(news)):
            rows = (((key << KEY_BITS) + number, data) for key, data in zip(keys, blobs, strict=False))
            connection.executemany("INSERT INTO histories VALUES (?, ?)", rows)
        connection.execute("COMMIT")
    database.close_writer(connection)
    print(f"filled in {time.perf_counter() - start:.0f} s")


def _curves(rng: np.random.Generator, n: int, points: int, after: float = 0.0) -> tuple[LightCurves, np.ndarray]:
    """Points of n objects, brought by a packet every ten points."""
    mjd = 60000 + after + np.sort(rng.uniform(0, 730.0 if not after else 0.2, (n, points)), axis=1)
    known = np.repeat(np.ceil(mjd[:, 9::10]), 10, axis=1) if points > 10 else np.ceil(mjd[:, -1:])
    known = np.broadcast_to(np.pad(known, ((0, 0), (0, max(0, points - known.shape[1]))), "edge"), mjd.shape)
    total = n * points
    band, kind = rng.integers(1, 3, total).astype(np.int8), rng.integers(0, 3, total).astype(np.int8)
    flux, err = rng.normal(1e4, 1e3, total).astype(np.float32), np.full(total, 500, np.float32)
    return LightCurves(np.arange(n + 1) * points, mjd.ravel(), band, flux, err, kind), known.ravel()


def _read_all(path: Path, names: list[list[str]], options: argparse.Namespace) -> None:
    pool = ReadPool(Layout(path.parent))
    reader = histories.Histories(pool.execute, POOL_SIZE)
    before = np.full(options.batch, np.inf)
    reader.read("ztf", names[0], before)
    sql, wanted = histories._OBJECTS + histories._BLOBS, [json.dumps(list(dict.fromkeys(b))) for b in names]

    def report(what: str, work: Callable[[int], object], n: int = len(names)) -> None:
        _report(what, [_timed(lambda i=i: work(i)) for i in range(n)], options.batch)

    _drop(path)
    report("cold", lambda i: reader.read("ztf", names[i], before), 5)
    _drop(path)
    report("cold, the query alone", lambda i: pool.execute(sql, (wanted[i], "ztf")), 5)
    print(f"cold, one random read of 4 kB: {_random_read(path):.0f} us")
    for b in names:
        reader.read("ztf", b, before)
    report("warm", lambda i: reader.read("ztf", names[i], before))
    report("warm, the query alone", lambda i: pool.execute(sql, (wanted[i], "ztf")))
    blobs = [os.urandom(18 * options.points) for _ in range(options.batch)]
    report("copying as many bytes twice", lambda i: np.frombuffer(b"".join(blobs), np.uint8).copy())
    pool.close()


def _drop(path: Path) -> None:
    """Have the kernel forget the pages of a file."""
    os.sync()
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _random_read(path: Path, n: int = 500) -> float:
    """Microseconds for 4 kB at a random place of a file of which nothing is in memory."""
    _drop(path)
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        pages = np.random.default_rng(1).integers(0, path.stat().st_size // 4096, n)
        start = time.perf_counter()
        for page in pages.tolist():
            os.pread(file.fileno(), 4096, 4096 * page)
    return 1e6 * (time.perf_counter() - start) / n


def _timed(work) -> tuple[float, float]:
    """Seconds by the clock, and of processor."""
    start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def _report(what: str, seconds: Iterable[tuple[float, float]], batch: int) -> None:
    us = np.array(list(seconds)) / batch * 1e6
    (wall, cpu), least = np.median(us, axis=0), us[:, 0].min()
    print(
        f"{what}: {wall:.1f} us an object, {cpu:.1f} us of processor"
        f" (median of {len(us)} batches of {batch}; fastest {least:.1f})"
    )


def _add_all(path: Path, rng: np.random.Generator, options: argparse.Namespace) -> None:
    """A night: every alert of another object, in batches, each a transaction; then the next night, and so on."""
    connection = database.open_writer(path)
    objects = rng.permutation(options.objects)[: 10 * options.batch] + 1
    seconds, written = [], 0
    for night in range(16):
        for batch in np.split(objects, 10):
            blobs = pack(*_curves(rng, len(batch), 4, after=740.0 + night))
            written += sum(map(len, blobs))
            connection.execute("BEGIN IMMEDIATE")
            keys = ((batch << KEY_BITS) + 10 + night).tolist()
            adding = _timed(lambda k=keys, d=blobs: histories.add(connection, k, d))
            commit = _timed(lambda: connection.execute("COMMIT"))
            seconds.append((adding[0] + commit[0], adding[1] + commit[1]))
    _report("adding, commit and packing together included", seconds, options.batch)
    n = 160 * options.batch
    print(f"mean {1e6 * np.sum(seconds, axis=0)[0] / n:.1f} us, {written / n:.0f} bytes an alert")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("classes", "store"))
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=91)
    parser.add_argument("--only", choices=tuple(MIX), help="simulate this class alone")
    parser.add_argument("--dippers", type=int, default=400)
    parser.add_argument("--since", type=float, default=NIGHTS / 2, help="first day on which alerts are judged")
    parser.add_argument("--per-object", type=int, default=8)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--batch", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
