"""What stored histories cost.

    python benchmarks/histories.py [--objects 1000000] [--points 300] [--batch 2000] [--folder DIR]

The time to read histories of random objects by the batch, from memory and after the index was dropped from it
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
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from redpoll.schema.light_curve import LightCurves
from redpoll.store import database, histories
from redpoll.store.history_blobs import pack
from redpoll.store.layout import Layout
from redpoll.store.objects import KEY_BITS, MAX_ALERTS_PER_OBJECT
from redpoll.store.pool import ReadPool
from redpoll.testing.histories import add_objects


def main() -> None:
    """Fill an index, read from it, add to it."""
    options = _options()
    print(f"date: {time.strftime('%Y-%m-%d')}; Python {platform.python_version()}, {os.cpu_count()} CPUs\n")
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
    start, most = time.perf_counter(), min(20_000, options.objects)
    packed = pack(*_curves(rng, most, options.points - 6))
    news = [pack(*_curves(rng, most, 3, after=730.0 + i)) for i in range(2)]
    for first in range(0, options.objects, most):
        keys = range(first + 1, min(first + most, options.objects) + 1)
        connection.execute("BEGIN")
        add_objects(connection, ((key, f"ZTF{key - 1:09d}") for key in keys))
        for number, blobs in ((MAX_ALERTS_PER_OBJECT, packed), *enumerate(news)):
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
    disk_pool = ReadPool(Layout(path.parent), histories.DISK_THREADS, mapped=False)
    reader = histories.Histories(pool.execute, disk_pool.execute)
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
    disk_pool.close()


def _drop(path: Path) -> None:
    """Have the kernel forget the pages of a file."""
    os.sync()
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _random_read(path: Path, n: int = 500) -> float:
    """Microseconds for 4 kB at a random offset of a file that is not in memory."""
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
    (wall, cpu), fastest = np.median(us, axis=0), us[:, 0].min()
    print(
        f"{what}: {wall:.1f} us an object, {cpu:.1f} us of processor"
        f" (median of {len(us)} batches of {batch}; fastest {fastest:.1f})"
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
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--batch", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    main()
