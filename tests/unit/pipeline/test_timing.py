"""What each part of the chain costs, and how often it answers."""

from __future__ import annotations

import pyarrow as pa
import pytest

from redpoll import Column, alert_filter, science_module
from redpoll.config import Config
from redpoll.crossmatch.stage import Stage
from redpoll.errors import SourceError
from redpoll.history.stage import open_history
from redpoll.pipeline.assemble import open_enrichment
from redpoll.pipeline.enrich import Enrichment
from redpoll.pipeline.timing import OVERHEAD, STAGES, answered, measure, sample_batches
from redpoll.plugin.graph import Graph
from redpoll.plugin.polling import FiniteSource
from redpoll.plugin.ports import FilePosition, ReceivedPacket
from redpoll.quality.stage import Quality
from redpoll.simulate.source import simulated_source
from redpoll.testing.batches import sample_batch


class Clock:
    """Moves on by one second whenever a part works, and by nothing else."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Bytes(FiniteSource):
    """A source of these packets."""

    def __init__(self, *data):
        super().__init__("bytes")
        self._data = data

    def _read(self):
        yield from (ReceivedPacket(one, FilePosition(self.name, str(i))) for i, one in enumerate(self._data))


@pytest.fixture
def chain_and_clock():
    clock = Clock()

    @science_module(version="1", outputs={"slow": Column("float32", doc="Null for faint alerts.")})
    def slow(mag):
        """Takes three seconds a batch, and has no answer for an unknown magnitude."""
        clock.now += 3
        return mag

    @alert_filter()
    def quick(slow):
        """Takes one second a batch."""
        clock.now += 1
        return slow < 20

    graph = Graph.build([slow], [quick], clock=clock)
    return enrichment(graph, clock), clock


def enrichment(graph, clock=lambda: 0.0):
    return Enrichment(Quality(), open_history(None), Stage(()), graph, clock)


def test_costs_are_those_of_a_round_most_expensive_first(chain_and_clock) -> None:
    chain, clock = chain_and_clock
    found = measure(chain, [sample_batch(20), sample_batch(30)], rounds=2, clock=clock)
    assert [(c.name, c.seconds) for c in found.costs] == [
        ("slow", 6.0),
        ("quick", 2.0),
        ("quality", 0.0),
        ("history", 0.0),
        (OVERHEAD, 0.0),
    ]
    assert (found.n_alerts, found.seconds, found.alerts_per_second) == (50, 8.0, 50 / 8)


def test_a_cost_is_the_minimum_of_the_rounds_without_the_first_that_warms_up() -> None:
    clock, seconds = Clock(), iter([1, 5, 3, 4])

    @science_module(version="1", outputs={"uneven": Column("float32", doc="The magnitude.")})
    def uneven(mag):
        """Takes another time in each round."""
        clock.now += next(seconds)
        return mag

    chain = enrichment(Graph.build([uneven], [], clock=clock), clock)
    found = measure(chain, [sample_batch(5)], rounds=3, clock=clock)
    assert {cost.name: cost.seconds for cost in found.costs}["uneven"] == 3.0


def test_fractions_add_up_and_answers_are_counted(chain_and_clock) -> None:
    chain, clock = chain_and_clock
    batch = sample_batch(40)
    rows = {row["name"]: row for row in measure(chain, [batch], rounds=1, clock=clock).rows()}
    assert sum(row["fraction"] for row in rows.values()) == pytest.approx(1)
    assert rows["slow"]["answered"] == (40 - batch["mag"].null_count) / 40
    passed = sum(m is not None and m < 20 for m in batch["mag"].to_pylist())
    assert rows["quick"]["answered"] == passed / 40
    assert rows[OVERHEAD]["answered"] is None


def test_the_round_that_warms_up_is_not_counted(chain_and_clock) -> None:
    chain, clock = chain_and_clock
    reported: list[tuple[int, int, str]] = []
    clock.now = -100.0
    found = measure(chain, [sample_batch(5)], rounds=3, clock=clock, progress=lambda *words: reported.append(words))
    assert found.seconds == 4.0
    assert [words[2] for words in reported] == ["warming up", "round 1 of 3", "round 2 of 3", "round 3 of 3"]


def test_a_part_that_fails_is_named(chain_and_clock) -> None:
    @science_module(version="1", outputs={"broken": Column("float32", doc="Never.")})
    def broken(mag):
        """Raises."""
        raise ValueError("no")

    graph = Graph.build([broken], [])
    found = measure(enrichment(graph), [sample_batch(5)], rounds=1)
    assert "ValueError: no" in found.failures["broken"]
    assert {cost.name: cost.answered for cost in found.costs}["broken"] == 0.0


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"x": (["float64", [1.0, None]]), "n": ("int64", [1, 2])}, [True, False]),
        ({"x": ("string", ["a", None]), "is_x": ("bool", [True, True])}, [True, False]),
        ({"n": ("int8", [0, None]), "is_n": ("bool", [True, True])}, [True, False]),
        ({"is_x": ("bool", [True, False])}, [True, False]),
        ({"x": (pa.list_(pa.float32()), [[1.0], None])}, [True, False]),
    ],
    ids=["number and count", "text and flag", "count and flag", "flag", "list"],
)
def test_counts_and_flags_beside_a_value_are_no_answer(columns, expected) -> None:
    outputs = {name: Column(dtype) for name, (dtype, _) in columns.items()}
    batch = pa.record_batch({n: pa.array(v, outputs[n].arrow_type) for n, (_, v) in columns.items()})
    assert answered(outputs, batch).tolist() == expected


def test_a_sample_has_at_most_as_many_alerts_as_asked_and_no_open_flags() -> None:
    batches = sample_batches([simulated_source("simulate://ztf?alerts=12")], Config(), limit=7)
    assert sum(batch.num_rows for batch in batches) == 7
    assert sum(batch["has_bad_pixels"].null_count for batch in batches) == 0


def test_packets_without_an_alert_are_an_error() -> None:
    with pytest.raises(SourceError, match="no usable alert"):
        sample_batches([Bytes(b"no packet")], Config(), limit=7)


def test_everything_installed_is_measured() -> None:
    chain = open_enrichment(Config())
    batches = sample_batches([simulated_source("simulate://ztf?alerts=10")], Config(), limit=10)
    found = measure(chain, batches, rounds=1)
    assert {node.name for node in chain.nodes} | {OVERHEAD, *STAGES} == {cost.name for cost in found.costs}
    assert {"rise_rate", "fast_risers"} <= {cost.name for cost in found.costs if cost.seconds > 0}
    assert found.failures == {}
