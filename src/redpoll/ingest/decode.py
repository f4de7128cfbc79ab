"""A block of packets, as received, to alert tables: one per writer schema, every packet accounted for."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import PacketError, SchemaError
from redpoll.ingest.block import Block
from redpoll.ingest.schemas import SchemaLookup
from redpoll.schema.avro.container import (
    CONFLUENT_MAGIC,
    CONFLUENT_PREFIX,
    CONTAINER_MAGIC,
    Header,
    one_datum,
    read_header,
)
from redpoll.schema.avro.decoder import decode
from redpoll.schema.survey import to_alerts

ARROW_STREAM = b"\xff\xff\xff\xff"
_HEADERS = 64
_HEAD = 1 << 16
_SYNC_BYTES = 16


@dataclass(frozen=True)
class DecodedBlock:
    """Alert tables with the block's index of each row, and the error of every packet that is in none of them."""

    batches: list[tuple[pa.RecordBatch, NDArray[np.int64]]]
    errors: dict[int, str]


class PacketDecoder:
    """Decodes blocks; remembers container headers, which are the same for all packets of a schema."""

    def __init__(self, schemas: SchemaLookup) -> None:
        self._schemas = schemas
        self._headers: OrderedDict[bytes, Header] = OrderedDict()

    def __call__(self, block: Block) -> DecodedBlock:
        """Decode a block. Packets that cannot be used end in ``errors``; SourceError if a registry is out of reach."""
        data = memoryview(block.buffer).cast("B")
        spans: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        rows: list[int] = []
        errors: dict[int, str] = {}
        for i in range(len(block)):
            try:
                if block.packet(i)[:4] == ARROW_STREAM:
                    rows.append(i)
                else:
                    schema, start, stop = self._datum(data, int(block.offsets[i]), int(block.offsets[i + 1]))
                    spans[schema].append((i, start, stop))
            except (PacketError, SchemaError) as error:
                errors[i] = str(error)
        batches = [self._decode(block, schema, np.array(span), errors) for schema, span in spans.items()]
        batches += _decode_rows(block, rows, errors)
        return DecodedBlock([(b, index) for b, index in batches if b is not None], errors)

    def _datum(self, data: memoryview, start: int, stop: int) -> tuple[str, int, int]:
        """Writer schema, first and last byte of the datum of the packet ``data[start:stop]``."""
        packet = data[start:stop]
        if packet[:4] == CONTAINER_MAGIC:
            header = self._header(packet)
            first, last = one_datum(packet, header)
            return header.schema_text, start + first, start + last
        if packet[:1] == CONFLUENT_MAGIC and len(packet) > CONFLUENT_PREFIX:
            schema_id = int.from_bytes(packet[1:CONFLUENT_PREFIX], "big")
            return self._schemas.schema(schema_id), start + CONFLUENT_PREFIX, stop
        begin = bytes(packet[:8])
        raise PacketError(
            "empty" if not begin else f"neither an Avro container nor a framed datum: begins with {begin!r}"
        )

    def _header(self, packet: memoryview) -> Header:
        """The container's header; but for its sync marker it is the same in all packets of a schema."""
        head = bytes(packet[:_HEAD])
        for prefix, known in self._headers.items():
            if head.startswith(prefix):
                self._headers.move_to_end(prefix, last=False)
                return replace(known, sync=head[len(prefix) : known.start])
        header = read_header(packet)
        if header.start <= _HEAD:
            self._headers[head[: header.start - _SYNC_BYTES]] = header
        if len(self._headers) > _HEADERS:
            self._headers.popitem()
        return header

    @staticmethod
    def _decode(
        block: Block, schema: str, span: NDArray[np.int64], errors: dict[int, str]
    ) -> tuple[pa.RecordBatch | None, NDArray[np.int64]]:
        index, starts, stops = span.T
        try:
            decoded = decode(schema, block.buffer, np.ascontiguousarray(starts), np.ascontiguousarray(stops))
            errors.update({int(index[i]): str(error) for i, error in decoded.errors.items()})
            return to_alerts(decoded.rows), index[decoded.index]
        except SchemaError as error:
            errors.update({int(i): str(error) for i in index})
            return None, index


def _decode_rows(
    block: Block, rows: list[int], errors: dict[int, str]
) -> list[tuple[pa.RecordBatch | None, NDArray[np.int64]]]:
    """Packets that are Arrow streams (rows of Parquet copies), grouped by schema."""
    groups: dict[bytes, list[tuple[int, pa.RecordBatch]]] = defaultdict(list)
    for i in rows:
        packet = block.packet(i)
        try:
            batch = pa.ipc.open_stream(packet).read_all().combine_chunks().to_batches()[0]
            groups[bytes(packet[: 8 + int.from_bytes(packet[4:8], "little")])].append((i, batch))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, IndexError) as error:
            errors[i] = f"an Arrow stream that cannot be read: {error}"
    found: list[tuple[pa.RecordBatch | None, NDArray[np.int64]]] = []
    for group in groups.values():
        index = np.array([i for i, _ in group])
        try:
            table = pa.Table.from_batches([batch for _, batch in group]).combine_chunks()
            found.append((to_alerts(table.to_struct_array().combine_chunks()), index))
        except SchemaError as error:
            errors.update({int(i): str(error) for i in index})
    return found
