"""Checksums of files: one list per folder, in the form that ``sha256sum -c`` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from redpoll.store.layout import sync

SUMS = "SHA256SUMS"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path, sums: Mapping[str, str]) -> str:
    """Write and sync the list of a folder, from path inside it to SHA-256; returns the SHA-256 of the list itself."""
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    (folder / SUMS).write_text(text)
    sync(folder / SUMS)
    return hashlib.sha256(text.encode()).hexdigest()


def checksum_of(folder: Path) -> str:
    """SHA-256 of the list of a folder: the one value that stands for all its files; OSError if there is no list."""
    return sha256_of(folder / SUMS)


def read_sums(folder: Path) -> dict[str, str] | None:
    """The list of a folder, from path inside it to SHA-256; None if there is none, or it cannot be read."""
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    pairs = [line.split("  ", 1) for line in lines]
    if any(len(pair) != 2 or len(pair[0]) != 64 for pair in pairs):
        return None
    return {name: digest for digest, name in pairs}
