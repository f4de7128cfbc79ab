"""Download of a large file over HTTP: resumed after an interruption, checked, and renamed when complete."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from redpoll.errors import SourceError

log = logging.getLogger(__name__)

Progress = Callable[[int, int | None], None]
_WAITS = (1.0, 2.0, 5.0, 10.0)
_TIMEOUT = httpx.Timeout(60.0, connect=15.0)


@dataclass(frozen=True)
class Download:
    """A file to fetch from `url` to `out`; an incomplete file is kept beside `out` with the suffix ``.part``.

    Parameters
    ----------
    if_missing
        Text of the error if the server has no such file.
    progress
        Called with the bytes received and the total, None if unknown.
    check
        Called with the complete file before it is renamed; raises SourceError if the file is wrong.
    """

    url: str
    out: Path
    if_missing: str
    progress: Progress
    check: Callable[[Path], None]
    sleep: Callable[[float], None] = time.sleep

    def run(self) -> Path:
        """Fetch the file unless it exists, and return its path.

        Raises
        ------
        SourceError
            If there is no such file, no network, no space, a wrong checksum, or another process fetches it.
        """
        if self.out.exists():
            log.info("%s exists already", self.out)
            return self.out
        try:
            with _locked(self._part) as file:
                if not self.out.exists():
                    self._fetch(file)
                    self._finish(file)
        except OSError as error:
            raise SourceError(_disk_trouble(self._part, error)) from error
        return self.out

    @property
    def _part(self) -> Path:
        return self.out.with_name(f"{self.out.name}.part")

    @property
    def _state(self) -> Path:
        return self.out.with_name(f"{self.out.name}.part.json")

    def _fetch(self, file: BinaryIO) -> None:
        """Send requests until the file is complete; give up after several that add nothing."""
        best, idle = _size(file), 0
        while True:
            try:
                with httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
                    if self._request(client, file):
                        return
                problem = "the partial file does not fit the file on the server"
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
            best, idle = (size, 0) if (size := _size(file)) > best else (best, idle + 1)
            if idle > len(_WAITS):
                raise SourceError(
                    f"{self.url}: {problem}. The received part is kept: check the network and run the same command"
                )
            log.warning("%s: %s; going on from %d bytes", self.url, problem, size)
            self.sleep(_WAITS[max(idle - 1, 0)])

    def _request(self, client: httpx.Client, file: BinaryIO) -> bool:
        """Request the missing bytes; returns whether the file is complete."""
        held, validator = _size(file), self._validator()
        headers = {"Accept-Encoding": "identity"}
        if held and validator:
            headers |= {"Range": f"bytes={held}-", "If-Range": validator}
        with client.stream("GET", self.url, headers=headers) as response:
            if response.status_code == 416:
                return self._nothing_left(response, file)
            self._refuse_errors(response)
            if response.status_code == 206 and not response.headers.get("content-range", "").startswith(
                f"bytes {held}-"
            ):
                file.truncate(0)
                return False
            if response.status_code == 200:
                self._begin(response, file)
            self._receive(response, file)
        return True

    def _nothing_left(self, response: httpx.Response, file: BinaryIO) -> bool:
        if response.headers.get("content-range", "") == f"bytes */{_size(file)}":
            return True
        file.truncate(0)
        return False

    def _refuse_errors(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == 404:
            raise SourceError(f"{self.url}: not found. {self.if_missing}")
        if status >= 500 or status == 429:
            raise httpx.HTTPStatusError(f"status {status}", request=response.request, response=response)
        if status not in (200, 206):
            raise SourceError(f"{self.url}: the server answers with status {status}; check the address")

    def _begin(self, response: httpx.Response, file: BinaryIO) -> None:
        """Start from the first byte, and store the file's validator; a weak ETag does not identify the bytes."""
        file.truncate(0)
        etag = response.headers.get("etag", "")
        validator = etag if etag and not etag.startswith("W/") else response.headers.get("last-modified", "")
        self._state.write_text(json.dumps({"url": self.url, "validator": validator}), "utf-8")

    def _validator(self) -> str:
        try:
            state = json.loads(self._state.read_text("utf-8"))
            return str(state["validator"]) if state["url"] == self.url else ""
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _receive(self, response: httpx.Response, file: BinaryIO) -> None:
        held, length = _size(file), response.headers.get("content-length", "")
        total = held + int(length) if length.isdigit() else None
        free = shutil.disk_usage(self.out.parent).free
        if total is not None and free < total - held:
            raise OSError(errno.ENOSPC, f"{(total - held) / 1e9:.2f} GB missing, {free / 1e9:.2f} GB free")
        file.seek(held)
        for chunk in response.iter_raw():
            _write(file, chunk)
            held += len(chunk)
            self.progress(held, total)

    def _finish(self, file: BinaryIO) -> None:
        """Check the complete file and rename it; a wrong one is renamed to ``.corrupt``."""
        os.fsync(file.fileno())
        self._state.unlink(missing_ok=True)
        try:
            self.check(self._part)
        except SourceError as error:
            aside = self.out.with_name(f"{self.out.name}.corrupt")
            self._part.replace(aside)
            raise SourceError(f"{error}; it is kept as {aside}. Run the same command to fetch it again") from error
        self._part.replace(self.out)


@contextmanager
def _locked(part: Path) -> Iterator[BinaryIO]:
    """The partial file, opened and locked for this process."""
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch()
    with part.open("r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SourceError(f"{part}: another process is fetching it; wait until it ends") from error
        try:
            yield file
        finally:
            if not _size(file):
                part.unlink(missing_ok=True)


def _write(file: BinaryIO, data: bytes) -> None:
    """Write all of `data`; one write to an unbuffered file may be partial, as on a nearly full disk."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _disk_trouble(part: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = f"{part}: no space left on the disk ({error.strerror})"
        return f"{what}. The received part is kept: make room and run the same command"
    return f"{part}: cannot be written ({error.strerror or error}); check the folder and its permissions"
