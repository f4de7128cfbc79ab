"""One enrichment: a run, a trial and a direct call give the same bits, and results cross machines as plain data."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest

from redpoll.config import parse_config
from redpoll.errors import ConfigError
from redpoll.history.stage import split_news
from redpoll.ingest.block import Block
from redpoll.ingest.files import open_sources
from redpoll.pipeline.assemble import build_graph, open_enrichment, packet_decoder, task_maker
from redpoll.pipeline.block_task import BlockTask
from redpoll.pipeline.run import run_night
from redpoll.pipeline.trial import try_out
from redpoll.plugin.polling import all_packets
from redpoll.schema.light_curve import LightCurves
from redpoll.store import open_store
from redpoll.testing.fakes import FakeSink
from redpoll.testing.store_rows import alert_rows

MINE = """
from redpoll import Column, alert_filter, science_module

@science_module(version="1", outputs={"twice_mag": Column("float64", "mag", "Twice the magnitude.")})
def twice_mag(mag):
    "Twice the magnitude."
    return mag * 2.0

@alert_filter(topic="mine")
def mine(twice_mag):
    "Bright."
    return twice_mag < 37
"""


class KeptSegments:
    """Keeps whole batches in place of an archive."""

    def __init__(self):
        self.batches = []

    def write(self, batch):
        self.batches.append(batch)
        return {"name": f"kept-{len(self.batches)}", "alerts": b""}


def plain(batch):
    """The Arrow IPC bytes of a batch, without views into foreign buffers."""
    out = io.BytesIO()
    with pa.ipc.new_stream(out, batch.schema) as writer:
        writer.write_batch(batch)
    return out.getvalue()


@pytest.fixture(scope="module")
def block(ztf_night):
    return Block.of([packet.data for packet in all_packets(open_sources([ztf_night])[0])][:120])


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "night.toml").write_text('plugins = ["mine.py"]\n[quality.ztf]\nmin_real_bogus = "off"')
    return tmp_path / "mine.py"


def test_a_worker_s_task_and_a_direct_call_give_the_same_bits(block):
    config = parse_config("")
    (batch, _), *_ = packet_decoder(config)(block).batches
    kept = KeptSegments()
    BlockTask(packet_decoder(config), open_enrichment(config), kept)(block)
    archived, news = split_news(kept.batches[0])
    direct = open_enrichment(config)(batch)
    assert plain(archived) == plain(direct.batch) and news.equals(direct.history_news)


class Watching(FakeSink):
    """Keeps the batches that a run gives it to encode."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def encode(self, batch):
        self.batches.append(batch)
        return []


class Recorded:
    """An enrichment whose batches are kept."""

    def __init__(self, enrich, batches):
        self._enrich, self._batches, self.unusable_models = enrich, batches, enrich.unusable_models

    def __call__(self, batch):
        result = self._enrich(batch)
        self._batches.append(result.batch)
        return result


def test_a_run_a_trial_and_a_direct_call_give_bit_equal_columns(ztf_night, mine, tmp_path, monkeypatch):
    config = parse_config(f'plugins = ["{mine}"]\n[run]\nworkers = 0\n[quality.ztf]\nmin_real_bogus = "off"\n'
                          'max_bad_pixels = "off"\nbands = "off"')  # fmt: skip
    sink = Watching()
    run_night(open_sources([ztf_night]), tmp_path / "store", config, sinks=[sink])
    packets = [packet.data for packet in all_packets(open_sources([ztf_night])[0])]
    (batch, _), *_ = packet_decoder(config)(Block.of(packets)).batches
    direct = open_enrichment(config)(batch).batch
    assert [plain(batch) for batch in sink.batches] == [plain(direct)]
    tried = []
    recorded = lambda *a, **k: Recorded(open_enrichment(*a, **k), tried)  # noqa: E731
    monkeypatch.setattr("redpoll.pipeline.trial.open_enrichment", recorded)
    trial = try_out(open_sources([ztf_night]), config, file=mine)
    assert [plain(batch) for batch in tried] == [plain(direct)]
    columns = direct.select(["object_id", "alert_id", "band", "mag", *trial.columns])
    assert trial.columns == ["twice_mag", "pass_mine"] and repr(trial.rows) == repr(columns.to_pylist())
    with open_store(tmp_path / "store") as store:
        stored = {row["alert_id"]: row for row in alert_rows(store, limit=1000)}
    assert {i: (row["twice_mag"], "mine" in row["topics"]) for i, row in stored.items()} == {
        row["alert_id"]: (row["twice_mag"], row["pass_mine"]) for row in trial.rows
    }


