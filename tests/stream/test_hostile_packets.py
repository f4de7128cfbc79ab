"""Hostile packets, thousands of them, give a row or a reason: no crash, no hang, no byte read outside the packet.

``REDPOLL_HOSTILE=100000`` sets how many; the default is for every run of the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "schema"))  # for the synthetic packets

from synthetic_packets import simulated

from redpoll.ingest.origin import Origin
from redpoll.ingest.parquet_rows import row_packets

SCRIPT = Path(__file__).with_name("hostile_run.py")
COUNT = int(os.environ.get("REDPOLL_HOSTILE", "5000"))
V7 = "or4_simulated_v7_1.parquet"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The script in a process of its own, whose death is no death of ours."""
    command = [sys.executable, "-X", "faulthandler", str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)


def spoil(tmp_path: Path, packets: list[bytes], count: int) -> dict[str, int]:
    path = tmp_path / "packets.parquet"
    pq.write_table(pa.table({"packet": pa.array(packets, pa.large_binary())}), path)
    done = run("20261123", str(count), str(path))
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout)
    assert sum(counts.values()) == count
    return counts


def test_the_guard_pages_guard():
    assert run("--touch").returncode < 0


@pytest.mark.slow
def test_simulated_packets_spoiled(tmp_path):
    packets = [p for v in ("3.3", "4.02") for p in simulated("ztf", v)[:3]] + list(simulated("rubin", "10.0")[:3])
    counts = spoil(tmp_path, packets, COUNT // 2)
    assert 0.02 < counts["row"] / (COUNT // 2) < 0.9 and len(counts) > 10


@pytest.mark.slow
def test_real_packets_spoiled(tmp_path, data_dir):
    with tarfile.open(data_dir / "ztf" / "ztf_originals.tar.gz") as archive:
        packets = [archive.extractfile(member).read() for member in list(archive)[::8]]
    packets.append((data_dir / "rubin" / "rubin_v9_confluent_framed.avro").read_bytes())
    counts = spoil(tmp_path, packets, COUNT // 2)
    assert 0.02 < counts["row"] / (COUNT // 2) < 0.9 and len(counts) > 10


@pytest.mark.slow
def test_arrow_rows_spoiled(tmp_path, data_dir):
    rows = row_packets(str(data_dir / "rubin" / V7), Origin("v7"))
    packets = [next(rows).data for _ in range(3)]
    counts = spoil(tmp_path, packets, COUNT // 50)
    assert counts["row"] and len(counts) > 3
