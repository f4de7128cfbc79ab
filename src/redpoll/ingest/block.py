"""Block of packets that are processed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class Block:
    """Packets end to end in one buffer: packet ``i`` is ``buffer[offsets[i]:offsets[i + 1]]``.

    ``generation`` is that of the model registry when the block was begun.
    """

    buffer: pa.Buffer
    offsets: NDArray[np.int64]
    generation: int = 0

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def packet(self, i: int) -> memoryview:
        """Bytes of packet `i`, without a copy."""
        return memoryview(self.buffer).cast("B")[self.offsets[i] : self.offsets[i + 1]]

    @classmethod
    def of(cls, packets: Sequence[bytes], generation: int = 0) -> Block:
        """A block holding a copy of these packets."""
        return cls(pa.py_buffer(b"".join(packets)), np.cumsum([0, *map(len, packets)]), generation)
