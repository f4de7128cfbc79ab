import os
import signal
from dataclasses import dataclass, replace

import pyarrow as pa
import pytest

from redpoll.config import Config, DeliveryConfig, FiltersConfig, RunConfig, parse_config
from redpoll.errors import ConfigError, ExpressionError, SourceError, StoreLocked
from redpoll.ingest.files import open_sources
from redpoll.pipeline.block_result import category
from redpoll.pipeline.replay import replay_dead_letters
from redpoll.pipeline.run import run_night
from redpoll.plugin.polling import FiniteSource, all_packets
from redpoll.plugin.ports import FilePosition, ReceivedPacket
from redpoll.store import open_store
from redpoll.testing.fakes import FakeSink, FakeStream
from redpoll.testing.store_rows import alert_rows

HERE = Config(run=RunConfig(workers=0))
WORKERS = Config(run=RunConfig(workers=2, batch_size=70))


class Packets(FiniteSource):
    def __init__(self, packets, error=None):
        super().__init__("test")
        self._packets, self._error = packets, error

    def _read(self):
        yield from self._packets
        if self._error:
            raise self._error


def packet(data, source, position):
    return ReceivedPacket(data, FilePosition(source, position))


@pytest.fixture(scope="module")
def some(ztf_night):
    """The first sixty packets of the night."""
    return [p for _, p in zip(range(60), all_packets(open_sources([ztf_night])[0]), strict=False)]


def alerts_in(path):
    with open_store(path) as store:
        rows = alert_rows(store, limit=10_000)
    return sorted(rows, key=lambda row: (row["survey"], row["alert_id"]))


def test_every_packet_of_a_night_is_accounted_for(ztf_night, tmp_path):
    report = run_night(open_sources([ztf_night]), tmp_path, HERE)
    assert (report.received, report.dead_letters, report.balances) == (300, 0, True)
    assert report.stored > 150
    assert not report.failures
    with open_store(tmp_path) as store:
        assert store.maintenance.check().ok


def test_rubin_packets_take_the_same_way(rubin_night, tmp_path):
    report = run_night(open_sources([rubin_night]), tmp_path, HERE)
    assert (report.received, report.stored, report.rejected) == (40, 40, 0)
    assert not report.failures


def test_worker_processes_store_what_one_process_stores(ztf_night, rubin_night, tmp_path):
    places = [ztf_night, rubin_night]
    run_night(open_sources(places), tmp_path / "here", HERE)
    run_night(open_sources(places), tmp_path / "workers", WORKERS)
    assert alerts_in(tmp_path / "here") == alerts_in(tmp_path / "workers")


def test_a_second_run_stores_nothing_new(some, tmp_path):
    first = run_night([Packets(some)], tmp_path, HERE)
    again = run_night([Packets(some)], tmp_path, HERE)
    assert (again.stored, again.duplicate) == (0, first.stored)
    assert again.reasons["already stored"] == first.stored


def test_a_packet_twice_in_one_run_is_stored_once(some, tmp_path):
    report = run_night([Packets(some), Packets(some)], tmp_path, replace(HERE, run=RunConfig(workers=0, batch_size=90)))
    ids = [row["alert_id"] for row in alerts_in(tmp_path)]
    assert len(ids) == len(set(ids)) == report.stored
    assert (report.received, report.balances) == (120, True)


