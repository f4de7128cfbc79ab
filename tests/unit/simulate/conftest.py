"""One small simulated night of each survey, made once, decoded with fastavro."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from functools import cache
from typing import Any

import fastavro
import pyarrow.parquet as pq
import pytest

from redpoll.schema.packet_schemas import confluent_schema
from redpoll.simulate import SimulationReport, simulate_night


@dataclass(frozen=True)
class Night:
    """A simulated night: the report, the packets' bytes and records by alert id in file order, the truth's rows."""

    report: SimulationReport
    raw: dict[int, bytes]
    packets: dict[int, dict[str, Any]]
    truth: list[dict[str, Any]]

    def of_class(self, *names: str) -> list[dict[str, Any]]:
        """Packets of these classes."""
        return [self.packets[row["alert_id"]] for row in self.truth if row["class"] in names]


@cache
def framed_schema(schema_id: int):
    """Parsed schema of a framed packet."""
    return fastavro.parse_schema(confluent_schema(schema_id))


def _decoded(raw: bytes) -> dict[str, Any]:
    """A packet of either survey; fails if a byte is left over."""
    if raw[:1] != b"\x00":
        (record,) = fastavro.reader(io.BytesIO(raw))
        return record
    datum = io.BytesIO(raw[5:])
    record = fastavro.schemaless_reader(datum, framed_schema(int.from_bytes(raw[1:5], "big")))
    assert not datum.read()
    return record


def members(report: SimulationReport) -> dict[int, bytes]:
    """Bytes of each packet by alert id, in the order of the archives."""
    found = {}
    for path in report.files:
        with tarfile.open(path) as tar:
            found |= {int(member.name.removesuffix(".avro")): tar.extractfile(member).read() for member in tar}
    return found


def _make_night(out, **recipe) -> Night:
    report = simulate_night(out, **recipe)
    raw = members(report)
    packets = {alert_id: _decoded(data) for alert_id, data in raw.items()}
    return Night(report, raw, packets, pq.read_table(report.truth).to_pylist())


@pytest.fixture(scope="session")
def make_night():
    """Simulates a night into a folder and reads it back."""
    return _make_night


@pytest.fixture(scope="session")
def decoded():
    """Decodes a packet of either survey with fastavro."""
    return _decoded


@pytest.fixture(scope="session")
def ztf(tmp_path_factory) -> Night:
    return _make_night(tmp_path_factory.mktemp("ztf"), survey="ztf", n_alerts=240, seed=7, nights=3)


@pytest.fixture(scope="session")
def rubin(tmp_path_factory) -> Night:
    return _make_night(tmp_path_factory.mktemp("rubin"), survey="rubin", n_alerts=150, seed=7, nights=2)


@pytest.fixture(params=["ztf", "rubin"])
def night(request) -> Night:
    return request.getfixturevalue(request.param)
