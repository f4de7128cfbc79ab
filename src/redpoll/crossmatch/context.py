"""Interface of contexts: catalogues, watchlists, regions, sky maps, dust and hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from redpoll.schema.column import Column


class Context(Protocol):
    """Data about positions on the sky, or objects, that add columns to a batch of alerts.

    The maker of the columns is ``name@version``. The columns of a context that raises are null in that batch, and the
    failure is counted.
    """

    @property
    def name(self) -> str:
        """Name, unique among the contexts and prefix of its columns: ``vsx`` adds ``vsx_type``."""
        ...

    @property
    def version(self) -> str:
        """Version, stored with every value; changes whenever a value may change."""
        ...

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns it adds."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of a batch that it reads; those that other contexts add may be missing."""
        ...

    def match(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """The columns for a batch of the alert table: one array each, as long as the batch; null without a match."""
        ...


@dataclass(frozen=True)
class Missing:
    """A context that is not installed: its columns are null, with the maker "name: why"."""

    name: str
    columns: Mapping[str, Column]
    why: str = "not installed"
