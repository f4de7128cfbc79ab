"""A scan of a store larger than the memory it may use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from redpoll.store import open_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite import add

_BOUND_MB = 256
_N, _CUTOUT_BYTES = 2_000, 80_000  # 480 MB of cutouts
_SCAN = """
import resource, sys
import pyarrow as pa
from redpoll.store import Selection, open_store

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

with open_store(sys.argv[1]) as store:
    names = ["alert_id", "light_curve", "cutout_science", "cutout_template", "cutout_difference", "packet"]
    list(store.alerts.scan(names, limit=1))
    before, rows, size = peak(), 0, 0
    for batch in store.alerts.scan(names, Selection(where="feature_archived >= 0"), order_by=sys.argv[2]):
        rows, size = rows + batch.num_rows, size + batch.nbytes
    print(rows, size / 2**20, peak() - before)
"""


@pytest.mark.parametrize("compacted", [False, True])
def test_a_scan_larger_than_its_memory_stays_within_256_mb(tmp_path: Path, compacted: bool) -> None:
    folder = tmp_path / "store"
    with open_store(folder, mode="write") as store:
        store.runs.start("test")
        for start in range(0, _N, 500):
            add(store, store_batch(500, start=start, cutout_bytes=_CUTOUT_BYTES, points=20))
        if compacted:
            store.maintenance.compact()
    for order in ("newest", "hpx29"):
        done = subprocess.run(
            [sys.executable, "-c", _SCAN, str(folder), order], capture_output=True, text=True, check=True, timeout=300
        )
        rows, size_mb, grown_mb = map(float, done.stdout.split())
        assert rows == _N
        assert size_mb > 1.5 * _BOUND_MB
        assert grown_mb < _BOUND_MB
