"""Typed evaluation plan of an expression tree; every type conversion is a step.

Integers are compared exactly; comparisons with a float, and all arithmetic, are float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal as OneOf
from typing import NoReturn

import pyarrow as pa

from redpoll.errors import near
from redpoll.expression.syntax import (
    Arithmetic,
    Between,
    Call,
    Compare,
    In,
    IsNull,
    Literal,
    Logic,
    Name,
    Negate,
    Not,
    Tree,
)
from redpoll.expression.tokens import complaint
from redpoll.schema.column import Column, is_text

Kind = OneOf["bool", "int", "float", "string"]
_WORDS = {"bool": "a yes or no", "int": "a number", "float": "a number", "string": "a string"}


@dataclass(frozen=True)
class Step:
    """One operation on the results of the steps `args`; `value` is a constant, a name or a list of constants."""

    operation: str
    kind: Kind
    args: tuple[Step, ...] = ()
    value: bool | int | float | str | tuple[int | float | str, ...] | None = None


def plan(tree: Tree, columns: Mapping[str, Column], text: str) -> Step:
    """The plan of a boolean expression.

    Raises
    ------
    ExpressionError
        For an unknown column (with similar names) or a type that does not fit; the message shows the position.
    """
    planner = _Planner(columns, text)
    step = planner.step(tree)
    if step.kind != "bool":
        planner.refuse(tree, f"this is {_WORDS[step.kind]}, not a yes or no; compare it with something")
    return step


def kind_of(arrow_type: pa.DataType) -> Kind | None:
    """The kind of a column of this type in expressions; None if it cannot be used."""
    if pa.types.is_boolean(arrow_type):
        return "bool"
    if pa.types.is_integer(arrow_type):
        return "int" if arrow_type != pa.uint64() else "float"
    if pa.types.is_floating(arrow_type):
        return "float"
    return "string" if is_text(arrow_type) else None


class _Planner:
    def __init__(self, columns: Mapping[str, Column], text: str) -> None:
        self._columns, self._text = columns, text

    def refuse(self, tree: Tree, what: str) -> NoReturn:
        raise complaint(self._text, tree.at, what)

    def step(self, tree: Tree) -> Step:
        match tree:
            case Literal():
                return _constant(tree.value)
            case Name():
                return self._column(tree)
            case Negate():
                return Step("negate", "float", (self._float(tree.operand),))
            case Arithmetic():
                return Step(tree.operator, "float", (self._float(tree.left), self._float(tree.right)))
            case Call():
                return self._call(tree)
            case _:
                return self._condition(tree)

    def _condition(self, tree: Compare | Between | In | IsNull | Not | Logic) -> Step:
        match tree:
            case Compare():
                return self._compare(tree)
            case Between():
                operand, low, high = (self.step(part) for part in (tree.operand, tree.low, tree.high))
                parts = self._pair(tree, ">=", operand, low), self._pair(tree, "<=", operand, high)
                return Step("and", "bool", parts)
            case In():
                return self._in(tree)
            case IsNull():
                return Step("is_null", "bool", (self.step(tree.operand),))
            case Not():
                return Step("not", "bool", (self._bool(tree.operand),))
            case Logic():
                return Step(tree.operator, "bool", tuple(self._bool(part) for part in tree.parts))

    def _column(self, tree: Name) -> Step:
        if tree.name not in self._columns:
            hint = near(tree.name, self._columns).removeprefix("; ")
            self.refuse(tree, f"there is no column '{tree.name}'" + (f" ({hint})" if hint else ""))
        kind = kind_of(self._columns[tree.name].arrow_type)
        if kind is None:
            self.refuse(tree, f"'{tree.name}' is no number, string or yes or no")
        return Step("column", kind, (), tree.name)

    def _bool(self, tree: Tree) -> Step:
        step = self.step(tree)
        if step.kind != "bool":
            self.refuse(tree, f"expected a condition, this is {_WORDS[step.kind]}")
        return step

    def _float(self, tree: Tree) -> Step:
        return as_float(self._number(tree))

    def _number(self, tree: Tree) -> Step:
        step = self.step(tree)
        if step.kind not in ("int", "float"):
            self.refuse(tree, f"expected a number, this is {_WORDS[step.kind]}")
        return step

    def _compare(self, tree: Compare) -> Step:
        steps = [self.step(part) for part in tree.parts]
        chained = len(tree.operators) > 1
        pairs = zip(tree.operators, steps, steps[1:], strict=False)
        parts = tuple(self._pair(tree, operator, left, right, chained) for operator, left, right in pairs)
        return Step("and", "bool", parts) if chained else parts[0]

    def _pair(self, tree: Tree, operator: str, left: Step, right: Step, chained: bool = False) -> Step:
        kinds = {left.kind, right.kind}
        if len(kinds) == 2 and kinds != {"int", "float"}:
            self.refuse(tree, f"cannot compare {_WORDS[left.kind]} with {_WORDS[right.kind]}")
        if kinds == {"bool"} and (chained or operator not in ("==", "!=")):
            self.refuse(tree, "a yes or no can only be compared by a single == or !=")
        if "float" in kinds:
            left, right = as_float(left), as_float(right)
        return Step(operator, "bool", (left, right))

    def _in(self, tree: In) -> Step:
        operand = self.step(tree.operand)
        values = [_constant(value.value) for value in tree.values]
        for value, literal in zip(values, tree.values, strict=True):
            if (value.kind == "string") != (operand.kind == "string") or "bool" in (value.kind, operand.kind):
                self.refuse(literal, f"{_WORDS[operand.kind]} is never in a list with {_WORDS[value.kind]}")
        if "float" in {operand.kind, *(value.kind for value in values)}:
            operand, values = as_float(operand), [as_float(value) for value in values]
        return Step("in", "bool", (operand,), tuple(value.value for value in values))  # type: ignore[misc]

    def _call(self, tree: Call) -> Step:
        steps = tuple(self._number(part) for part in tree.parts)
        if tree.function in ("min", "max") and all(step.kind == "int" for step in steps):
            return Step(tree.function, "int", steps)
        return Step(tree.function, "float", tuple(as_float(step) for step in steps))


def as_float(step: Step) -> Step:
    """The step as float64."""
    if step.kind == "float":
        return step
    if step.operation == "constant":
        return Step("constant", "float", (), float(step.value))  # type: ignore[arg-type]  # a number, by its kind
    return Step("to_float", "float", (step,))


def _constant(value: bool | int | float | str) -> Step:
    kinds: dict[type, Kind] = {bool: "bool", int: "int", float: "float", str: "string"}
    return Step("constant", kinds[type(value)], (), value)
