"""Messages that a parked sink has not taken yet, in a file that survives a crash.

A spool is a folder with ``NNNNNN.spool``, frames of messages one after the other, each with its length and checksum,
and ``NNNNNN.sent``, the offset up to which they were sent. A frame counts once it is synced; one that a crash cut short
is cut off when the spool is opened, since the block it belongs to was not committed.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b, sha256
from pathlib import Path
from typing import BinaryIO

from redpoll.errors import SinkError
from redpoll.plugin.ports import Message

_HEADER = struct.Struct("<4sQI")
_LENGTHS = struct.Struct("<III")
_MAGIC = b"RPsp"


def spool_name(sink: str) -> str:
    """Name of the spool's folder: readable, safe in a path, unique to the sink.

    >>> spool_name("json_lines:out/{topic}.jsonl")
    'json_lines_out_topic_jsonl-0289a95f'
    """
    readable = re.sub(r"[^a-z0-9]+", "_", sink.lower()).strip("_")[:40]
    return f"{readable}-{sha256(sink.encode()).hexdigest()[:8]}"


class Spool:
    """The spool in `folder`, which is made when there is something to keep. One process uses it at a time.

    Parameters
    ----------
    folder
        Its folder.
    max_bytes
        Largest size on disk; a spool that would grow beyond it refuses more messages.

    Raises
    ------
    SinkError
        If it is damaged or cannot be read.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._keys: set[bytes] = set()
        self._size = self._sent = 0
        with self._disk():
            older, self._generation = self._generations()
            if self._file.exists():
                self._recover()
            for old in older:  # the newest holds all that was not sent of them, and could be read
                old.unlink()

    @property
    def n_messages(self) -> int:
        """How many messages wait."""
        return len(self._keys)

    def append(self, messages: Sequence[Message]) -> None:
        """Keep messages; on return they are on disk. One whose key waits already is not kept twice.

        Raises
        ------
        SinkError
            If the spool is full, or the disk does not take them; then none of them is kept.
        """
        unique = {_digest(message["key"]): message for message in messages}
        new = {key: message for key, message in unique.items() if key not in self._keys}
        if not new:
            return
        frame = _frame(list(new.values()))
        if self._size + len(frame) > self._max_bytes and self._sent:
            self._drop_sent()
        if self._size + len(frame) > self._max_bytes:
            raise SinkError(
                f"the spool {self._folder} is full ({self._max_bytes / 1e6:,.0f} MB, {self.n_messages:,} messages): "
                "make the sink work again, or raise delivery.max_spool_mb"
            )
        with self._disk():
            self._write(frame)
        self._size += len(frame)
        self._keys.update(new)

    def frames(self) -> Iterator[tuple[int, list[Message]]]:
        """Messages not sent yet, oldest first, in the groups in which they came; each with the offset of its end."""
        if not self._size:
            return
        with self._disk(), self._file.open("rb") as file:
            file.seek(self._sent)
            while (body := _read_body(file)) is not None:
                yield file.tell(), _messages(body)

    def mark_sent(self, end: int, messages: Sequence[Message]) -> None:
        """Remember that everything up to the offset `end` was sent, of which `messages` are the last."""
        with self._disk():
            if end >= self._size:
                self._file.unlink()  # before its mark: a mark without a spool is harmless
                self._mark.unlink(missing_ok=True)
                self._generation += 1
                self._size = self._sent = 0
            else:
                temporary = self._mark.with_suffix(".tmp")
                _write_synced(temporary, str(end).encode())
                temporary.replace(self._mark)
                self._sent = end
            _sync(self._folder)
        self._keys.difference_update(_digest(message["key"]) for message in messages)

    @property
    def _file(self) -> Path:
        return self._folder / f"{self._generation:06d}.spool"

    @property
    def _mark(self) -> Path:
        return self._folder / f"{self._generation:06d}.sent"

    def _generations(self) -> tuple[list[Path], int]:
        """Spools of older generations, and the newest generation with a spool; beyond every mark if there is none."""
        spools = sorted(self._folder.glob("[0-9]*.spool"))
        if spools:
            return spools[:-1], int(spools[-1].stem)
        return [], 1 + max((int(mark.stem) for mark in self._folder.glob("[0-9]*.sent")), default=0)

    def _recover(self) -> None:
        """Find the end of the last complete frame, cut off what follows, and read which messages wait."""
        if self._mark.exists():
            self._sent = int(self._mark.read_text())
        with self._file.open("r+b") as file:
            total = file.seek(0, os.SEEK_END)
            if self._sent > total:
                raise SinkError(
                    f"{self._mark} records {self._sent:,} bytes as sent, of {total:,}: remove it to send all"
                )
            file.seek(self._sent)
            while (body := _read_body(file)) is not None:
                self._keys.update(_digest(message["key"]) for message in _messages(body))
                self._size = file.tell()
            end = max(self._size, self._sent)
            if end < total and not _is_torn(file, end, total):
                raise SinkError(
                    f"{self._file} is damaged at byte {end:,} of {total:,}; move it away to go on without the messages "
                    "after it"
                )
            file.truncate(end)
            os.fsync(file.fileno())
            self._size = end
        if not self._keys:
            self.mark_sent(self._size, ())

    def _write(self, frame: bytes) -> None:
        is_new = not self._file.exists()
        if is_new:
            self._folder.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as file:
            try:
                file.write(frame)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), self._size)
                raise
        if is_new:
            _sync(self._folder)
            _sync(self._folder.parent)

    def _drop_sent(self) -> None:
        """Copy what was not sent to a spool of the next generation, which replaces this one."""
        with self._disk():
            old, old_mark = self._file, self._mark
            rest = old.read_bytes()[self._sent :]
            self._generation += 1
            temporary = self._file.with_suffix(".tmp")
            _write_synced(temporary, rest)
            temporary.replace(self._file)
            _sync(self._folder)
            old.unlink()
            old_mark.unlink(missing_ok=True)
        self._size, self._sent = len(rest), 0

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, struct.error) as error:
            raise SinkError(f"the spool {self._folder} cannot be used: {error}") from error


