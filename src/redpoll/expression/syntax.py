"""Syntax tree of an expression; ``str()`` returns an expression with the same tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, ATOM = range(1, 9)
"""Binding powers of the operators, weakest first."""


@dataclass(frozen=True)
class Literal:
    """A number, a string, true or false."""

    value: bool | int | float | str
    at: int = field(default=0, compare=False)
    power = ATOM

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and (type(self.value), self.value) == (type(other.value), other.value)

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))

    def __str__(self) -> str:
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, str):
            return '"' + self.value.replace('"', '""') + '"'
        return repr(self.value)


@dataclass(frozen=True)
class Name:
    """A column."""

    name: str
    at: int = field(default=0, compare=False)
    power = ATOM

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Call:
    """One of the functions, applied."""

    function: str
    parts: tuple[Tree, ...]
    at: int = field(default=0, compare=False)
    power = ATOM

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.parts))})"


@dataclass(frozen=True)
class Negate:
    """Unary minus."""

    operand: Tree
    at: int = field(default=0, compare=False)
    power = SIGN

    def __str__(self) -> str:
        inner = show(self.operand, SIGN)
        return f"-({inner})" if isinstance(self.operand, Literal) else f"-{inner}"


@dataclass(frozen=True)
class Arithmetic:
    """+ - * or / of two numbers."""

    operator: str
    left: Tree
    right: Tree
    at: int = field(default=0, compare=False)

    @property
    def power(self) -> int:
        """Products bind more strongly than sums."""
        return PRODUCT if self.operator in "*/" else SUM

    def __str__(self) -> str:
        return f"{show(self.left, self.power)} {self.operator} {show(self.right, self.power + 1)}"


@dataclass(frozen=True)
class Compare:
    """A chain of comparisons: ``a < b <= c`` means ``a < b and b <= c``."""

    operators: tuple[str, ...]
    parts: tuple[Tree, ...]
    at: int = field(default=0, compare=False)
    power = COMPARISON

    def __str__(self) -> str:
        words = [show(self.parts[0], SUM)]
        for operator, part in zip(self.operators, self.parts[1:], strict=True):
            words += [operator, show(part, SUM)]
        return " ".join(words)


@dataclass(frozen=True)
class Between:
    """``x between low and high``, both ends included."""

    operand: Tree
    low: Tree
    high: Tree
    at: int = field(default=0, compare=False)
    power = COMPARISON

    def __str__(self) -> str:
        return f"{show(self.operand, SUM)} between {show(self.low, SUM)} and {show(self.high, SUM)}"


@dataclass(frozen=True)
class In:
    """``x in (1, 2)``: one of some literals."""

    operand: Tree
    values: tuple[Literal, ...]
    at: int = field(default=0, compare=False)
    power = COMPARISON

    def __str__(self) -> str:
        return f"{show(self.operand, SUM)} in ({', '.join(map(str, self.values))})"


@dataclass(frozen=True)
class IsNull:
    """Whether a value is null."""

    operand: Tree
    at: int = field(default=0, compare=False)
    power = COMPARISON

    def __str__(self) -> str:
        return f"{show(self.operand, SUM)} is null"


@dataclass(frozen=True)
class Not:
    """Logical negation."""

    operand: Tree
    at: int = field(default=0, compare=False)
    power = NOT

    def __str__(self) -> str:
        return f"not {show(self.operand, NOT)}"


@dataclass(frozen=True)
class Logic:
    """Several conditions joined by ``and``, or by ``or``."""

    operator: str
    parts: tuple[Tree, ...]
    at: int = field(default=0, compare=False)

    @property
    def power(self) -> int:
        """``and`` binds more strongly than ``or``."""
        return AND if self.operator == "and" else OR

    def __str__(self) -> str:
        return f" {self.operator} ".join(show(part, self.power + 1) for part in self.parts)


Tree = Literal | Name | Call | Negate | Arithmetic | Compare | Between | In | IsNull | Not | Logic


def show(tree: Tree, power: int) -> str:
    """The text of a tree, in parentheses if it binds more weakly than `power`."""
    return str(tree) if tree.power >= power else f"({tree})"


def children(tree: Tree) -> tuple[Tree, ...]:
    """The trees directly below."""
    match tree:
        case Call() | Compare() | Logic():
            return tree.parts
        case Arithmetic():
            return tree.left, tree.right
        case Between():
            return tree.operand, tree.low, tree.high
        case Negate() | In() | IsNull() | Not():
            return (tree.operand,)
        case _:
            return ()


def walk(tree: Tree) -> Iterator[tuple[Tree, int]]:
    """Every tree in `tree` with its depth, in reading order, without recursion."""
    waiting = [(tree, 1)]
    while waiting:
        tree, depth = waiting.pop()
        yield tree, depth
        waiting += [(child, depth + 1) for child in reversed(children(tree))]
