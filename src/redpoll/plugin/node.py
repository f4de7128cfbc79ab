"""Interface of science modules and filters to the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pyarrow as pa

from redpoll.plugin.columns import Columns
from redpoll.schema.column import Column

Attempt = Callable[..., Any]
"""Called as ``attempt(row, function, **arguments)``; returns None if the function failed and failures are isolated."""

FILE_PREFIX = "redpoll_file_"
"""Prefix of the names of Python modules that were loaded from a user's file."""


def unguarded(row: int, function: Callable[..., Any], /, **arguments: Any) -> Any:
    """Attempt without isolation: exceptions propagate."""
    return function(**arguments)


class Node(Protocol):
    """One step of the graph: reads the columns `inputs` and adds the columns `outputs`."""

    @property
    def name(self) -> str:
        """Name, unique in a graph; a filter's topic."""
        ...

    @property
    def version(self) -> str:
        """Version, stored with every value."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the columns it reads."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the batch columns that the inputs are read from."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings with their defaults."""
        ...

    @property
    def outputs(self) -> Mapping[str, Column]:
        """The columns it adds."""
        ...

    @property
    def model(self) -> str | None:
        """Name of its trained model; None if it has none."""
        ...

    @property
    def features(self) -> tuple[str, ...]:
        """Inputs of that model, in order."""
        ...

    @property
    def compile_group(self) -> str | None:
        """Name of the modules that are compiled together ahead of the first run; None if it compiles in no time."""
        ...

    @property
    def is_module(self) -> bool:
        """Whether it is a science module, whose missing outputs are null; those of a filter are False."""
        ...

    def check(self, columns: Mapping[str, Column]) -> None:
        """Raise UnknownColumn or ExpressionError unless these columns suffice."""
        ...

    def compute(
        self, columns: Columns, settings: Mapping[str, Any], model: Any = None, attempt: Attempt = unguarded
    ) -> dict[str, pa.Array]:
        """The outputs for a batch."""
        ...


class FunctionNode(Node, Protocol):
    """A node made from a Python function: a science module or an alert filter."""

    @property
    def function(self) -> Callable[..., Any]:
        """The function; its parameters are the inputs, the settings and, if it is given one, the model."""
        ...

    @property
    def per(self) -> str:
        """``"batch"``: called once with arrays; ``"object"``: called once for each alert."""
        ...
