"""Download of nights of alerts from public archives."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx

from redpoll.errors import SourceError, UsageError
from redpoll.web.bounded_get import bounded_get, parse_address
from redpoll.web.download import Download, Progress

log = logging.getLogger(__name__)

ZTF_ARCHIVE = "https://ztf.uw.edu/alerts/public/"
_FIRST_NIGHT = date(2018, 6, 1)
_MD5_LINE = re.compile(r"([0-9a-fA-F]{32})\s+\*?(?:\./)?(\S+)")
_MAX_LIST_BYTES = 8 << 20
_GZIP = b"\x1f\x8b"


def fetch_ztf_night(
    night: str,
    out: Path,
    *,
    base_url: str = ZTF_ARCHIVE,
    progress: Progress = lambda done, total: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Download one night of ZTF's public alerts, and return the path of its ``.tar.gz``.

    An interrupted download is resumed, a complete file is not fetched again, and its MD5 is checked if the archive
    lists it.

    Parameters
    ----------
    night
        UTC date as ``YYYYMMDD``.
    out
        Destination folder, created if needed.
    progress
        Called with the bytes received and the total, None if unknown.

    Raises
    ------
    UsageError
        If `night` is not a date with public alerts.
    SourceError
        If the night cannot be fetched; the message names the remedy.
    """
    name = f"ztf_public_{_checked(night)}.tar.gz"
    base = parse_address(base_url, "the alert archive").url
    if_missing = f"No public alerts of {night}: nothing was observed, or the archive has not published the night yet"

    def check(part: Path) -> None:
        _check_archive(part, f"{base}/{name}", _listed_md5(base, name))

    return Download(f"{base}/{name}", out / name, if_missing, progress, check, sleep).run()


def _checked(night: str) -> str:
    try:
        day = datetime.strptime(night, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise UsageError(f"'{night}' is not a date; write the night as YYYYMMDD, such as 20240117") from error
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    if len(night) != 8 or not _FIRST_NIGHT <= day <= tomorrow:
        raise UsageError(f"'{night}': public ZTF alerts are from {_FIRST_NIGHT:%Y%m%d} to today, as YYYYMMDD")
    return night


def _check_archive(path: Path, url: str, md5: str | None) -> None:
    """Raise SourceError unless the file is gzip and has the checksum, if one is given."""
    with path.open("rb") as file:
        if file.read(2) != _GZIP:
            raise SourceError(f"{url}: the response is not gzip, perhaps an error page")
        file.seek(0)
        if md5 is not None and (found := hashlib.file_digest(file, _md5).hexdigest()) != md5:
            raise SourceError(f"{url}: its MD5 is {found}, the archive lists {md5}")


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


def _listed_md5(base: str, name: str) -> str | None:
    """The checksum that the archive lists for a file; None, with a warning, if it lists none."""
    try:
        with httpx.Client(follow_redirects=True) as client:
            answer = bounded_get(client, f"{base}/MD5SUMS", seconds=60.0, max_bytes=_MAX_LIST_BYTES)
    except httpx.HTTPError as error:
        log.warning("%s: its checksum is not checked: the archive's list cannot be read (%s)", name, error)
        return None
    listed = _MD5_LINE.findall(answer.body.decode("utf-8", "replace")) if answer.status == 200 else []
    for md5, file in listed:
        if file == name:
            return str(md5).lower()
    log.warning("%s: its checksum is not checked: the archive lists none", name)
    return None
