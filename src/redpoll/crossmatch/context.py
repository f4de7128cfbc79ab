"""What every answer to "what is known at this place?" looks like: a catalogue, a watchlist, a region, a sky map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from redpoll.schema.column import Column


class Context(Protocol):
    """Something known about places on the sky (or about objects), which adds columns to a batch of alerts.

    The stage gives each column's field the maker ``name@version``. A context that raises has null columns for that
    batch; the failure is counted and shown.
    """

    @property
    def name(self) -> str:
        """Unique among the contexts; its columns begin with it: ``vsx`` makes ``vsx_type``."""
        ...

    @property
    def version(self) -> str:
        """Stored beside every value; changes whenever an answer may change."""
        ...

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns it adds."""
        ...

    def match(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """The columns for a batch of the alert table: one array each, as long as the batch; null is "no answer"."""
        ...


@dataclass(frozen=True)
class Missing:
    """A context that is not there: its columns are part of the alert table all the same, null, made by "name: why"."""

    name: str
    columns: Mapping[str, Column]
    why: str = "not installed"
