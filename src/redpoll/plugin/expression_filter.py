"""An expression as an alert filter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Any, ClassVar

import pyarrow as pa

from redpoll.errors import ExpressionError
from redpoll.expression import Expression, parse_expression
from redpoll.plugin.columns import Columns
from redpoll.plugin.node import Attempt, unguarded
from redpoll.schema.column import Column
from redpoll.schema.names import valid_name


@dataclass(frozen=True)
class ExpressionFilter:
    """An alert filter defined by an expression; used in a graph like any other filter."""

    topic: str
    expression: Expression
    model: ClassVar[None] = None
    features: ClassVar[tuple[str, ...]] = ()
    compile_group: ClassVar[None] = None
    is_module: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def __str__(self) -> str:
        return f"{self.topic}@{self.version}"

    def __reduce__(self) -> tuple[Any, ...]:
        return expression_filter, (self.topic, self.expression.text)

    @property
    def name(self) -> str:
        """The topic."""
        return self.topic

    @property
    def version(self) -> str:
        """Eight hexadecimal digits of the hash of the expression."""
        return sha256(str(self.expression).encode()).hexdigest()[:8]

    @property
    def doc(self) -> str:
        """The normalised expression."""
        return str(self.expression)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns it reads."""
        return self.expression.columns

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of a batch it reads."""
        return self.expression.columns

    @property
    def outputs(self) -> Mapping[str, Column]:
        """The column it adds: ``pass_<topic>``, never null."""
        return {f"pass_{self.topic}": Column("bool", doc=self.doc)}

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise ExpressionError if a column is unknown or a type does not fit."""
        with _topic_named(self.topic):
            self.expression.check(columns)

    def compute(
        self, columns: Columns, settings: Mapping[str, Any], model: Any = None, attempt: Attempt = unguarded
    ) -> dict[str, pa.Array]:
        """The column ``pass_<topic>`` for a batch."""
        with _topic_named(self.topic):
            return {f"pass_{self.topic}": self.expression.passes(columns)}


def expression_filter(topic: str, text: str) -> ExpressionFilter:
    """An alert filter that passes the alerts for which the expression `text` holds.

    Raises
    ------
    ExpressionError
        If the text is no expression; the message names the topic.
    PluginError
        If the topic is no snake_case name.

    Examples
    --------
    >>> {name: column.doc for name, column in expression_filter("bright", "mag < 18").outputs.items()}
    {'pass_bright': 'mag < 18'}
    """
    with _topic_named(valid_name(topic, "a topic")):
        return ExpressionFilter(topic, parse_expression(text))


@contextmanager
def _topic_named(topic: str) -> Iterator[None]:
    """Put the topic before the message of an ExpressionError."""
    try:
        yield
    except ExpressionError as error:
        raise ExpressionError(f"topic '{topic}': {error}") from error
