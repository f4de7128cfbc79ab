"""Packets without a history, objects of which nothing else is known, and a module that reads every point."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterable

from redpoll.schema.avro.container import CONTAINER_MAGIC, one_datum, read_header, wrap

CURVE_DIGEST = '''
import zlib
import numpy as np
from redpoll import Column, science_module

@science_module(version="1", outputs={"curve_digest": Column("int64", doc="Checksum of the joined light curve.")})
def curve_digest(light_curve):
    """Checksum of every value of the light curve that modules read."""
    digests = []
    for curve in light_curve:
        values = (curve.mjd, curve.band, curve.flux, curve.flux_err, curve.kind)
        digests.append(zlib.crc32(b"".join(np.ascontiguousarray(v).tobytes() for v in values)))
    return np.array(digests, np.int64)
'''
"""Source of a plugin file: two runs in which modules read the same light curves store the same digests."""
_HISTORY = ("prv_candidates", "fp_hists")


def add_objects(index: sqlite3.Connection, objects: Iterable[tuple[int, str]]) -> None:
    """Add objects of ZTF by key and name to an index, the other facts being 0."""
    index.execute("INSERT OR IGNORE INTO surveys VALUES (1, 'ztf')")
    sql = "INSERT INTO objects (_id, _survey, object_id, ra, dec, hpx29, first_mjd, last_mjd, _last_alert, n_alerts)"
    index.executemany(f"{sql} VALUES (?, 1, ?, 0, 0, 0, 0, 0, 0, 0)", objects)


def without_history(packet: bytes) -> bytes:
    """An object container, as ZTF sends them, with null in place of its history; any other packet as it is."""
    import fastavro  # a dependency of tests

    if packet[:4] != CONTAINER_MAGIC:
        return packet
    header = read_header(packet)
    start, stop = one_datum(packet, header)
    schema = fastavro.parse_schema(json.loads(header.schema_text))
    record = fastavro.schemaless_reader(io.BytesIO(packet[start:stop]), schema, None)
    assert isinstance(record, dict)
    datum = io.BytesIO()
    fastavro.schemaless_writer(datum, schema, record | {name: None for name in _HISTORY if name in record})
    return wrap(header.schema_text, datum.getvalue())
