"""The decoder writes nowhere but into its columns."""

from __future__ import annotations

import json
import random

import numpy as np
import pyarrow as pa
import pytest
from fastavro_oracle import encode, read, record

from redpoll.schema.avro import arena as arena_module
from redpoll.schema.avro.arena import Arena
from redpoll.schema.avro.decoder import _Builder
from redpoll.schema.avro.machine import ABANDON, FRESH, RESUME, new_state, run
from redpoll.schema.avro.program import compile_schema

CANARY, GAP = 0xA5, 64
MAYBE_INTS = {"type": "array", "items": ["null", "int"]}
INNER = record(("a", ["null", "float"]), ("s", "string"), ("q", MAYBE_INTS), name="inner")
INNERS = {"type": "array", "items": "inner"}
SCHEMA = record(("id", "long"), ("flag", ["null", "boolean"]), ("in", ["null", INNER]), ("many", INNERS))


@pytest.fixture
def spaced(monkeypatch):
    """Arenas whose columns lie apart."""

    def layout(program, rows):
        room = -(-np.concatenate(arena_module._sizes(program, rows)) // GAP) * GAP + GAP
        ends = np.cumsum(room)
        data, valid = np.split(ends - room, 2)
        return data, valid, int(ends[-1])

    monkeypatch.setattr(arena_module, "_layout", layout)


def outside(arena):
    """Which bytes of the arena belong to no column."""
    free = np.ones(len(arena.bytes), bool)
    sizes = np.concatenate(arena_module._sizes(arena.program, arena.capacity))
    for at, n in zip(np.concatenate([arena.data, arena.valid]), sizes, strict=True):
        free[at : at + n] = False
    return free


def inner(rng):
    maybe_ints = [rng.choice([None, 3]) for _ in range(rng.randrange(5))]
    return {"a": rng.choice([None, 1.5]), "s": "x" * rng.randrange(20), "q": maybe_ints}


def row(rng):
    many = [inner(rng) for _ in range(rng.randrange(6))]
    return {"id": 1, "flag": rng.choice([None, True]), "in": rng.choice([None, inner(rng)]), "many": many}


@pytest.mark.parametrize("seed", range(20))
def test_no_byte_between_the_columns_is_touched_however_often_they_grow(spaced, seed):
    rng = random.Random(seed)
    datums = encode(SCHEMA, *[row(rng) for _ in range(30)])
    datums = [datum[: rng.randrange(len(datum))] if rng.random() < 0.3 else datum for datum in datums]
    buffer, stops = np.frombuffer(b"".join(datums), np.uint8), np.cumsum([*map(len, datums)])
    starts = stops - [*map(len, datums)]
    program = compile_schema(json.dumps(SCHEMA))
    arena = Arena(program, np.array([30, *rng.choices(range(1, 40), k=program.n_levels - 1)]))
    codes, ends = np.zeros(30, np.int64), np.zeros(30, np.int64)
    done, level, how, state = 0, 0, FRESH, new_state(program.n_levels)
    while level >= 0:
        free = outside(arena)
        arena.bytes[free] = CANARY
        done, level = run(buffer, starts, stops, done, how, arena.code, program.columns, arena.data, arena.valid,
                          arena.capacity, arena.counts, arena.bytes, arena.words, arena.longs, codes, ends,
                          state)  # fmt: skip
        assert (arena.bytes[free] == CANARY).all()
        assert (arena.counts <= arena.capacity).all()
        if level >= 0:
            capacity = arena.capacity.copy()
            capacity[level] = ends[done]
            arena, how = (arena.grow(capacity), RESUME) if rng.random() < 0.9 else (arena, ABANDON)
    found = _Builder(program, arena, pa.py_buffer(buffer)).struct(program.tree, 0)
    found.validate(full=True)
    assert found.to_pylist() == [read(SCHEMA, datums[i]) for i in np.flatnonzero(codes == 0)]


def test_growing_keeps_rows_and_validity():
    program = compile_schema(json.dumps(record(("x", ["null", "int"]))))
    arena = Arena(program, np.array([3]))
    arena.counts[:] = 3
    arena.words[arena.data[0] >> 2 :][:3] = [1, 2, 3]
    arena.bytes[arena.valid[0]] = 0b11111010
    ((values, bits),) = arena.grow(np.array([1000])).slices()
    assert pa.Array.from_buffers(pa.int32(), 3, [bits, values]).to_pylist() == [None, 2, None]
