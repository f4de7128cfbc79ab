"""The same packets in the same order give the same columns, whatever the blocks, the workers and the crashes.

An alert sees what packets of earlier nights brought that were received before it. The reference of every test is a run
of one packet a block, each committed before the next is begun.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redpoll.config import Config, Cuts, RunConfig
from redpoll.ingest.files import open_sources
from redpoll.pipeline.assemble import night_finder
from redpoll.pipeline.run import run_night
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.plugin.polling import FiniteSource, all_packets
from redpoll.simulate import simulate_night
from redpoll.store import open_store
from redpoll.testing.fakes import FakeStream
from redpoll.testing.histories import CURVE_DIGEST, without_history

COLUMNS = ["alert_id", "object_id", "night", "n_points", "history_days", "curve_digest", "light_curve"]
N = 24
ANY = settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Crash(Exception):
    pass


class Listed(FiniteSource):
    def __init__(self, packets):
        super().__init__("test")
        self._packets = packets

    def _read(self):
        yield from self._packets


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """One module, which sees the joined light curve; no cuts."""
    module = tmp_path_factory.mktemp("module") / "digest.py"
    module.write_text(CURVE_DIGEST)
    off = [tuple(node.name for node in nodes) for nodes in (installed_modules(), installed_filters())]
    config = replace(Config(), plugins=(str(module),), quality=replace(Config().quality, ztf=Cuts(), rubin=Cuts()))
    return replace(
        config, modules=replace(config.modules, off=off[0]), filters=replace(config.filters, off=off[1]),
    )  # fmt: skip


def simulated(factory, survey, n, nights):
    """Simulated packets of a few stars in several nights, without the history that surveys send with them."""
    folder = factory.mktemp(survey)
    simulate_night(folder, survey=survey, n_alerts=n, seed=3, nights=nights, fractions={"rr_lyrae": 1.0})
    received = [packet for source in open_sources([folder]) for packet in all_packets(source)]
    return [replace(packet, data=without_history(packet.data)) for packet in received]


@pytest.fixture(scope="module")
def packets(tmp_path_factory):
    """Packets of the same stars in four nights, one night after the other."""
    found = simulated(tmp_path_factory, "ztf", N, 4)
    assert len(found) >= N - 5
    assert len(set(nights_of(found))) == 4
    return found


@pytest.fixture(scope="module")
def rubin_packets(tmp_path_factory):
    return simulated(tmp_path_factory, "rubin", 24, 3)


def nights_of(packets):
    return [found.night for found in night_finder(Config())([packet.data for packet in packets])]


def run(packets, path, config, *, workers=0, batch_size=7, crash_after=None, sources=None):
    """The bytes of all stored alerts after a run; None if it crashed, after some commits."""
    n_commits = 0

    def on_committed(block, dead_letters):
        nonlocal n_commits
        n_commits += 1
        if n_commits == crash_after:
            raise Crash

    config = replace(config, run=RunConfig(workers=workers, batch_size=batch_size))
    try:
        report = run_night(sources or [Listed(packets)], path, config, on_committed=on_committed)
        assert not report.failures
    except Crash:
        return None  # a worker may have left a segment that does not count
    return stored(path)


def stored(path):
    with open_store(path) as store:
        table = store.alerts.scan(COLUMNS).to_table().sort_by("alert_id").combine_chunks()
        assert store.maintenance.check().ok
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes(), table


@pytest.fixture(scope="module")
def one_by_one(config, tmp_path_factory):
    """The reference, for any order of packets."""
    known = {}

    def found(packets):
        key = tuple(id(packet) for packet in packets)
        if key not in known:
            known[key] = run(packets, tmp_path_factory.mktemp("reference"), config, batch_size=1)
        return known[key]

    return found


def ordered(packets, how, seed):
    """The packets in an order: night after night, so but shuffled within nights, latest night first, or anyhow."""
    rng = random.Random(seed)
    keys = {
        "in order": lambda night: (night, 0),
        "shuffled within nights": lambda night: (night, rng.random()),
        "nights reversed": lambda night: (-night, rng.random()),
        "shuffled": lambda night: (0, rng.random()),
    }
    tagged = [(keys[how](night), n) for n, night in enumerate(nights_of(packets))]
    return [packets[n] for _, n in sorted(tagged)]


ORDERS = ["in order", "shuffled within nights", "nights reversed", "shuffled"]


def test_alerts_of_later_nights_see_earlier_ones_in_one_run(packets, config, one_by_one):
    _, table = one_by_one(packets)
    assert len(set(table["night"].to_pylist())) == 4
    own = [len(curve) for curve in table["light_curve"].to_pylist()]
    first = min(table["night"].to_pylist())
    more = [n > k for n, k in zip(table["n_points"].to_pylist(), own, strict=True)]
    assert sum(more) > 5
    assert not any(m for m, night in zip(more, table["night"].to_pylist(), strict=True) if night == first)


@pytest.mark.parametrize("how", ORDERS)
def test_the_columns_do_not_depend_on_workers(how, packets, config, one_by_one, tmp_path):
    some = ordered(packets, how, 1)
    assert run(some, tmp_path, config, workers=2, batch_size=5)[0] == one_by_one(some)[0]


@ANY
@given(how=st.sampled_from(ORDERS), batch_size=st.integers(2, N + 1))
def test_the_columns_do_not_depend_on_blocks(how, batch_size, packets, config, one_by_one, tmp_path_factory):
    some = ordered(packets, how, 1)
    found = run(some, tmp_path_factory.mktemp("blocks"), config, batch_size=batch_size)
    assert found[0] == one_by_one(some)[0]


@ANY
@given(how=st.sampled_from(ORDERS), crash=st.integers(1, 9), sizes=st.tuples(st.integers(4, 30), st.integers(1, 30)))
def test_a_run_after_a_crash_gives_the_same_columns(how, crash, sizes, packets, config, one_by_one, tmp_path_factory):
    some, path = ordered(packets, how, 1), tmp_path_factory.mktemp("crash")
    run(some, path, config, batch_size=sizes[0], crash_after=crash)
    assert run(some, path, config, batch_size=sizes[1])[0] == one_by_one(some)[0]


@pytest.mark.parametrize("crash", [1, 3])
def test_a_crash_with_workers_gives_the_same_columns(crash, packets, config, one_by_one, tmp_path):
    some = ordered(packets, "shuffled within nights", 1)
    run(some, tmp_path, config, workers=2, batch_size=6, crash_after=crash)
    assert run(some, tmp_path, config, workers=2, batch_size=9)[0] == one_by_one(some)[0]


def test_a_stream_that_comes_a_packet_at_a_time_gives_the_same_columns(packets, config, one_by_one, tmp_path):
    done = []

    def all_read(timeout):
        done.append(timeout)
        raise KeyboardInterrupt

    stream = FakeStream(lambda n: packets[n].data, n_available=len(packets), per_poll=3, wait=all_read)
    with pytest.raises(KeyboardInterrupt):
        run_night([stream], tmp_path, replace(config, run=RunConfig(workers=0, batch_size=1)))
    assert stored(tmp_path)[0] == one_by_one(packets)[0]


def test_surveys_that_take_turns_do_not_disturb_each_other(packets, rubin_packets, config, one_by_one, tmp_path):
    both = [p for pair in zip(packets, rubin_packets, strict=False) for p in pair] + packets[len(rubin_packets) :]
    assert run(both, tmp_path, config, workers=2, batch_size=8)[0] == one_by_one(both)[0]
