"""Cross-match stage: adds the columns of all contexts to a batch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from redpoll.crossmatch.context import Context, Missing
from redpoll.errors import PluginError
from redpoll.plugin.isolation import FailureLog, Guard
from redpoll.schema.alert import COLUMNS, PACKET
from redpoll.schema.column import Column


@dataclass(frozen=True)
class StageResult:
    """A batch with the contexts' columns; with the failures and the run time in seconds of each context.

    The columns of a context that failed are null.
    """

    batch: pa.RecordBatch
    failures: dict[str, str]
    seconds: dict[str, float]


class Stage:
    """All contexts as one function from Arrow batch to Arrow batch.

    Parameters
    ----------
    contexts
        Contexts in order; each can read the columns of those before it.
    missing
        Contexts that are not installed; their columns are null.
    clock
        Clock in seconds, for run times and the log of failures.

    Raises
    ------
    PluginError
        If two contexts have the same name, or a column of a context exists already.
    """

    def __init__(
        self, contexts: Sequence[Context], missing: Sequence[Missing] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.contexts, self.missing = tuple(contexts), tuple(missing)
        self._clock, self._log = clock, FailureLog(clock)
        _refuse_duplicates([context.name for context in contexts], "context")
        _refuse_duplicates([*COLUMNS, *(name for columns in self._declared for name in columns)], "column")

    def timed_by(self, clock: Callable[[], float]) -> Stage:
        """The same stage, its contexts timed by another clock."""
        return Stage(self.contexts, self.missing, clock)

    def only(self, names: Container[str]) -> Stage:
        """The stage with some of its contexts, and nothing missing."""
        return Stage([context for context in self.contexts if context.name in names], clock=self._clock)

    @property
    def _declared(self) -> list[Mapping[str, Column]]:
        return [*(context.columns for context in self.contexts), *(missing.columns for missing in self.missing)]

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column that the stage adds."""
        return {name: column for columns in self._declared for name, column in columns.items()}

    @cached_property
    def fields(self) -> tuple[pa.Field, ...]:
        """The fields of these columns; the maker is ``name@version``, or ``name: not installed``."""
        made = [(name, column, f"{c.name}@{c.version}") for c in self.contexts for name, column in c.columns.items()]
        made += [(name, column, f"{m.name}: {m.why}") for m in self.missing for name, column in m.columns.items()]
        return tuple(column.field(name, by=by) for name, column, by in made)

    def run(self, batch: pa.RecordBatch) -> StageResult:
        """Add every context's columns to a batch, before ``packet``; columns of these names are replaced.

        The columns of a context that raises, or returns undeclared columns or types, are null in this batch, and it is
        listed in ``failures``.
        """
        failures: dict[str, str] = {}
        seconds: dict[str, float] = {}
        batch = self._with_nulls(batch)
        for context in self.contexts if batch.num_rows else ():
            start = self._clock()
            guard = Guard(context, batch.num_rows)
            batch = _filled(batch, guard.attempt(_matched, context=context, batch=batch) or {})
            seconds[context.name] = self._clock() - start
            if guard.error:
                failures[context.name] = guard.message
                self._log.report(guard)
        return StageResult(batch, failures, seconds)

    def _with_nulls(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with all columns of the stage, null."""
        made = {field.name for field in self.fields}
        old = [field for field in batch.schema if field.name not in made and field.name != PACKET]
        packet = [field for field in batch.schema if field.name == PACKET]
        schema = pa.schema([*old, *self.fields, *packet], metadata=batch.schema.metadata)
        columns = [pa.nulls(batch.num_rows, f.type) if f.name in made else batch[f.name] for f in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)


def _filled(batch: pa.RecordBatch, arrays: dict[str, pa.Array]) -> pa.RecordBatch:
    columns = [arrays.get(name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _matched(context: Context, batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """The columns of a context; PluginError unless they are as declared."""
    found = context.match(batch)
    if found.keys() != context.columns.keys():
        raise PluginError(f"{context.name}: expected the columns {', '.join(context.columns)}; got {', '.join(found)}")
    for name, column in context.columns.items():
        if len(found[name]) != batch.num_rows or found[name].type != column.arrow_type:
            wanted = f"{batch.num_rows} of {column.arrow_type}"
            raise PluginError(
                f"{context.name}: {name}: expected {wanted}; got {len(found[name])} of {found[name].type}"
            )
    return found


def _refuse_duplicates(names: Sequence[str], what: str) -> None:
    if doubled := [name for name, n in Counter(names).items() if n > 1]:
        raise PluginError(f"cross-match: more than one {what} named {', '.join(doubled)}; rename or remove one")
