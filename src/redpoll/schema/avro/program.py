"""Flat program of operations compiled from a schema tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import SchemaError
from redpoll.schema.avro.machine import (
    ARRAY,
    BOOLEAN,
    BYTES,
    DOUBLE,
    END,
    ENUM,
    FIXED,
    FLOAT,
    INT,
    ITEM_END,
    LONG,
    RECORD,
    STRING,
)
from redpoll.schema.avro.tree import AvroNode, parse_schema

_LEAVES = {"boolean": BOOLEAN, "int": INT, "long": LONG, "float": FLOAT, "double": DOUBLE, "bytes": BYTES,
           "string": STRING, "fixed": FIXED, "enum": ENUM}  # fmt: skip


@dataclass
class Program:
    """The operations of one writer schema and the columns they fill.

    ``code`` has one row per operation: operation, null branch (-1: none), column, and three arguments
    (record: first and last column of its subtree; array: level of its items and the minimum bytes of one; fixed: size;
    enum: number of symbols; the third is the operation that follows a null). ``columns`` has one row per column:
    operation, level, level of the items of an array, and the column after it and, for an array, its items. A level is
    a nesting of arrays; all columns of one level have the same number of rows. ``density`` is how many rows each level
    had per byte of packets in the last large batch.
    """

    tree: AvroNode
    code: NDArray[np.int64]
    columns: NDArray[np.int64]
    column_of: dict[int, int]
    n_levels: int
    density: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


@lru_cache(maxsize=64)
def compile_schema(text: str) -> Program:
    """The program of an Avro writer schema given as JSON text."""
    return compile_tree(parse_schema(text))


def compile_tree(tree: AvroNode) -> Program:
    """The program of a record."""
    flat = _Flattener()
    for child in tree.children:
        flat.add(child, 0)
    flat.emit(END)
    code = np.array(flat.code, np.int64)
    columns = np.array(flat.columns, np.int64).reshape(-1, 4)
    return Program(tree, code, columns, flat.column_of, flat.n_levels, np.zeros(flat.n_levels))


class _Flattener:
    def __init__(self) -> None:
        self.code: list[list[int]] = []
        self.columns: list[list[int]] = []
        self.column_of: dict[int, int] = {}
        self.n_levels = 1

    def emit(self, op: int, null_index: int = -1, column: int = -1, a: int = 0, b: int = 0, c: int = 0) -> int:
        self.code.append([op, null_index, column, a, b, c])
        return len(self.code) - 1

    def column(self, node: AvroNode, op: int, level: int, items: int = -1) -> int:
        self.columns.append([op, level, items, len(self.columns) + 1])
        self.column_of[id(node)] = len(self.columns) - 1
        return len(self.columns) - 1

    def add(self, node: AvroNode, level: int) -> None:
        if node.kind == "record":
            self._record(node, level)
        elif node.kind in ("array", "map"):
            self._array(node, level)
        elif node.kind != "null":
            op = _LEAVES[node.kind]
            at = self.emit(op, node.null_index, self.column(node, op, level), node.size)
            self.code[at][5] = at + 1

    def _record(self, node: AvroNode, level: int) -> None:
        at = column = -1
        if node.null_index >= 0:
            column = self.column(node, RECORD, level)
            at = self.emit(RECORD, node.null_index, column)
        for child in node.children:
            self.add(child, level)
        if at >= 0:
            self.code[at][3:] = [column + 1, len(self.columns), len(self.code)]

    def _array(self, node: AvroNode, level: int) -> None:
        items, self.n_levels = self.n_levels, self.n_levels + 1
        if self.n_levels > 64:
            raise SchemaError("the writer schema has more than 64 arrays")
        column = self.column(node, ARRAY, level, items)
        at = self.emit(ARRAY, node.null_index, column, items, sum(child.min_bytes for child in node.children))
        for child in node.children:
            self.add(child, items)
        self.emit(ITEM_END, a=at)
        self.columns[column][3] = len(self.columns)
        self.code[at][5] = len(self.code)
