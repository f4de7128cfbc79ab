"""Columns of catalogues and hosts in batches that no cross-match has seen."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.crossmatch.host_columns import COLUMNS as HOST_COLUMNS
from redpoll.crossmatch.known_columns import known_columns


def with_hosts(batch: pa.RecordBatch, **hosts: NDArray[np.float64]) -> pa.RecordBatch:
    """The batch with these columns of the likely host, null where they are NaN."""
    fields = [HOST_COLUMNS[name].field(name, by="the truth") for name in hosts]
    arrays = [pa.array(v, from_pandas=True).cast(f.type) for v, f in zip(hosts.values(), fields, strict=True)]
    return pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=pa.schema([*batch.schema, *fields]))


def without_catalogues(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with every catalogue's column; null where it has none."""
    fields = [c.field(n, by="none") for n, c in known_columns().items() if n not in batch.schema.names]
    arrays = [*batch.columns, *(pa.nulls(batch.num_rows, f.type) for f in fields)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([*batch.schema, *fields]))