def _frame(messages: Sequence[Message]) -> bytes:
    parts: list[bytes] = []
    for message in messages:
        fields = (message["key"].encode(), message["topic"].encode(), message["payload"])
        parts += [_LENGTHS.pack(*map(len, fields)), *fields]
    body = b"".join(parts)
    return _HEADER.pack(_MAGIC, len(body), zlib.crc32(body)) + body


def _read_body(file: BinaryIO) -> bytes | None:
    """The body of the frame at hand; None, with the file where it was, if there is no complete one."""
    start = file.tell()
    head = file.read(_HEADER.size)
    if len(head) == _HEADER.size:
        magic, length, checksum = _HEADER.unpack(head)
        left = os.fstat(file.fileno()).st_size - file.tell()
        if magic == _MAGIC and length <= left:
            body = file.read(length)
            if zlib.crc32(body) == checksum:
                return body
    file.seek(start)
    return None


def _is_torn(file: BinaryIO, end: int, total: int) -> bool:
    """Whether what follows `end` is a frame that was not written to its end, and not a damaged one."""
    file.seek(end)
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size or not any(head):
        return True
    magic, length, _ = _HEADER.unpack(head)
    return bool(magic == _MAGIC and end + _HEADER.size + length >= total)


def _messages(body: bytes) -> list[Message]:
    found: list[Message] = []
    at = 0
    while at < len(body):
        sizes = _LENGTHS.unpack_from(body, at)
        at += _LENGTHS.size
        key, topic, payload = (body[at + sum(sizes[:i]) : at + sum(sizes[: i + 1])] for i in range(3))
        at += sum(sizes)
        found.append({"key": key.decode(), "topic": topic.decode(), "payload": payload})
    return found


def _digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=16).digest()


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
