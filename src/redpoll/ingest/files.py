"""Sources of packets from files, folders and globs, and from any scheme that a plugin claims."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from redpoll.errors import RedpollError, SourceError, near
from redpoll.ingest.byte_stream import ByteStream
from redpoll.ingest.folders import packet_files
from redpoll.ingest.origin import Origin
from redpoll.ingest.parquet_rows import row_packets
from redpoll.ingest.recognise import HEAD_BYTES, Kind, recognise
from redpoll.ingest.unpack import Unpacker
from redpoll.plugin.discovery import installed_sources
from redpoll.plugin.isolation import error_text, outcome
from redpoll.plugin.polling import FiniteSource
from redpoll.plugin.ports import ReceivedPacket, Source

log = logging.getLogger(__name__)

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://")


class FileSource(FiniteSource):
    """Packets of one file of any kind; ``n_read`` is how many of its ``n_bytes`` were read so far."""

    def __init__(self, path: Path, name: str, n_bytes: int | None) -> None:
        super().__init__(name, n_bytes)
        self.path, self.n_read = path, 0

    def _read(self) -> Iterator[ReceivedPacket]:
        try:
            file = self.path.open("rb", buffering=0)
        except OSError as error:
            raise SourceError(
                f"{self.name}: cannot be opened ({error.strerror}); check path and permissions"
            ) from error
        with file:
            yield from self._packets_in(file)

    def _packets_in(self, file: BinaryIO) -> Iterator[ReceivedPacket]:
        stream = ByteStream(file.read)
        if recognise(stream.peek(HEAD_BYTES)) is Kind.PARQUET:
            yield from row_packets(str(self.path), Origin(self.name), on_row=self._read_fraction)
            return
        for packet in Unpacker().packets(stream, Origin(self.name)):
            self.n_read = file.tell()
            yield packet
        self.n_read = file.tell()
        if stream.damage:
            raise SourceError(f"{self.name}: cannot be read to its end ({stream.damage}); copy it again")

    def _read_fraction(self, fraction: float) -> None:
        self.n_read = int(fraction * (self.n_bytes or 0))


def open_source(where: str | Path, **settings: Any) -> Source:
    """Source of the packets in one file, or at a URI whose scheme a plugin claims.

    Parameters
    ----------
    where
        Path of a file, or a URI such as ``file:///nights/a.tar.gz`` or ``myscheme://host/topic``.
    settings
        Passed on to the plugin; a file has none.

    Raises
    ------
    SourceError
        If there is no such file, or no plugin for the scheme.
    """
    if scheme := _SCHEME.match(str(where)):
        return _plugin_source(scheme[1], str(where), settings)
    return file_source(str(where), **settings)


def open_sources(inputs: Iterable[str | Path]) -> list[Source]:
    """Sources of files, folders, globs and URIs, in the order given; files of a folder or glob sorted by path.

    A file that is reached twice is read once. Hidden files and sidecars of folders are left out and logged with the
    reason.

    Raises
    ------
    SourceError
        If an input does not exist or holds no packets.
    """
    sources: list[Source] = []
    seen: set[Path] = set()
    for input_ in inputs:
        if _SCHEME.match(str(input_)):
            sources.append(open_source(input_))
            continue
        for path in packet_files(Path(input_)):
            if (real := path.resolve()) in seen:
                log.info("%s: skipped: it is read already", path)
                continue
            seen.add(real)
            sources.append(open_source(path))
    return sources


def file_source(uri: str) -> FileSource:
    """Source of one file, by path or by ``file://`` URI; what the scheme `file` is registered as."""
    path = Path(unquote(urlsplit(uri).path)) if uri.startswith("file://") else Path(uri)
    try:
        n_bytes = path.stat().st_size
    except OSError as error:
        raise SourceError(f"{uri}: {error.strerror}; give a file, a folder or a glob in quotes") from error
    if not path.is_file():
        raise SourceError(f"{uri}: not a regular file; folders and globs are for open_sources")
    return FileSource(path, str(path), n_bytes)


def _plugin_source(scheme: str, uri: str, settings: dict[str, Any]) -> Source:
    """What a plugin makes of a URI; SourceError that names the URI if it fails, or makes no source."""
    plugins = installed_sources()
    if scheme not in plugins:
        raise SourceError(f"{uri}: no installed source reads '{scheme}://'{near(scheme, plugins)}")
    source, error = outcome(partial(plugins[scheme], uri), **settings)
    if isinstance(error, RedpollError):
        raise error
    if error is not None:
        raise SourceError(f"{uri}: the source '{scheme}' failed: {error_text(error)}") from error
    if not isinstance(source, Source):
        raise SourceError(f"{uri}: the source '{scheme}' made a {type(source).__name__}; update its package")
    return source