def test_without_a_store_the_packet_fills_what_the_history_stage_makes(block):
    (batch, _), *_ = packet_decoder(parse_config(""))(block).batches
    found = open_enrichment(parse_config(""))(batch).batch
    packets, joined = (LightCurves.from_arrow(found[name]) for name in ("packet_light_curve", "light_curve"))
    sizes = np.diff(packets.offsets)
    assert found["n_points"].to_pylist() == sizes.tolist() and sizes.min() > 0
    days = found["mjd"].to_numpy() - packets.mjd[packets.offsets[:-1]]
    assert found["history_days"].to_numpy() == pytest.approx(days, abs=1e-4)
    assert found["packet_light_curve"].null_count == 0
    assert all(np.array_equal(getattr(packets, name), getattr(joined, name)) for name in ("offsets", "mjd", "kind"))


def test_what_a_worker_returns_is_plain_data(ztf_night, tmp_path):
    config = parse_config("")
    with open_store(tmp_path, mode="write") as store:
        store.runs.start("test")
        packets = [packet.data for packet in all_packets(open_sources([ztf_night])[0])][:60]
        result = task_maker(config, tmp_path, [FakeSink()])()(Block.of([*packets, b"bad"]))
    assert result["messages"]["fake"]
    assert types_in(result) <= {dict, list, str, int, float, bytes, type(None)}
    assert set(result["dead_letters"]) == {60}
    with pa.ipc.open_stream(result["segments"][0]["alerts"]) as alerts:
        n = alerts.read_all().num_rows
    assert sum(entry["n"] for entry in result["counts"] if entry["outcome"] == "stored") == n > 0


def types_in(value):
    found = {type(value)}
    inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return found.union(*map(types_in, inner))


def test_stages_run_in_order_and_each_is_timed(block):
    ticks = iter(range(1000))
    enrich = open_enrichment(parse_config(""), clock=lambda: next(ticks))
    (batch, _), *_ = packet_decoder(parse_config(""))(block).batches
    result = enrich(batch)
    assert list(result.seconds) == ["quality", "history", "crossmatch", "science", "filters"]
    assert set(result.node_seconds) == {node.name for node in enrich.nodes}


def test_plugin_files_of_the_configuration_are_part_of_every_worker(ztf_night, mine, tmp_path):
    from redpoll.config import load_config

    config = load_config(tmp_path / "night.toml")
    assert config.plugins == (str(mine),)
    from dataclasses import replace

    config = replace(config, run=replace(config.run, workers=1, batch_size=100))
    report = run_night(open_sources([ztf_night]), tmp_path / "store", config)
    assert report.topics["mine"] > 0 and not report.failures


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "there is no file"), ("x = 1", "defines no function"), ("1 / 0", "line 1: ZeroDivisionError")],
)
def test_a_plugin_file_that_cannot_be_used_names_file_and_remedy(text, words, tmp_path):
    path = tmp_path / "broken.py"
    if text:
        path.write_text(text)
    with pytest.raises(ConfigError, match=words) as raised:
        build_graph(parse_config(f'plugins = ["{path}"]'))
    assert str(path) in str(raised.value) and "remove it from the list 'plugins'" in str(raised.value)
