"""A schema tree flattened to operations that the machine runs without looking at the tree again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import SchemaError
from redpoll.schema.avro.tree import Node, parse_schema

OPS = ("end", "record", "array", "item_end", "boolean", "int", "long", "float", "double", "bytes", "fixed", "enum")
END, RECORD, ARRAY, ITEM_END, BOOLEAN, INT, LONG, FLOAT, DOUBLE, BYTES, FIXED, ENUM = range(len(OPS))
_LEAVES = {"boolean": BOOLEAN, "int": INT, "long": LONG, "float": FLOAT, "double": DOUBLE, "bytes": BYTES,
           "string": BYTES, "fixed": FIXED, "enum": ENUM}  # fmt: skip
WIDTHS = {RECORD: 0, ARRAY: 4, BOOLEAN: 0, INT: 4, LONG: 8, FLOAT: 4, DOUBLE: 8, BYTES: 16, FIXED: 16, ENUM: 4}
"""Bytes a row takes in a column of each operation; a boolean takes a bit."""


@dataclass
class Program:
    """The operations of one writer schema and the columns they fill.

    ``code`` has one row per operation: operation, null branch (-1: none), column, and three arguments
    (record: first and last column of its subtree; array: level of its items and the least bytes of one; fixed: size;
    enum: number of symbols; the third is the operation that follows a null). ``columns`` has one row per column:
    operation, level, level of the items of an array. A level is a nesting of arrays; all columns of one level have
    the same number of rows. ``rows_per_packet`` is what each level needed last time.
    """

    tree: Node
    code: NDArray[np.int64]
    columns: NDArray[np.int64]
    column_of: dict[int, int]
    n_levels: int
    rows_per_packet: NDArray[np.float64]


@lru_cache(maxsize=256)
def compile_schema(text: str) -> Program:
    """The program of an Avro writer schema given as JSON text."""
    tree = parse_schema(text)
    flat = _Flattener()
    for child in tree.children:
        flat.add(child, 0)
    flat.emit(END)
    code = np.array(flat.code, np.int64)
    columns = np.array(flat.columns, np.int64).reshape(-1, 3)
    return Program(tree, code, columns, flat.column_of, flat.n_levels, np.ones(flat.n_levels))


class _Flattener:
    def __init__(self) -> None:
        self.code: list[list[int]] = []
        self.columns: list[tuple[int, int, int]] = []
        self.column_of: dict[int, int] = {}
        self.n_levels = 1

    def emit(self, op: int, null_index: int = -1, column: int = -1, a: int = 0, b: int = 0, c: int = 0) -> int:
        self.code.append([op, null_index, column, a, b, c])
        return len(self.code) - 1

    def column(self, node: Node, op: int, level: int, items: int = -1) -> int:
        self.columns.append((op, level, items))
        self.column_of[id(node)] = len(self.columns) - 1
        return len(self.columns) - 1

    def add(self, node: Node, level: int) -> None:
        if node.kind == "record":
            self._record(node, level)
        elif node.kind in ("array", "map"):
            self._array(node, level)
        elif node.kind != "null":
            op = _LEAVES[node.kind]
            at = self.emit(op, node.null_index, self.column(node, op, level), node.size)
            self.code[at][5] = at + 1

    def _record(self, node: Node, level: int) -> None:
        at = column = -1
        if node.null_index >= 0:
            column = self.column(node, RECORD, level)
            at = self.emit(RECORD, node.null_index, column)
        for child in node.children:
            self.add(child, level)
        if at >= 0:
            self.code[at][3:] = [column + 1, len(self.columns), len(self.code)]

    def _array(self, node: Node, level: int) -> None:
        items, self.n_levels = self.n_levels, self.n_levels + 1
        if self.n_levels > 64:
            raise SchemaError("the writer schema has more than 64 arrays")
        column = self.column(node, ARRAY, level, items)
        at = self.emit(ARRAY, node.null_index, column, items, sum(child.min_bytes for child in node.children))
        for child in node.children:
            self.add(child, items)
        self.emit(ITEM_END, a=at)
        self.code[at][5] = len(self.code)
