"""Decode spoiled packets in a process of its own: ``hostile_run.py SEED COUNT PACKETS``; prints what became of them.

Each packet is decoded alone, at either end of guarded memory, and then in a block beside good packets, which must come
out as ever. A crash ends the process; whatever takes longer than a minute is a hang, and ends it too.
"""

from __future__ import annotations

import faulthandler
import json
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))

from guarded_memory import GuardedMemory
from mutations import spoiled

from redpoll.errors import PacketError, SchemaError
from redpoll.ingest.arrow_rows import ARROW_STREAM, decode_rows
from redpoll.ingest.block import Block
from redpoll.ingest.decode import DecodedBlock, PacketDecoder
from redpoll.ingest.framing import Framing
from redpoll.ingest.schemas import BuiltIn
from redpoll.schema.avro.decoder import decode
from redpoll.schema.survey import DEFAULT_QUALITY

AT_ONCE = 20
SECONDS = 60


def main(seed: int, count: int, packets: list[bytes]) -> Counter[str]:
    """Spoil, decode, compare; counts of rows and reasons."""
    rng, memory, counts = random.Random(seed), GuardedMemory(4 * max(map(len, packets)) + 2_000_000), Counter()
    decoder, framing = PacketDecoder(BuiltIn()), Framing(BuiltIn())
    good = rng.sample(packets, min(len(packets), 3))
    expected = texts(decoder(Block.of(good)))
    for first in range(0, count, AT_ONCE):
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        hostile = [spoiled(packets, rng) for _ in range(min(AT_ONCE, count - first))]
        errors = [at_guards(framing, memory, packet) for packet in hostile]
        found = decoder(Block.of([*good[:1], *hostile, *good[1:]]))
        check(found, len(hostile), errors, expected)
        counts.update(found.errors.get(i + 1, "row").partition(" (")[0][:40] for i in range(len(hostile)))
    faulthandler.cancel_dump_traceback_later()
    return counts


def at_guards(framing: Framing, memory: GuardedMemory, packet: bytes) -> str | None:
    """The packet's error, the same at either end of the memory; None if it gave a row."""
    behind, before = (alone(framing, put(packet)) for put in (memory.at_end, memory.at_start))
    assert behind == before
    return behind


def alone(framing: Framing, buffer: pa.Buffer) -> str | None:
    """The error of one packet, every byte of whose columns is looked at."""
    data, errors = memoryview(buffer).cast("B"), dict[int, str]()
    if data[:4] == ARROW_STREAM:
        decode_rows([(0, data)], errors, DEFAULT_QUALITY)
        return errors.get(0)
    try:
        schema, start, stop = framing.datum(data)
        found = decode(schema, buffer, np.array([start]), np.array([stop]))
    except (PacketError, SchemaError) as error:
        return str(error)
    found.rows.validate(full=True)
    return str(found.errors[0]) if found.errors else None


def check(found: DecodedBlock, n: int, errors: list[str | None], expected: dict[int, str]) -> None:
    """Every packet accounted for, as it is alone, and the good ones among them as ever."""
    indices = [int(i) for _, index in found.batches for i in index]
    assert sorted([*indices, *found.errors]) == list(range(n + len(expected)))
    assert all(found.errors[i + 1] == error for i, error in enumerate(errors) if error is not None)
    for batch, _ in found.batches:
        batch.validate(full=True)
    place = {0: 0} | {n + k: k for k in range(1, len(expected))}
    seen = texts(found, set(place))
    assert {place[i]: text for i, text in seen.items()} == expected


def texts(found: DecodedBlock, wanted: set[int] | None = None) -> dict[int, str]:
    """Rows as text, so that NaN equals NaN, by their place in the block."""
    rows = {}
    for batch, index in found.batches:
        for row, i in enumerate(index.tolist()):
            if wanted is None or i in wanted:
                rows[i] = repr(batch.slice(row, 1).to_pylist())
    return rows


def packets_of(path: str) -> list[bytes]:
    """Packets as the tests wrote them: a Parquet column."""
    return pq.read_table(path)["packet"].to_pylist()


if __name__ == "__main__":
    if sys.argv[1] == "--touch":
        GuardedMemory(10).touch_behind()
    else:
        sys.stdout.write(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), packets_of(sys.argv[3]))))
