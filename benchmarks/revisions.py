"""What new values of stored alerts cost: to commit them, to read them, and to readers of a store that has none.

Run ``python benchmarks/revisions.py`` (synthetic alerts in a temporary folder, some two minutes). CPU time of this
process, the best of several repeats; a store with and without revisions is compared in one run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redpoll.store import Revision, Store, open_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_revisions import new_values
from redpoll.testing.store_rows import alert_rows, full_alert
from redpoll.testing.store_suite import add

FIRST, BATCH, REPEATS = 10**15, 1000, 7


def cpu(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """CPU time of the fastest repeat [ms]."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def fill(store: Store, n_alerts: int) -> None:
    """Commit alerts in batches."""
    store.runs.start("fill")
    for start in range(0, n_alerts, BATCH):
        add(store, store_batch(BATCH, start=start, objects=n_alerts // 5, points=3, cutout_bytes=50))


def revise(store: Store, n_alerts: int) -> tuple[float, float]:
    """Give every alert new values of four columns; returns the CPU time of writing and of committing [ms a batch]."""
    store.revisions.start("job", "benchmark")
    spent = [0.0, 0.0]
    for start in range(0, n_alerts, BATCH):
        ids = [FIRST + i for i in range(start, start + BATCH)]
        assigned = [{"name": "sn_ia", "probability": 0.5, "by": "synthetic@2"}]
        columns = {
            "p_synthetic": [i % 7 / 7 for i in ids],
            "feature_archived": [1.0] * BATCH,
            "classes": [assigned] * BATCH,
        }
        values = new_values(ids, columns | {"pass_rising": [i % 2 > 0 for i in ids]})
        begun = time.process_time()
        name = store.revisions.write(values, values)
        written = time.process_time()
        store.revisions.commit(Revision(name, "job", str(start)))
        spent[0] += written - begun
        spent[1] += time.process_time() - written
    return 1e3 * spent[0] * BATCH / n_alerts, 1e3 * spent[1] * BATCH / n_alerts


def ask(url: str) -> dict[str, float]:
    """CPU time of some questions [ms]."""
    with open_store(url) as store:
        archived = ["alert_id", "p_synthetic", "feature_archived"]
        return {
            "newest 100, indexed columns": cpu(lambda: alert_rows(store, limit=100), 50),
            "newest 1,000, an archived column": cpu(lambda: alert_rows(store, archived, limit=1000)),
            "all, an archived column": cpu(lambda: alert_rows(store, archived), 3),
            "one full alert": cpu(lambda: full_alert(store, FIRST + 3, "ztf"), 50),
        }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=20_000)
    n_alerts = parser.parse_args().alerts
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "store", mode="write") as store:
        fill(store, n_alerts)
        answers = {"no revisions": ask(store.url)}
        written, committed = revise(store, n_alerts)
        answers["all alerts revised"] = ask(store.url)
        compacting = cpu(store.maintenance.compact, 1)
        answers["compacted"] = ask(store.url)
    print(f"{n_alerts} alerts; a revision of {BATCH}: {written:.1f} ms to write, {committed:.1f} ms to commit")
    print(f"compaction: {compacting:.0f} ms")
    for question in answers["no revisions"]:
        print(f"{question:34}", *(f"{name}: {times[question]:8.2f} ms" for name, times in answers.items()), sep="  ")


if __name__ == "__main__":
    main()
