"""Parts are compiled within the kernels that call them, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from redpoll.kernels import part


@part
def _root(x: float) -> float:
    if x < 0:
        raise ValueError("no root")
    return math.sqrt(x)


@part
def _fourth_root(x: float) -> float:
    return _root(_root(x))


@njit
def _fourth_roots(values):
    answer = np.empty_like(values)
    for i in range(len(values)):
        answer[i] = _fourth_root(values[i]) + _root(0.0)
    return answer


def test_a_kernel_runs_with_its_parts():
    assert _fourth_roots(np.array([16.0, 81.0])).tolist() == [2.0, 3.0]


def test_an_error_in_a_part_is_raised_by_the_kernel():
    with pytest.raises(ValueError, match="no root"):
        _fourth_roots(np.array([-1.0]))


def test_python_cannot_call_a_part():
    with pytest.raises(TypeError):
        _root(4.0)
