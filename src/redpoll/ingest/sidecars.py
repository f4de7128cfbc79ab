"""Recognition of files without packets beside packets, by name and first bytes together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from redpoll.ingest.recognise import Kind, recognise

_TEXT = (".csv", ".html", ".json", ".log", ".md", ".rst", ".txt")
_SETTINGS = (".avsc", ".cfg", ".ini", ".toml", ".yaml", ".yml")
_CHECKSUMS = (".crc", ".md5", ".sha256")
_NAMES = ("MD5SUMS", "SHA256SUMS", "README", "LICENSE", "Thumbs.db")


def reason_to_skip(name: str, head: Callable[[], bytes]) -> str:
    """Reason why a file with this name and these first bytes holds no packets; empty if it may hold some.

    >>> reason_to_skip("night/.DS_Store", bytes), reason_to_skip("notes.json", lambda: b"{}")
    ('hidden', 'a sidecar, not packets')
    >>> reason_to_skip("packet.json", lambda: b"Obj\\x01")
    ''
    """
    path = PurePath(name)
    if path.name.startswith((".", "_")):
        return "hidden"
    if path.suffix == ".part":
        return "an unfinished download"
    if (path.suffix in (*_TEXT, *_SETTINGS, *_CHECKSUMS) or path.name in _NAMES) and recognise(head()) in (
        Kind.UNKNOWN,
        Kind.EMPTY,
    ):
        return "a sidecar, not packets"
    return ""
