"""What the graph asks of a science module or a filter, however it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pyarrow as pa

from redpoll.plugin.columns import Columns
from redpoll.schema.column import Column

Attempt = Callable[..., Any]
"""Calls ``attempt(function, **arguments)``; gives None if the function failed and that is isolated."""


def unguarded(function: Callable[..., Any], **arguments: Any) -> Any:
    """The attempt that isolates nothing: a failure is raised."""
    return function(**arguments)


class Node(Protocol):
    """One step of the graph: reads the columns `inputs`, makes the columns `outputs`."""

    @property
    def name(self) -> str:
        """Unique in a graph; a filter's topic."""
        ...

    @property
    def version(self) -> str:
        """Stored beside every value."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the columns it reads."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the batch's columns behind the inputs."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings with their defaults."""
        ...

    @property
    def outputs(self) -> Mapping[str, Column]:
        """The columns it makes."""
        ...

    @property
    def model(self) -> str | None:
        """Name of the model it is given."""
        ...

    @property
    def features(self) -> tuple[str, ...]:
        """What that model is trained on, in order."""
        ...

    @property
    def is_module(self) -> bool:
        """Whether its "no answer" is null; a filter's is False."""
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
