"""Canonical columns and light curves of every packet against slow twins that work them out from fastavro's dicts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import slow_rubin
import slow_ztf
from exposure_oracle import kept
from fastavro_oracle import encode
from real_packets import V7, V9, V10, ZTF_ARCHIVES, framed, v10_rows, ztf_packets
from synthetic_packets import simulated

from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.origin import Origin
from redpoll.ingest.parquet_rows import row_packets
from redpoll.ingest.schemas import BuiltIn
from redpoll.schema.alert import COLUMNS
from redpoll.schema.bands import BANDS, KINDS
from redpoll.schema.packet_schemas import packet_schema

DAYS = ("mjd", "first_mjd")
POINT = ("mjd", "band", "flux", "flux_err", "kind")


FROM_HISTORY = {"packet_light_curve", "history_days", "n_points"}
"""Columns that the stage `history` makes, not the decoder."""


def one_per_exposure(points: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The points that the rule on exposures keeps, by its slow twin; those of equal times by band."""
    numbers = [
        (mjd, BANDS.index(band) if band in BANDS else -1, *(np.float32(np.nan if x is None else x) for x in flux),
         KINDS.index(kind), 0.0)
        for mjd, band, *flux, kind in points
    ]  # fmt: skip
    own = len(points) - 1
    rest = [i for i in kept(numbers, own) if i != own]
    return [points[i] for i in sorted(rest, key=lambda i: numbers[i][:2])] + [points[own]]


def alerts(packets: list[bytes]) -> list[dict[str, Any]]:
    """Rows of the alert tables in the order of the packets."""
    decoded = PacketDecoder(BuiltIn())(Block.of(packets))
    assert not decoded.errors
    rows = {}
    for batch, index in decoded.batches:
        batch.validate(full=True)
        rows |= dict(zip(index.tolist(), batch.drop_columns(["packet"]).to_pylist(), strict=True))
    return [rows[i] for i in range(len(packets))]


def is_near(found: Any, expected: Any, name: str) -> bool:
    """Equal; for float32 to its precision, for times to the microsecond. A NaN is no answer, so it is null."""
    if isinstance(expected, float) and math.isnan(expected):
        expected = None
    if not isinstance(expected, float):
        return type(found) is type(expected) and found == expected
    if name in DAYS:
        return found is not None and abs(found - expected) < 1e-9
    return found is not None and math.isclose(found, expected, rel_tol=1e-6, abs_tol=0.0)


def check(packets: list[bytes], rows: Iterable[dict[str, Any]], slow: Any) -> None:
    """Compare each alert with its twin."""
    for found, row in zip(alerts(packets), rows, strict=True):
        curve = [tuple(point[name] for name in POINT) for point in found.pop("light_curve")]
        expected = slow.columns(row)
        found = {name: value for name, value in found.items() if name not in FROM_HISTORY}
        assert set(found) == set(COLUMNS) - {"light_curve", *FROM_HISTORY} == set(expected)
        wrong = {
            name: (found[name], expected[name]) for name in found if not is_near(found[name], expected[name], name)
        }
        assert not wrong
        twin = one_per_exposure(slow.points(row))
        assert len(curve) == len(twin)
        for one, other in zip(curve, twin, strict=True):
            assert all(map(is_near, one, other, POINT)), (one, other)


@pytest.mark.parametrize("version", ["3.3", "4.02"])
def test_simulated_ztf(version):
    packets = list(simulated("ztf", version))
    check(packets, (framed(packet)[1] for packet in packets), slow_ztf)


@pytest.mark.parametrize("version", ["9.0", "10.0", "11.0", "11.1"])
def test_simulated_rubin(version):
    packets = list(simulated("rubin", version))
    check(packets, (framed(packet)[1] for packet in packets), slow_rubin)


@pytest.mark.parametrize("archive", ZTF_ARCHIVES)
def test_real_ztf(data_dir, archive):
    packets = ztf_packets(data_dir, archive)
    check(packets, (framed(packet)[1] for packet in packets), slow_ztf)


def test_real_rubin_v9(data_dir):
    packet = (data_dir / "rubin" / V9).read_bytes()
    check([packet], [framed(packet)[1]], slow_rubin)


@pytest.mark.slow
def test_real_rubin_v10_as_avro_and_as_rows_of_parquet(data_dir):
    schema, rows = packet_schema("rubin", "10.0"), list(v10_rows(data_dir))
    check([b"\0\0\0\x03\xe8" + datum for datum in encode(schema, *rows)], rows, slow_rubin)
    check([packet.data for packet in row_packets(str(data_dir / "rubin" / V10), Origin("v10"))], rows, slow_rubin)


def test_simulated_rubin_v7_of_parquet(data_dir):
    path = data_dir / "rubin" / V7
    rows = pq.read_table(path).to_pylist()
    check([packet.data for packet in row_packets(str(path), Origin("v7"))], rows, slow_rubin)
