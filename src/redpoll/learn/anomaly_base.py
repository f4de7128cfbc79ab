"""The rows that an anomaly model's trees are grown from: frozen, named by their hash, kept as plain numbers."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from redpoll.learn.errors import DatasetError

Rows = NDArray[np.float32]
MIN_ROWS, MAX_ROWS = 16, 1_000_000
MAX_FEATURES = 1000
_MAX_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class AnomalyBase:
    """Rows of features, float32 of shape (n, k), NaN where a feature is missing, and the k names.

    Raises
    ------
    DatasetError
        If the shapes do not fit, or there are fewer than 16 rows or more than a million.
    """

    names: tuple[str, ...]
    rows: Rows

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape[1] != len(self.names) or self.rows.dtype != np.float32:
            raise DatasetError(f"base of an anomaly model: rows of {self.rows.shape} for {len(self.names)} names")
        if not MIN_ROWS <= len(self.rows) <= MAX_ROWS:
            raise DatasetError(
                f"base of an anomaly model: {len(self.rows):,} rows; expected {MIN_ROWS} to {MAX_ROWS:,}"
            )

    @cached_property
    def hash(self) -> str:
        """SHA-256 of names and rows, in their order."""
        return hashlib.sha256(json.dumps(list(self.names)).encode() + self._bytes).hexdigest()

    @cached_property
    def medians(self) -> NDArray[np.float32]:
        """The median of each feature's finite values; 0 where it has none."""
        return np.array([_median(column) for column in self.rows.T], np.float32)

    @cached_property
    def filled(self) -> Rows:
        """The rows with medians where a feature is not finite."""
        return self.fill(self.rows)

    def fill(self, rows: Rows) -> Rows:
        """Rows of the same features with medians of the base where one is not finite."""
        return np.ascontiguousarray(np.where(np.isfinite(rows), rows, self.medians), np.float32)

    @property
    def _bytes(self) -> bytes:
        return np.ascontiguousarray(self.rows, "<f4").tobytes()

    def packed(self) -> bytes:
        """The rows as bytes, to be read by `unpacked`."""
        return zlib.compress(self._bytes, 1)


def unpacked(names: Sequence[str], data: bytes, sha256: str) -> AnomalyBase:
    """The base of `AnomalyBase.packed`; memory is bounded whatever the bytes are.

    Raises
    ------
    DatasetError
        If the bytes are no rows of these names, or not those of the hash.
    """
    names = tuple(names)
    if not 0 < len(names) <= MAX_FEATURES:
        raise DatasetError(f"base of an anomaly model: {len(names)} features")
    try:
        expander = zlib.decompressobj()
        raw = expander.decompress(data, _MAX_BYTES)
    except zlib.error as error:
        raise DatasetError(f"base of an anomaly model: its bytes cannot be read: {error}") from error
    if not expander.eof or len(raw) % (4 * len(names)):
        raise DatasetError(f"base of an anomaly model: {len(raw):,} bytes are no rows of {len(names)} numbers")
    base = AnomalyBase(names, np.frombuffer(raw, "<f4").reshape(-1, len(names)).astype(np.float32))
    if base.hash != sha256:
        raise DatasetError("base of an anomaly model: its rows are not those that were saved")
    return base


def _median(column: Rows) -> np.float32:
    known = column[np.isfinite(column)]
    return np.float32(np.median(known) if len(known) else 0)
