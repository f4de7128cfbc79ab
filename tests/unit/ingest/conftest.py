"""Small packets, archives and sources synthesised for the tests of sources."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import fastavro
import pytest

SCHEMA = {
    "type": "record",
    "name": "alert",
    "fields": [{"name": "candid", "type": "long"}, {"name": "cutout", "type": "bytes"}],
}


def _records(n: int, size: int = 40) -> list[dict[str, Any]]:
    return [{"candid": i, "cutout": bytes([i % 256]) * size} for i in range(n)]


@pytest.fixture
def records() -> Callable[..., list[dict[str, Any]]]:
    return _records


@pytest.fixture
def container() -> Callable[..., bytes]:
    """Bytes of a container of `n` records, in blocks of `block` bytes."""

    def make(n: int = 1, *, codec: str = "null", block: int = 16000, size: int = 40) -> bytes:
        out = io.BytesIO()
        fastavro.writer(out, SCHEMA, _records(n, size), codec=codec, sync_interval=block, sync_marker=bytes(range(16)))
        return out.getvalue()

    return make


@pytest.fixture
def tar() -> Callable[..., bytes]:
    """Bytes of a tar archive of named members."""

    def make(members: Mapping[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return out.getvalue()

    return make


@pytest.fixture
def night(container: Callable[..., bytes], tar: Callable[..., bytes]) -> dict[str, bytes]:
    """Members of a night of five one-record packets that differ in size."""
    return {f"{i}.avro": container(1, size=2000 + 700 * i) for i in range(5)}


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a file into the test's folder."""

    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def gz() -> Callable[[bytes], bytes]:
    return lambda data: gzip.compress(data, 1)
