"""Alert tables of a block of packets, one per writer schema; every packet is in a table or has an error."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.config import QualityConfig
from redpoll.errors import FieldError, PacketError, SchemaError
from redpoll.ingest.arrow_rows import ARROW_STREAM, decode_rows
from redpoll.ingest.block import Block
from redpoll.ingest.framing import Framing
from redpoll.ingest.schemas import SchemaLookup
from redpoll.schema.avro.decoder import decode
from redpoll.schema.survey import DEFAULT_QUALITY, to_alerts


@dataclass(frozen=True)
class DecodedBlock:
    """Alert tables with the packet index of each row, and the error of every packet that is in no table."""

    batches: list[tuple[pa.RecordBatch, NDArray[np.int64]]]
    errors: dict[int, str]


class PacketDecoder:
    """Decodes blocks of packets.

    `quality` holds the cuts that decide which detections of the light curves are of low quality.
    """

    def __init__(self, schemas: SchemaLookup, quality: QualityConfig = DEFAULT_QUALITY) -> None:
        self._framing, self._quality = Framing(schemas), quality

    def __call__(self, block: Block) -> DecodedBlock:
        """Decode a block; unusable packets are in ``errors``. Raises SourceError if a registry cannot be reached."""
        data = memoryview(block.buffer).cast("B")
        offsets = block.offsets.tolist()
        spans: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        rows: list[int] = []
        errors: dict[int, str] = {}
        for i, (start, stop) in enumerate(pairwise(offsets)):
            packet = data[start:stop]
            try:
                if packet[:4] == ARROW_STREAM:
                    rows.append(i)
                else:
                    schema, first, last = self._framing.datum(packet)
                    spans[schema].append((i, start + first, start + last))
            except (PacketError, SchemaError) as error:
                errors[i] = str(error)
        batches = [
            _decode(block.buffer, schema, np.array(span), errors, self._quality) for schema, span in spans.items()
        ]
        batches += decode_rows([(i, data[offsets[i] : offsets[i + 1]]) for i in rows], errors, self._quality)
        return DecodedBlock([(batch, index) for batch, index in batches if batch is not None], errors)


def _decode(
    buffer: pa.Buffer, schema: str, span: NDArray[np.int64], errors: dict[int, str], quality: QualityConfig
) -> tuple[pa.RecordBatch | None, NDArray[np.int64]]:
    index, starts, stops = span.T
    try:
        decoded = decode(schema, buffer, starts, stops)
    except SchemaError as error:
        errors.update({int(i): str(error) for i in index})
        return None, index
    errors.update({int(index[i]): str(error) for i, error in decoded.errors.items()})
    found = _mapped(decoded.rows, index[decoded.index], errors, quality)
    if len(found) < 2:
        return found[0] if found else (None, index)
    return pa.concat_batches([batch for batch, _ in found]), np.concatenate([index for _, index in found])


def _mapped(
    rows: pa.StructArray, index: NDArray[np.int64], errors: dict[int, str], quality: QualityConfig
) -> list[tuple[pa.RecordBatch, NDArray[np.int64]]]:
    """Alert tables of the packets that can be mapped, found by halving where a value cannot be used; else errors."""
    try:
        return [(to_alerts(rows, quality), index)]
    except FieldError as error:
        if len(index) > 1:
            middle = len(index) // 2
            halves = ((rows[:middle], index[:middle]), (rows[middle:], index[middle:]))
            return [found for half in halves for found in _mapped(*half, errors, quality)]
        errors[int(index[0])] = str(error)
    except SchemaError as error:
        errors.update({int(i): str(error) for i in index})
    return []
