"""Redpoll's own sources pass the suite that plugins pass."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redpoll.errors import SourceError
from redpoll.ingest.files import open_source
from redpoll.ingest.metered import Metered
from redpoll.pipeline.replay import DeadLetterSource
from redpoll.plugin.polling import all_packets
from redpoll.plugin.ports import ReceivedPacket, Source
from redpoll.schema.avro.container import read_header, wrap
from redpoll.store import Commit, DeadLetter, open_store
from redpoll.testing.fakes import FakeStream
from redpoll.testing.source_suite import SourceSuite

SCHEMA = {"type": "record", "name": "alert", "fields": [{"name": "candid", "type": "long"}]}


def container(*candids: int) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, SCHEMA, [{"candid": candid} for candid in candids], sync_interval=1)
    return out.getvalue()


PACKETS = [wrap(read_header(container(0)).schema_text, bytes([2 * i])) for i in range(5)]


def tar_gz() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for i, data in enumerate(PACKETS):
            info = tarfile.TarInfo(f"{i}.avro")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), 1)


def file_of(folder: Path, data: bytes) -> Source:
    path = folder / "night"
    path.write_bytes(data)
    return open_source(path)


class TestArchive(SourceSuite):
    """A night's archive."""

    def make_source(self, folder: Path) -> Source:
        return file_of(folder, tar_gz())

    def expected(self) -> list[bytes]:
        return PACKETS

    def make_broken_source(self, folder: Path) -> Source:
        return file_of(folder, tar_gz()[:-10])


class TestMeteredArchive(TestArchive):
    """The same, counted."""

    def make_source(self, folder: Path) -> Source:
        return Metered(super().make_source(folder))


class TestContainer(SourceSuite):
    """A container of many records."""

    def make_source(self, folder: Path) -> Source:
        return file_of(folder, container(*range(5)))

    def expected(self) -> list[bytes]:
        return PACKETS

    def make_broken_source(self, folder: Path) -> Source:
        return file_of(folder, container(*range(5))[:-3])


class TestParquet(SourceSuite):
    """A table of packets."""

    table = pa.table({"candidate": [{"jd": float(i)} for i in range(3)]})

    def make_source(self, folder: Path) -> Source:
        pq.write_table(self.table, folder / "night")
        return open_source(folder / "night")

    def expected(self) -> list[bytes]:
        return [self.stream(self.table[i : i + 1]) for i in range(3)]

    def stream(self, table: pa.Table) -> bytes:
        """The table as Arrow's own writer writes it."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue().to_pybytes()

    def make_broken_source(self, folder: Path) -> Source:
        return file_of(folder, b"PAR1 and no more")


class TestSimulation(SourceSuite):
    """A simulated night."""

    def make_source(self, folder: Path) -> Source:
        return open_source("simulate://ztf?alerts=4&seed=2")

    def expected(self) -> list[bytes]:
        return [packet.data for packet in all_packets(open_source("simulate://ztf?alerts=4&seed=2"))]

    def make_broken_source(self, folder: Path) -> Source:
        pytest.skip("a simulation cannot be damaged")


class BrokenStream(FakeStream):
    """A stream whose connection is lost after two packets."""

    def poll(self, max_packets: int, timeout: float) -> list[ReceivedPacket]:
        if self._next >= 2:
            raise SourceError(f"{self.name}: the connection is lost")
        return super().poll(1, timeout)


class TestFakeStream(SourceSuite):
    """The stream of the test kit."""

    def make_source(self, folder: Path) -> Source:
        return FakeStream(lambda n: PACKETS[n % 5], per_poll=2)

    def expected(self) -> list[bytes]:
        return PACKETS

    def make_broken_source(self, folder: Path) -> Source:
        return BrokenStream(lambda n: PACKETS[n % 5])


class TestDeadLetters(SourceSuite):
    """Dead letters of a store."""

    def make_source(self, folder: Path) -> Source:
        if not (folder / "store").exists():
            letters = [DeadLetter(data, "night.tar", str(i), "unreadable") for i, data in enumerate(PACKETS)]
            with open_store(folder / "store", mode="write") as store:
                store.runs.start("test")
                store.runs.commit(Commit(None, None, letters))
                store.runs.end("done")
        return DeadLetterSource(folder / "store")

    def expected(self) -> list[bytes]:
        return PACKETS

    def make_broken_source(self, folder: Path) -> Source:
        pytest.skip("a damaged store is a StoreError")
