"""WHERE clause of SQLite for a plan, equivalent to its evaluation on Arrow columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redpoll.expression.plan import Step

_OPERATORS = {"and": " AND ", "or": " OR ", "==": " = ", "!=": " <> "}
_OPERATORS |= {operator: f" {operator} " for operator in ("<", "<=", ">", ">=", "+", "-", "*", "/")}
_PREFIXES = {"not": "NOT ", "negate": "-"}
Quote = Callable[[str], str]


def quoted(name: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def where(step: Step, quote: Quote = quoted) -> tuple[str, list[Any]]:
    """The clause, with a ``?`` for every constant, and the constants in order."""
    params: list[Any] = []
    return _render(step, quote, params), params


def _render(step: Step, quote: Quote, params: list[Any]) -> str:
    if step.operation == "column":
        return quote(str(step.value))
    if step.operation == "constant":
        params.append(int(step.value) if isinstance(step.value, bool) else step.value)
        return "?"
    args = [_render(arg, quote, params) for arg in step.args]
    if step.operation in _OPERATORS:
        return f"({_OPERATORS[step.operation].join(args)})"
    if step.operation in _PREFIXES:
        return f"({_PREFIXES[step.operation]}{args[0]})"
    if step.operation == "is_null":
        return f"({args[0]} IS NULL)"
    if step.operation == "to_float":
        return f"CAST({args[0]} AS REAL)"
    if step.operation == "in":
        values = step.value if isinstance(step.value, tuple) else ()
        params.extend(values)
        return f"({args[0]} IN ({', '.join('?' * len(values))}))"
    return f"{step.operation}({', '.join(args)})"
