"""How fast a full store answers and takes alerts: simulated sky, the store's own code and schema.

Run ``python benchmarks/store.py`` for the full size (5 M alerts of 1 M objects, some 15 minutes, 9 GB in a temporary
folder) or with ``--alerts 200000 --objects 40000`` for a quick look. The index is filled by the code that commits use,
with syncing off and without archive files; queries are then timed while another process archives and commits at full
speed. Figures are of a warm store, on this machine with whatever else it was doing: the last two columns leave out the
time that a query was ready to run but other processes had the cores.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from redpoll.astro.sky import hpx29
from redpoll.history.stage import open_history
from redpoll.schema.alert import CUTOUTS, alert_schema
from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN, CLASSES_TYPE
from redpoll.schema.column import Column
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.taxonomy import taxonomy
from redpoll.store import Commit, Cone, Store, columns, indexed_columns, open_store
from redpoll.store.database import open_writer, transaction
from redpoll.store.insert import insert_alerts, key
from redpoll.testing.store_rows import alert_rows, classification_rows, object_row

NIGHTS, BATCH, SEED = 200, 1000, 20201
TOPICS = {"common": 0.2, "variable": 0.05, "sso": 0.05, "rising": 0.01, "young": 0.002, "kilonova": 0.0002}
CLASS_NAMES = [*taxonomy().descendants("variable_star")[:17], "sn_ia", "qso", "tde"]
MAKERS = ["vsx@2026", "simbad@2026", "variables@1", "transients@3"]
ASKED = {"class": ["qso", "sn_ia", "rr_lyrae_ab"], "class with kinds": ["variable_star", "pulsating_star", "real"]}
MODULES = {f"p_made_{i}": Column("float32", aggregate="max" if i < 3 else None) for i in range(12)}
MODULES |= {f"feature_{i}": Column("float32", indexed=False) for i in range(52)}


class Sky:
    """Objects with positions and alerts: 60 % of objects have one alert, few have hundreds; the plane is crowded."""

    def __init__(self, n_alerts: int, n_objects: int) -> None:
        rng = np.random.default_rng(SEED)
        self.ra = rng.uniform(0, 360, n_objects)
        self.dec = np.degrees(np.arcsin(rng.uniform(-0.5, 1, n_objects)))
        crowded = rng.random(n_objects) < 0.25  # a quarter of the objects in a belt of 10 degrees
        self.dec[crowded] = np.clip(rng.normal(20, 5, crowded.sum()), -30, 90)
        weight = np.minimum(rng.pareto(1.3, n_objects) + 0.2, 400)
        others = rng.choice(n_objects, max(n_alerts - n_objects, 0), p=weight / weight.sum())
        self.object = rng.permutation(np.concatenate([np.arange(n_objects), others])[:n_alerts])
        self.night = np.sort(rng.integers(0, NIGHTS, n_alerts))
        self.rng = rng

    def batch(self, numbers: np.ndarray, *, tonight: bool = False) -> pa.RecordBatch:
        """Indexed columns and topics of some alerts; of their nights, or all of the night after the last."""
        rng, n = self.rng, len(numbers)
        which = self.object[numbers % len(self.object)]
        night = np.full(n, NIGHTS) if tonight else self.night[numbers % len(self.object)]
        ra = self.ra[which] + rng.normal(0, 2e-5, n)
        dec = np.clip(self.dec[which] + rng.normal(0, 2e-5, n), -90, 90)
        dates = [int((dt.date(2020, 1, 1) + dt.timedelta(days=int(d))).strftime("%Y%m%d")) for d in range(NIGHTS + 1)]
        values = {
            "survey": pa.array(["ztf"] * n).dictionary_encode(),
            "alert_id": numbers * 10_007,
            "object_id": pa.array([f"ZTF18{w:07d}" for w in which]),
            "night": np.array(dates, np.int32)[night],
            "mjd": 58849.1 + night + rng.random(n) / 2,
            "ra": ra % 360,
            "dec": dec,
            "hpx29": hpx29(ra % 360, dec),
            "band": pa.array(np.array(["g", "r"])[rng.integers(0, 2, n)]).dictionary_encode(),
            "n_detections": rng.integers(1, 500, n),
            "sso_name": pa.nulls(n, pa.string()),
        }
        fields, arrays = [], []
        for field in [f for f in alert_schema() if columns.is_indexed(f)] + [
            c.field(k, by="m@1") for k, c in MODULES.items()
        ]:
            fields.append(field)
            arrays.append(_array(values.get(field.name), field.type, rng, n))
        fields.append(CLASSES_COLUMN.field(CLASSES, by="taxonomy@1"))
        arrays.append(_topics(which, rng))
        for topic, fraction in TOPICS.items():
            fields.append(pa.field(f"pass_{topic}", pa.bool_(), metadata={"indexed": "0"}))
            arrays.append(pa.array(rng.random(n) < fraction))
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _topics(which: np.ndarray, rng: np.random.Generator) -> pa.ListArray:
    """Two catalogues that always assign the same class to an object, if any, and two modules whose class changes."""
    known = np.stack([which % 3 > 0, which % 7 > 3, *(rng.random((2, len(which))) < 0.4)], axis=1)
    names = np.stack([which % 20, which * 7 % 20, *rng.integers(0, 20, (2, len(which)))], axis=1)[known]
    probability = np.broadcast_to(rng.random((len(which), 4)), known.shape)[known].astype("f4")
    by = np.nonzero(known)[1]
    values = [
        pa.array(CLASS_NAMES).take(pa.array(names)),
        pa.array(probability, mask=by < 2),
        pa.array(MAKERS).take(pa.array(by)),
    ]
    assigned = pa.StructArray.from_arrays(values, fields=list(CLASSES_TYPE.value_type))
    offsets = np.concatenate([[0], np.cumsum(known.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), assigned, type=CLASSES_TYPE)


def _array(value: object, kind: pa.DataType, rng: np.random.Generator, n: int) -> pa.Array:
    if value is not None:
        return (value if isinstance(value, pa.Array) else pa.array(value)).cast(kind)
    return (
        pa.array(rng.random(n) < 0.5) if pa.types.is_boolean(kind) else pa.array(rng.random(n)).cast(kind, safe=False)
    )


def whole_batch(sky: Sky, numbers: np.ndarray) -> pa.RecordBatch:
    """A ZTF-like batch: 102 + 50 packet fields, 18 points of history, three cutouts of 13.4 kB that do not shrink."""
    rng, n = sky.rng, len(numbers)
    batch = sky.batch(numbers)
    points = 18
    curves = LightCurves(
        np.arange(n + 1) * points,
        np.sort(58849 + rng.random(n * points)),
        *(x.astype(t) for x, t in zip(rng.integers(1, 3, (3, n * points)), ("i1", "f4", "f4"), strict=True)),
        rng.integers(0, 4, n * points).astype(np.int8),
    )
    batch = batch.append_column(alert_schema().field("light_curve"), curves.to_arrow())
    for name in CUTOUTS:
        cutouts = pa.array([rng.bytes(13_400) for _ in range(n)], pa.binary_view())
        batch = batch.append_column(alert_schema().field(name), cutouts)
    history = pa.ListArray.from_arrays(pa.array(np.arange(n + 1) * points, pa.int32()), _fields(rng, n * points, 50))
    packet = pa.StructArray.from_arrays([_fields(rng, n, 102), history], names=["candidate", "prv_candidates"])
    return batch.append_column(pa.field("packet", packet.type, metadata={"indexed": "0"}), packet)


def _fields(rng: np.random.Generator, n: int, k: int) -> pa.StructArray:
    columns = [rng.normal(20, 1, n).astype("f4") if i % 3 else rng.integers(0, 1000, n) for i in range(k)]
    return pa.StructArray.from_arrays([pa.array(c) for c in columns], names=[f"field_{i}" for i in range(k)])


def fill(folder: Path, sky: Sky) -> None:
    """Put all alerts into the index, 10,000 in a transaction, as commits do but unsynced and without an archive."""
    open_store(folder, mode="write").close()
    path = folder / "index.sqlite"
    connection = open_writer(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -2000000")
    n, started = len(sky.object), time.perf_counter()
    for i, start in enumerate(range(0, n, 10_000)):
        batch = sky.batch(np.arange(start, min(start + 10_000, n)))
        with transaction(connection, path):
            _insert(connection, batch, i)
        if i % 50 == 0:
            seconds = time.perf_counter() - started
            print(f"  {start + batch.num_rows:>9,} alerts, {seconds:6.1f} s", file=sys.stderr)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _insert(connection: sqlite3.Connection, batch: pa.RecordBatch, segment: int) -> None:
    survey = key(connection, "surveys", "name", "ztf")
    made = key(connection, "provenance", "mapping", columns.provenance(batch.schema))
    columns.register(connection, batch.schema)
    row = (f"ztf-20200101-{segment:016x}", survey, batch.num_rows, made, "")
    sql = "INSERT INTO segments (name, survey, rows, provenance, checksum) VALUES (?, ?, ?, ?, ?)"
    number = connection.execute(sql, row).lastrowid
    insert_alerts(connection, survey, indexed_columns(batch), [number] * batch.num_rows, range(batch.num_rows))


def keep_writing(folder: Path, sky: Sky, seconds: float) -> None:
    """Join histories, archive and commit whole batches until the time is up; prints what each step costs."""
    steps, n = np.zeros(6), 0
    with open_store(folder, mode="write") as store:
        store.runs.start("benchmark")
        history = open_history(folder)
        templates = [whole_batch(sky, np.arange(i * BATCH, (i + 1) * BATCH)) for i in range(4)]
        stop = time.monotonic() + seconds
        while time.monotonic() < stop:
            numbers = sky.rng.integers(0, len(sky.object), BATCH)
            batch = _renewed(templates[n // BATCH % 4], sky.batch(numbers, tonight=True), time.time_ns())
            marks = [_clocks()]
            joined = history.join(batch)
            marks.append(_clocks())
            segment = store.segments.write(joined)
            marks.append(_clocks())
            store.runs.commit(Commit(indexed_columns(joined), segment))
            marks.append(_clocks())
            steps += np.diff(marks, axis=0).ravel()
            n += BATCH
    print(n, *(steps / n * 1e6).round())


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _renewed(template: pa.RecordBatch, fresh: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """The packets and cutouts of one batch with the scalars of another, and identifiers not used before."""
    arrays = {name: fresh[name] if name in fresh.schema.names else template[name] for name in template.schema.names}
    arrays["alert_id"] = pa.array(first + np.arange(BATCH))
    return pa.RecordBatch.from_arrays(list(arrays.values()), schema=template.schema)


def questions(store: Store, sky: Sky, n: int) -> dict[str, list[Callable[[], int]]]:
    """Queries at positions drawn in proportion to alerts, so that crowded ones are asked more; objects both ways."""
    rng = np.random.default_rng(7)
    which = sky.object[rng.integers(0, len(sky.object), n)]
    nights = [
        int((dt.date(2020, 1, 1) + dt.timedelta(days=int(d))).strftime("%Y%m%d")) for d in rng.integers(0, NIGHTS, n)
    ]
    topics = rng.choice(list(TOPICS), n)

    def of(name: str) -> int:
        object_row(store, name)
        return len(alert_rows(store, object_ids=[name]))

    def cone(w: int, radius: float, limit: int | None = None) -> int:
        return len(alert_rows(store, cone=Cone(sky.ra[w], sky.dec[w], radius), limit=limit))

    return {
        "object: summary and all alerts": [lambda w=w: of(f"ZTF18{w:07d}") for w in rng.integers(0, len(sky.ra), n)],
        "same, object of a random alert": [lambda w=w: of(f"ZTF18{w:07d}") for w in which],
        'cone 5" at a random object': [lambda w=w: cone(w, 5.0) for w in rng.integers(0, len(sky.ra), n)],
        'cone 5" at a random alert': [lambda w=w: cone(w, 5.0) for w in which],
        "cone 1 deg": [lambda w=w: cone(w, 3600.0) for w in which[: n // 4]],
        "cone 1 deg, nearest 100": [lambda w=w: cone(w, 3600.0, 100) for w in which[: n // 4]],
        "topic + night, top 100": [
            lambda t=t, d=d: len(alert_rows(store, topic=t, night=d, limit=100))
            for t, d in zip(topics, nights, strict=True)
        ],
        **{
            f"{kind} + night, top 100": [
                lambda c=c, d=d: len(alert_rows(store, class_=c, night=d, limit=100))
                for c, d in zip(rng.choice(asked, n), nights, strict=True)
            ]
            for kind, asked in ASKED.items()
        },
        "class with kinds, top 100": [
            lambda c=c: len(alert_rows(store, class_=c, limit=100)) for c in rng.choice(ASKED["class with kinds"], n)
        ],
        "classes of the object of a random alert": [
            lambda w=w: len(classification_rows(store, f"ZTF18{w:07d}")) for w in which
        ],
        "night, latest 100": [lambda d=d: len(alert_rows(store, night=d, limit=100)) for d in nights],
    }


def timed(calls: list[Callable[[], int]]) -> tuple[np.ndarray, np.ndarray, float]:
    """Milliseconds of each call; of them, those not spent in the queue for a core; the mean number of rows."""
    times, waits, rows = [], [], 0
    for call in calls:
        start, queued = time.perf_counter(), _queued()
        rows += call()
        waits.append((_queued() - queued) * 1e3)
        times.append((time.perf_counter() - start) * 1e3)
    return np.array(times), np.array(times) - np.array(waits), rows / len(calls)


def _queued() -> float:
    """Seconds that this thread was ready but had no core, by Linux's account; 0 elsewhere."""
    account = Path("/proc/thread-self/schedstat")
    return int(account.read_text().split()[1]) / 1e9 if account.exists() else 0.0


