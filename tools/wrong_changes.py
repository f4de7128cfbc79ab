"""The small wrong changes that `mutants.py` makes in a source file, one at a time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_PAIRS = (
    ("min", "max"), ("minimum", "maximum"), ("fmin", "fmax"), ("argmin", "argmax"), ("nanmin", "nanmax"),
    ("floor", "ceil"), ("any", "all"), ("sin", "cos"), ("lowest_of_each", "highest_of_each"),
)  # fmt: skip
NAMES = {a: b for one, other in _PAIRS for a, b in ((one, other), (other, one))}
DECLARATIONS = {"Column", "flag", "feature", "probability", "part", "parts", "kernel", "cache", "TypeVar"}
"""Calls whose arguments declare something; the tests of the reference check those."""
CHECKS = {"strict"}
"""Keywords that only check; no input shows whether they do."""


@dataclass(frozen=True)
class Mutant:
    """One change: the characters from `start` to `end` of the file become `after`; `before` is what they were."""

    line: int
    start: int
    end: int
    before: str
    after: str


def mutants(source: str) -> list[Mutant]:
    """All mutants of a source file, in the order of its lines."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    found = []
    for node, after in _changes(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        before = source.encode()[start:end].decode()
        found.append(Mutant(node.lineno, start, end, before, after))
    return sorted(found, key=lambda mutant: (mutant.start, mutant.end))


def mutated(source: str, mutant: Mutant) -> str:
    """The source with one change made."""
    text = source.encode()
    return (text[: mutant.start] + mutant.after.encode() + text[mutant.end :]).decode()


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Each node that has a mutant, with the text in its place; declarations, messages and annotations have none."""
    if isinstance(node, ast.Raise | ast.Import | ast.ImportFrom | ast.JoinedStr):
        return
    if isinstance(node, ast.keyword) and node.arg in CHECKS:
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in DECLARATIONS:
        return
    yield from ((node, text) for text in _texts(node))
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield node.test, f"(not ({ast.unparse(node.test)}))"
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"} or (name == "op" and isinstance(value, ast.AST)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_text(child):
                yield from _changes(child)


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _texts(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Compare():
            for i, op in enumerate(node.ops):
                for other in COMPARED[type(op)]:
                    yield _changed(node, ops=[*node.ops[:i], other(), *node.ops[i + 1 :]])
        case ast.BinOp() | ast.BoolOp() if type(node.op) in OPERATORS:
            yield _changed(node, op=OPERATORS[type(node.op)]())
        case ast.AugAssign() if type(node.op) in OPERATORS:
            yield ast.unparse(ast.AugAssign(node.target, OPERATORS[type(node.op)](), node.value))
            yield "pass"
        case ast.UnaryOp():
            yield f"({ast.unparse(node.operand)})"
        case ast.Expr(value=ast.Call()) | ast.Assign(targets=[ast.Subscript()]):
            yield "pass"
        case ast.Constant(value=bool()):
            yield str(not node.value)
        case ast.Constant(value=int()):
            yield from (str(node.value + 1), f"({node.value - 1})")
        case ast.Constant(value=float()) if node.value:
            yield from (repr(float(f"{node.value * factor:.12g}")) for factor in (1.1, 0.9))
        case ast.Constant(value=float()):
            yield from ("1.0", "(-1.0)")
        case ast.Constant(value=str()) if not node.value.endswith("."):  # else a description
            yield repr(node.value + "XX")
        case ast.Name(id=name) if name in NAMES:
            yield NAMES[name]
        case ast.Attribute(attr=name) if name in NAMES:
            yield f"({ast.unparse(node.value)}).{NAMES[name]}"
        case ast.Break():
            yield "continue"
        case ast.Continue():
            yield "break"


def _changed(node: ast.expr, **fields: object) -> str:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return f"({ast.unparse(other)})"
