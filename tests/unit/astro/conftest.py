"""Parts of kernels, run by Python."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from types import FunctionType

import pytest

from redpoll import kernels
from redpoll.astro.curve_fitting import vector_exp

sys.path.insert(0, str(Path(__file__).parent))  # simulated_walks


@cache
def _plain(part):
    """The function as it is written, which calls other parts as they are written."""
    code, names = part.py_func.__code__, part.py_func.__globals__
    called = {name: _plain(names[name]) for name in code.co_names if _is_part(names.get(name))}
    if names is vars(vector_exp):
        called["_power_of_two"] = _power_of_two
    return FunctionType(code, names | called, argdefs=part.py_func.__defaults__)


def _power_of_two(shifted):
    return 2.0 ** (shifted - vector_exp._SHIFT)


def _is_part(value):
    return isinstance(value, getattr(kernels, "_CompiledLater", ()))


@pytest.fixture
def runnable(monkeypatch):
    """``runnable(part)``: the part of a kernel as a function that Python can call."""
    if not _is_part(vector_exp.exp):
        monkeypatch.setattr(vector_exp, "_power_of_two", _power_of_two)
    return lambda part: _plain(part) if _is_part(part) else part