def table(folder: Path, sky: Sky, n: int) -> Iterator[str]:
    """Rows of the table of queries."""
    with open_store(folder) as store:
        for name, calls in questions(store, sky, n).items():
            times, served, rows = timed(calls)
            figures = [*np.percentile(times, [50, 95, 99]), *np.percentile(served, [50, 95])]
            yield f"| {name} | {rows:.1f} | {' | '.join(f'{x:.2f}' for x in figures)} |"


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=5_000_000)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the writer runs")
    parser.add_argument("--dir", type=Path, help="where to work; a temporary folder if left out")
    parser.add_argument("--keep", action="store_true", help="use the store in --dir if it is there, and leave it")
    parser.add_argument("--write-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = Path(options.dir or tempfile.mkdtemp(prefix="redpoll-bench-")) / "store"
    sky = Sky(options.alerts, options.objects)
    if options.write_only:
        sky.rng = np.random.default_rng(os.getpid())
        keep_writing(folder, sky, options.seconds)
        return
    started = time.perf_counter()
    if not folder.exists():
        print(f"filling {folder}", file=sys.stderr)
        fill(folder, sky)
        seconds = time.perf_counter() - started
        print(f"filled in {seconds:.0f} s: {seconds / options.alerts * 1e6:.0f} us an alert", file=sys.stderr)
    try:
        report(folder, sky, options)
    finally:
        if not options.keep:
            shutil.rmtree(folder.parent)


def report(folder: Path, sky: Sky, options: argparse.Namespace) -> None:
    """Print machine, data and tables."""
    size = (folder / "index.sqlite").stat().st_size / 1e6
    with (folder / "index.sqlite").open("rb") as index:  # into the page cache: the figures are of a warm store
        while index.read(1 << 24):
            pass
    load = os.getloadavg()[0]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, SQLite {sqlite3.sqlite_version}"
    print(f"\n{dt.date.today()}, {machine}")
    print(f"{options.alerts:,} alerts of {options.objects:,} simulated objects, index {size:,.0f} MB\n")
    head = "| {} | rows | p50 ms | p95 ms | p99 ms | p50 with a core | p95 with a core |\n|---|---|---|---|---|---|---|"
    print(head.format("nobody writes"), *table(folder, sky, options.queries // 4), sep="\n")
    command = [sys.executable, __file__, "--write-only", "--dir", str(folder.parent), f"--seconds={options.seconds}"]
    command += [f"--alerts={options.alerts}", f"--objects={options.objects}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        while writer.poll() is None and "benchmark" not in {run["command"] for run in _runs(folder)}:
            time.sleep(0.2)
        time.sleep(5)
        rows = list(table(folder, sky, options.queries))
        alone = writer.poll() is not None
        print("\n" + head.format("a writer at full speed"), *rows, sep="\n")
        if alone:
            print("(the writer ended before the queries: give it more --seconds)")
        out, _ = writer.communicate()
    n, history, history_cpu, archive, archive_cpu, commit, commit_cpu = (float(x) for x in out.split())
    print(f"\n{n:,.0f} alerts written beside the queries, in batches of {BATCH}, microseconds an alert (of CPU):")
    print(f"history {history:.0f} ({history_cpu:.0f}), archive {archive:.0f} ({archive_cpu:.0f}), ", end="")
    print(f"commit {commit:.0f} ({commit_cpu:.0f})")
    print(f"one process archives and commits {1e6 / (archive + commit):,.0f} alerts/s")


def _runs(folder: Path) -> list[dict[str, object]]:
    with open_store(folder) as store:
        return store.runs.table().to_pylist()


if __name__ == "__main__":
    main()
