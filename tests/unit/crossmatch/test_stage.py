"""All contexts over a batch: columns, makers, failures alone."""

import logging

import pyarrow as pa
import pytest

from redpoll.crossmatch.context import Missing
from redpoll.crossmatch.stage import Stage
from redpoll.errors import PluginError
from redpoll.schema.column import Column


class Known:
    """A context that says one thing."""

    def __init__(self, name, answer, dtype="int32", version="1"):
        self.name, self.version, self.answer = name, version, answer
        self.columns = {f"{name}_n": Column(dtype, doc="A number.")}

    def match(self, batch):
        return self.answer(batch)


def counted(name="near", n=7):
    return Known(name, lambda batch: {f"{name}_n": pa.array([n] * batch.num_rows, pa.int32())})


@pytest.fixture
def batch():
    return pa.record_batch({"ra": [1.0, 2.0], "packet": [{"a": 1}, {"a": 2}]})


def test_columns_come_before_the_packet_and_name_their_maker(batch):
    far = Missing("far", {"far_n": Column("float32")})
    found = Stage([counted()], [far]).run(batch).batch
    assert found.schema.names == ["ra", "near_n", "far_n", "packet"]
    assert found["near_n"].to_pylist() == [7, 7] and found["far_n"].to_pylist() == [None, None]
    makers = {field.name: (field.metadata or {}).get(b"by") for field in found.schema}
    assert makers["near_n"] == b"near@1" and makers["far_n"] == b"far: not installed"


def test_a_second_pass_replaces_the_columns(batch):
    once = Stage([counted(n=1)]).run(batch).batch
    assert Stage([counted(n=2)]).run(once).batch["near_n"].to_pylist() == [2, 2]


def test_a_context_sees_the_columns_of_those_before(batch):
    doubled = Known("twice", lambda b: {"twice_n": pa.array([2 * v for v in b["near_n"].to_pylist()], pa.int32())})
    assert Stage([counted(), doubled]).run(batch).batch["twice_n"].to_pylist() == [14, 14]


def raising(batch):
    raise ZeroDivisionError("no sky")


WRONG = {
    "it raises": raising,
    "another name": lambda b: {"odd": pa.array([1, 1], pa.int32())},
    "another length": lambda b: {"odd_n": pa.array([1], pa.int32())},
    "another type": lambda b: {"odd_n": pa.array([1.0, 1.0])},
    "nothing": lambda b: None,
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_a_context_that_fails_is_null_and_named_and_the_others_answer(answer, batch, caplog):
    with caplog.at_level(logging.ERROR):
        found = Stage([Known("odd", answer), counted()]).run(batch)
    assert found.batch["odd_n"].to_pylist() == [None, None] and found.batch["near_n"].to_pylist() == [7, 7]
    assert list(found.failures) == ["odd"] and "2 of 2 alerts" in found.failures["odd"]
    assert "odd failed" in caplog.text


def test_an_empty_batch_asks_nobody(batch):
    found = Stage([Known("odd", raising)]).run(batch.slice(0, 0))
    assert found.batch.schema.names == ["ra", "odd_n", "packet"] and not found.failures


def test_every_context_is_timed(batch):
    ticks = iter(range(10))
    assert Stage([counted(), counted("far")], clock=lambda: float(next(ticks))).run(batch).seconds == {
        "near": 1,
        "far": 1,
    }


@pytest.mark.parametrize(
    ("contexts", "message"),
    [
        ([counted(), counted()], "context named near"),
        ([Known("star", None), Missing("star2", {"star_n": Column("int8")})], "column named star_n"),
        ([Missing("star", {"star_score": Column("float32")})], "column named star_score"),
    ],
)
def test_names_that_stand_twice_are_refused(contexts, message):
    missing = [c for c in contexts if isinstance(c, Missing)]
    with pytest.raises(PluginError, match=message):
        Stage([c for c in contexts if c not in missing], missing)
