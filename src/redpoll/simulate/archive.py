"""Packets to disk: a night as one gzipped tar, or a folder of files."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol, cast

from isal import isal_zlib


class PacketFile(Protocol):
    """Where packets go, by name."""

    def add(self, name: str, packet: bytes) -> None:
        """Write one packet; names are unique."""
        ...


class _Gzip:
    """Gzip with neither name nor time in its header."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self._deflate = raw, isal_zlib.compressobj(1, wbits=31)

    def write(self, data: bytes) -> int:
        self._raw.write(self._deflate.compress(data))
        return len(data)

    def close(self) -> None:
        self._raw.write(self._deflate.flush())


class _Tar:
    def __init__(self, tar: tarfile.TarFile, mtime: int) -> None:
        self._tar, self._mtime = tar, mtime

    def add(self, name: str, packet: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = len(packet), self._mtime, 0o644
        self._tar.addfile(info, BytesIO(packet))


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, packet: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packet)


@contextmanager
def tar_archive(path: Path, mtime: int) -> Iterator[PacketFile]:
    """A gzipped tar whose bytes depend on nothing but the packets; it gets its name once it is whole."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with (
            unfinished.open("wb") as raw,
            closing(_Gzip(raw)) as packed,
            tarfile.open(fileobj=cast(IO[bytes], packed), mode="w|", format=tarfile.USTAR_FORMAT) as tar,
        ):
            yield _Tar(tar, mtime)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def packet_folder(path: Path, mtime: int) -> Iterator[PacketFile]:
    """A folder with one file a packet."""
    path.mkdir(parents=True, exist_ok=True)
    yield _Folder(path)
