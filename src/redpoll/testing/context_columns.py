"""Synthetic columns of catalogues, hosts and dust, for modules and filters that read them."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.crossmatch.known_columns import known_columns
from redpoll.schema.column import Column

_WORDS = ("RRAB", "EA", "M", "UGSU", "QSO", "bll", "Star", "Galaxy", "TTS", "AT")


def with_context_columns(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with every column of Redpoll's own catalogues, hosts and dust that it lacks, half of the values null.

    An alert's values depend on its ``alert_id`` alone.

    >>> from redpoll.testing.batches import sample_batch
    >>> with_context_columns(sample_batch(100))["vsx_arcsec"].null_count
    57
    """
    ids = np.asarray(batch["alert_id"].fill_null(0).to_numpy(zero_copy_only=False), np.uint64)
    there = set(batch.schema.names)
    columns = {name: column for name, column in known_columns().items() if name not in there}
    arrays = [_synthetic(name, column, ids) for name, column in columns.items()]
    fields = [column.field(name, by="synthetic@1") for name, column in columns.items()]
    schema = pa.schema([*batch.schema, *fields], metadata=batch.schema.metadata)
    return pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=schema)


def _synthetic(name: str, column: Column, ids: NDArray[np.uint64]) -> pa.Array:
    kind, catalogue = column.arrow_type, name.partition("_")[0]
    value, hidden = _uniform(ids, name), _uniform(ids, catalogue) < 0.5
    if pa.types.is_string(kind):
        return pa.array(np.array(_WORDS)[(value * len(_WORDS)).astype(int)], kind, mask=hidden)
    if pa.types.is_boolean(kind):
        return pa.array(value < 0.5, mask=hidden)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return pa.array(value * (20 if "mag" in name else 2), mask=hidden).cast(kind, safe=False)
    return pa.nulls(len(ids), kind)


def _uniform(ids: NDArray[np.uint64], word: str) -> NDArray[np.float64]:
    """A number between 0 and 1 for each id, which the word shuffles."""
    mixed = (ids ^ np.uint64(crc32(word.encode()))) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray((mixed >> np.uint64(11)) / 2.0**53)