BAD = {
    "empty": b"",
    "not an alert": b"hello",
    "a schema nobody has": b"\x00\x7f\xff\xff\xff" + b"x" * 100,
    "ten megabytes of zeros": bytes(10_000_000),
    "an Arrow stream of something else": bytes(
        pa.ipc.new_stream(sink := pa.BufferOutputStream(), pa.schema([("x", pa.int32())])).close() or sink.getvalue()
    ),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_bad_packet_is_kept_with_its_bytes_and_the_others_are_stored(data, some, tmp_path):
    packets = [*some[:5], packet(data, "bad.avro", "here"), *some[5:10]]
    report = run_night([Packets(packets)], tmp_path, HERE)
    with open_store(tmp_path) as store:
        (letter,) = store.dead_letters.stream()
    assert (letter.data, letter.source, letter.position) == (data, "bad.avro", "here")
    assert (report.received, report.dead_letters, report.balances) == (11, 1, True)


def test_a_truncated_packet_says_what_is_missing(some, tmp_path):
    run_night([Packets([packet(some[0].data[:-100], "a", "b")])], tmp_path, HERE)
    with open_store(tmp_path) as store:
        assert "truncated: the datum needs" in store.dead_letters.table().to_pylist()[0]["reason"]


def test_the_same_bad_packet_again_is_one_dead_letter(tmp_path):
    for _ in range(2):
        run_night([Packets([packet(b"bad", "a", "b")])], tmp_path, HERE)
    with open_store(tmp_path) as store:
        assert len(store.dead_letters.table().to_pylist()) == 1


def test_replayed_letters_leave_the_list_when_they_can_be_used(rubin_night, tmp_path):
    (data, *_) = [p.data for p in all_packets(open_sources([rubin_night])[0])]
    unknown = b"\x00" + (7777).to_bytes(4, "big") + data[5:]
    run_night([Packets([packet(unknown, "a", "1"), packet(b"bad", "a", "2")])], tmp_path / "store", HERE)
    (tmp_path / "schemas").mkdir()
    from redpoll.ingest.schemas import BuiltIn

    (tmp_path / "schemas" / "7777.avsc").write_text(BuiltIn().schema(int.from_bytes(data[1:5], "big")))
    config = replace(HERE, ingest=replace(HERE.ingest, schemas=(str(tmp_path / "schemas"),)))
    report = replay_dead_letters(tmp_path / "store", config)
    with open_store(tmp_path / "store") as store:
        assert [letter.position for letter in store.dead_letters.stream()] == ["2"]
        assert store.ledger.origin(alerts_in(tmp_path / "store")[0]["alert_id"], "rubin")["position"].to_pylist() == [
            "1"
        ]
    assert (report.stored, report.rejected) == (1, 1)
    for _ in range(2):
        replay_dead_letters(tmp_path / "store", config)
    with open_store(tmp_path / "store") as store:
        rows = store.ledger.table().to_pylist()
        assert [(row["received"], row["stored"], row["rejected"]) for row in rows] == [(1, 1, 0), (1, 0, 1)]
        assert store.maintenance.check().problems == ()


@pytest.mark.parametrize("config", [HERE, WORKERS], ids=["here", "workers"])
def test_every_stored_alert_has_the_position_of_its_own_packet(ztf_night, tmp_path, config):
    packets = list(all_packets(open_sources([ztf_night])[0]))
    packets = [*packets[:90], packet(b"bad", "a", "b"), *packets[80:200]]  # ten stand twice
    run_night([Packets(packets)], tmp_path, config)
    with open_store(tmp_path) as store:
        rows = store.alerts.scan(["alert_id"]).to_table()["alert_id"].to_pylist()
        where = {alert_id: store.ledger.origin(alert_id, "ztf")["position"][0].as_py() for alert_id in rows}
    assert [alert_id for alert_id, position in where.items() if str(alert_id) not in position] == []
    assert len(where) > 100


def test_a_source_that_breaks_gives_what_it_had_and_the_next_is_read(some, tmp_path):
    broken = Packets(some[:20], SourceError("cable pulled"))
    report = run_night([broken, Packets(some[20:40])], tmp_path, HERE)
    assert report.received == 40
    assert report.source_errors == ["cable pulled"]


def test_an_expression_in_the_configuration_is_a_filter(some, tmp_path):
    config = replace(HERE, filters=FiltersConfig(expressions={"very_bright": "mag < 18.5 and is_positive"}))
    run_night([Packets(some)], tmp_path, config)
    rows = alerts_in(tmp_path)
    assert {r["alert_id"] for r in rows if "very_bright" in r["topics"]} == {
        r["alert_id"] for r in rows if r["mag"] < 18.5 and r["is_positive"]
    }


@pytest.mark.parametrize(
    ("toml", "error"),
    [
        ('[modules]\noff = ["colr"]', ConfigError),
        ("[modules.settings.colour]\nmax_dayz = 1", ConfigError),
        ('[filters.expressions]\nx = "__import__(1)"', ExpressionError),
        ('[quality.ztf]\nbands = ["q"]', ConfigError),
        ("[classes]\nmin_probability = 7", ConfigError),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_before_anything_is_read(toml, error, tmp_path):
    def explode():
        raise AssertionError("read")
        yield

    source = Packets([])
    source._read = explode
    with pytest.raises(error):
        run_night([source], tmp_path, replace(parse_config(toml), run=RunConfig(workers=0)))


def test_two_runs_at_once_are_refused(some, tmp_path):
    with open_store(tmp_path, mode="write"), pytest.raises(StoreLocked):
        run_night([Packets(some)], tmp_path, HERE)


def test_categories_have_no_numbers():
    assert category("truncated: the datum needs 52726 bytes") == "unreadable: truncated"
    assert category("a worker died on this packet (exit code -9)") == "a worker died on this packet (exit code -N)"


def test_a_category_keeps_powers_and_ends_with_a_word():
    long = "candid is a float of at least 2**53, which holds no exact identifier; send integers"
    assert category(long) == "candid is a float of at least 2**53, which holds no exact identifier; send ..."
    assert category("x" * 300) == "x" * 76 + " ..."


def test_sinks_see_every_column_and_get_the_alerts_of_their_topics(some, tmp_path):
    seen = []

    class Watching(FakeSink):
        def encode(self, batch):
            seen.append(batch.schema.names)
            return super().encode(batch)

    sink = Watching()
    config = replace(HERE, filters=FiltersConfig(expressions={"bright": "mag < 18.5"}))
    report = run_night([Packets(some)], tmp_path, config, sinks=[sink])
    assert {"light_curve", "cutout_science", "packet", "pass_bright", "mag_rate"} <= set(seen[0])
    with open_store(tmp_path) as store:
        expected = {str(row["alert_id"]) for row in alert_rows(store, topic="bright", limit=1000)}
    assert {m["payload"].decode() for m in sink.arrived if m["topic"] == "bright"} == expected != set()
    assert report.sent == {"fake": len(sink.arrived)} and report.exit_code == 0


def test_a_sink_that_fails_is_parked_and_gets_everything_in_the_next_run(some, tmp_path):
    sink = FakeSink(faults=["fail"] * 50)
    config = replace(HERE, delivery=DeliveryConfig(retries=1, backoff_seconds=0.0),
                     filters=FiltersConfig(expressions={"bright": "mag < 19"}))  # fmt: skip
    first = run_night([Packets(some)], tmp_path, config, sinks=[sink])
    assert (first.status, first.exit_code, sink.arrived) == ("done", 1, [])
    assert first.parked["fake"] > 0 and first.stored > 0
    with open_store(tmp_path) as store:
        assert (
            store.runs.table().to_pylist()[0]["status"]
            == f"done; parked: fake ({first.parked['fake']} messages in its spool)"
        )
    sink.faults.clear()
    again = run_night([Packets(some)], tmp_path, config, sinks=[sink])
    assert (again.stored, again.sent, again.parked) == (0, {"fake": first.parked["fake"]}, {})
    assert len(sink.arrived) == first.parked["fake"]


def test_a_sink_that_cannot_encode_an_alert_sends_the_others(some, tmp_path):
    class Picky(FakeSink):
        def encode(self, batch):
            if batch.num_rows > 1 or self.n_encoded == 0:
                self.n_encoded += batch.num_rows == 1
                raise ValueError("no")
            return super().encode(batch)

    sink = Picky()
    sink.n_encoded = 0
    config = replace(HERE, filters=FiltersConfig(expressions={"all": "mjd > 0"}))
    report = run_night([Packets(some)], tmp_path, config, sinks=[sink])
    assert (report.failures["sink fake"], report.exit_code) == (1, 1)
    assert len({m["payload"] for m in sink.arrived if m["topic"] == "all"}) == report.stored - 1


GARBAGE = [None, 7, [None], [{"key": "k", "topic": "t", "payload": "text"}]]


@dataclass(frozen=True)
class GarbageSink:
    """Encodes every batch as something that is no list of messages."""

    index: int
    name: str = "garbage"

    def encode(self, batch):
        return GARBAGE[self.index]

    def open(self):
        return FakeSink().open()


@pytest.mark.parametrize("index", range(len(GARBAGE)))
def test_what_a_sink_encodes_wrong_is_a_failure_of_the_sink_and_costs_no_alert(index, some, tmp_path):
    report = run_night([Packets(some[:3])], tmp_path, HERE, sinks=[GarbageSink(index)])
    assert (report.stored + report.reasons.total(), report.dead_letters, report.worker_deaths) == (3, 0, 0)
    assert (report.failures, report.sent, report.exit_code) == ({"sink garbage": 1}, {"garbage": 0}, 1)


def test_what_the_sources_gave_is_counted_apart_from_what_became_of_it(some, tmp_path):
    report = run_night([Packets(some)], tmp_path, HERE)
    assert report.read == report.received == 60 and report.is_complete
    report.read += 1
    assert not report.is_complete and report.exit_code == 1


def test_a_stream_is_committed_after_the_store_and_goes_on_from_there(some, tmp_path):
    stream = FakeStream(lambda n: some[n % len(some)].data, per_poll=7, n_available=40)
    config = replace(HERE, run=RunConfig(workers=0, batch_size=10))
    stored = []

    def interrupt_after_twenty(packets, dead):
        stored.extend(packets)
        if len(stored) == 20:
            os.kill(os.getpid(), signal.SIGTERM)

    report = run_night([stream], tmp_path, config, on_committed=interrupt_after_twenty)
    assert (report.status, report.exit_code, stream.committed) == ("interrupted", 143, 20)
    assert stream.is_closed


def test_two_sinks_of_one_name_are_refused(some, tmp_path):
    with pytest.raises(ConfigError, match="more than one is named fake"):
        run_night([Packets(some)], tmp_path, HERE, sinks=[FakeSink(), FakeSink()])
