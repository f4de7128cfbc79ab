"""Sums of the leaf values of trees, compiled. The indices must have been checked: nothing is checked here."""

from __future__ import annotations

from typing import Any

import numpy as np

from redpoll.kernels import kernel, part

LEAF, FEATURE, LEFT, RIGHT = range(4)
"""Words of a node: its threshold, or the values of a leaf; the column it compares; twice where it goes on."""
WORDS = 4
_BLOCK, _GROUP = 2048, 8
"""Rows that go through one tree after another; rows that go down a tree in step, to wait for memory together."""


@kernel
def depths(feature: Any, left: Any, right: Any, roots: Any) -> Any:
    """Steps from each root to its deepest leaf; children come after their parents."""
    found = np.zeros(len(feature), np.int64)
    for i in range(len(feature) - 1, -1, -1):
        if feature[i] >= 0:
            found[i] = 1 + max(found[left[i]], found[right[i]])
    return found[roots]


@kernel
def add_trees(X: Any, nodes: Any, thresholds: Any, roots: Any, columns: Any, values: Any, sums: Any) -> None:
    """Add the leaf values of each tree to the sums, of shape (n, outputs), for the rows of X, of shape (n, k).

    `nodes` has four words of 32 bits for each node, and `thresholds` is the same memory as float32. A node is named by
    the number of its first word. Both children of a leaf are the leaf. Column f of a node is feature f as it is, whose
    NaN goes right because no comparison with it is true; column k + f has minus infinity instead of NaN, which goes
    left.
    """
    rows = np.empty((min(_BLOCK, len(X)), 2 * X.shape[1]), np.float32)
    at = np.empty(len(rows), np.uint32)
    for start in range(0, len(X), _BLOCK):
        n = min(_BLOCK, len(X) - start)
        _copy(X, start, n, rows)
        for tree in range(len(roots)):
            for first in range(0, n, _GROUP):
                _descend(rows, first, min(first + _GROUP, n), nodes, thresholds, roots[tree], at)
            for row in range(n):
                leaf = nodes[at[row] + LEAF]
                for k in range(values.shape[1]):
                    sums[start + row, columns[tree] + k] += values[leaf, k]


@part
def _copy(X: Any, start: int, n: int, rows: Any) -> None:
    k = X.shape[1]
    for row in range(n):
        for f in range(k):
            x = X[start + row, f]
            rows[row, f] = x
            rows[row, k + f] = x if x == x else -np.inf


@part
def _descend(rows: Any, first: int, last: int, nodes: Any, thresholds: Any, root: int, at: Any) -> None:
    at[first:last] = root
    moved = True
    while moved:
        moved = False
        for row in range(first, last):
            node = at[row]
            is_right = not (rows[row, nodes[node + FEATURE]] <= thresholds[node])
            child = nodes[node + LEFT + is_right]
            moved |= child != node
            at[row] = child
