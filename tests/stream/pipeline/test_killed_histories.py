"""kill -9 during runs over several nights: histories and columns are then those of an undisturbed run and of a rebuild.

``REDPOLL_KILLS`` says how many times the run is killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pytest

from redpoll.ingest.files import open_sources
from redpoll.plugin.polling import all_packets
from redpoll.simulate import simulate_night
from redpoll.store import open_store, rebuild_store
from redpoll.testing.histories import CURVE_DIGEST, without_history
from redpoll.testing.kills import run_and_kill

KILLS = int(os.environ.get("REDPOLL_KILLS", "4"))
CONFIG = """
plugins = ["digest.py"]
[quality.ztf]
min_real_bogus = "off"
"""


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """A file of packets of the same stars in several nights, in order, without the history that ZTF sends with them."""
    simulated, folder = tmp_path_factory.mktemp("simulated"), tmp_path_factory.mktemp("nights")
    simulate_night(simulated, survey="ztf", n_alerts=100, seed=5, nights=4, fractions={"rr_lyrae": 1.0})
    packets = [packet for source in open_sources([simulated]) for packet in all_packets(source)]
    for number, packet in enumerate(packets):
        (folder / f"{number:04d}.avro").write_bytes(without_history(packet.data))
    return folder


def command(nights, store, workers):
    (store.parent / "digest.py").write_text(CURVE_DIGEST)
    config = store.parent / "run.toml"
    config.write_text(CONFIG)
    verbs = ["run", str(nights), "--store", str(store), "--batch-size", "9", "--workers", str(workers),
             "--config", str(config)]  # fmt: skip
    return [sys.executable, "-m", "redpoll", *verbs]


def run_to_the_end(nights, store, workers):
    subprocess.run(command(nights, store, workers), check=True, capture_output=True)


def columns(path):
    """The Arrow IPC bytes of all indexed columns, the light curve and the packet of every alert."""
    with open_store(path) as store:
        names = store.alerts.scan(limit=1).to_table().column_names
        table = store.alerts.scan([*names, "light_curve", "packet"]).to_table()
        assert store.maintenance.check().problems == ()
    table = table.sort_by("alert_id").combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes(), table


def histories(path, table):
    """Bytes of the stored light curve of every object, as it was known at several times."""
    names = sorted(set(table["object_id"].to_pylist()))
    ends = np.quantile(table["mjd"].to_numpy(), [0.3, 0.6, 0.9]).tolist()
    found = []
    with open_store(path) as store:
        for end in [*ends, np.inf]:
            curves = store.histories.read("ztf", names, np.full(len(names), end))
            values = (curves.offsets, curves.mjd, curves.band, curves.flux, curves.flux_err, curves.kind)
            found.append([value.tobytes() for value in values])
    return found


@pytest.fixture(scope="module")
def clean(nights, tmp_path_factory):
    """An undisturbed run: its columns and histories, and the seconds it takes."""
    store = tmp_path_factory.mktemp("clean") / "store"
    start = time.monotonic()
    run_to_the_end(nights, store, 0)
    seconds = time.monotonic() - start
    written, table = columns(store)
    return written, histories(store, table), table, seconds


def test_the_nights_of_this_test_build_on_each_other(clean):
    _, found, table, _ = clean
    assert len(set(table["night"].to_pylist())) > 2
    own = np.array([len(curve) for curve in table["light_curve"].to_pylist()])
    assert (table["n_points"].to_numpy() > own).mean() > 0.3
    assert len({repr(part) for part in found}) == len(found)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_histories_and_columns_after_kills_are_those_of_an_undisturbed_run(workers, nights, clean, tmp_path):
    written, found, table, seconds = clean
    store = tmp_path / "store"
    run_and_kill(command(nights, store, workers), KILLS, (0.4 * seconds, 1.0 * seconds), seed=workers)
    run_to_the_end(nights, store, workers)
    assert columns(store)[0] == written
    assert histories(store, table) == found
    rebuild_store(store)
    assert histories(store, table) == found
    assert columns(store)[0] == written
