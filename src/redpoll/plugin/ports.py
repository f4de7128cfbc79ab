"""What a source, a sink and a model look like to the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class Packet:
    """One alert packet as it was received.

    ``data`` is an Avro object container of one record, a Confluent-framed datum, or an Arrow IPC stream of
    one row; ``source`` names the file or topic, ``position`` the place in it.
    """

    data: bytes
    source: str
    position: str


@runtime_checkable
class Source(Protocol):
    """Packets from somewhere, in order. ``n_bytes`` is the size to expect, for progress; None if unknown."""

    name: str
    n_bytes: int | None

    def packets(self) -> Iterator[Packet]:
        """Yield every packet; a part that cannot be read raises SourceError naming source and position."""
        ...


@runtime_checkable
class Sink(Protocol):
    """Something that acts on alerts. Writes are idempotent by alert_id; a failed flush aborts the batch."""

    name: str

    def write(self, batch: pa.RecordBatch) -> None:
        """Take a processed batch; raise SinkBackpressure when full."""
        ...

    def flush(self) -> None:
        """Return once everything written is safe."""
        ...


@runtime_checkable
class Model(Protocol):
    """A trained model as a science module sees it: given by the registry, never loaded by the module."""

    version: str

    def predict_proba(self, X: NDArray[Any]) -> NDArray[Any]:
        """Class probabilities, one row per row of X."""
        ...
