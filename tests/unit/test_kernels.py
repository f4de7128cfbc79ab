"""Parts are compiled within the kernels that call them; compiled code is kept until a source it depends on changes."""

from __future__ import annotations

import errno
import importlib
import math
import pickle
import sys

import numpy as np
import pytest
from numba import njit, types
from numba.core.errors import TypingError
from numba.core.runtime import _nrt_python, rtsys

from redpoll import compiler
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


@part
def _doubled(values):
    return values * 2.0


@part
def _longer(values):
    return values if len(values) > 2 else _doubled(values)


@part
def _sum(values):
    total = 0.0
    for k in range(len(values)):
        total += values[k]
    return total


@njit
def _sums_of_made_and_borrowed_arrays(values, n):
    total = 0.0
    for i in range(n):
        total += _sum(_longer(values[: 1 + i % 4])) + _sum(_doubled(values))
    return total


def test_arrays_that_parts_make_are_freed_once_and_those_they_borrow_are_kept():
    _nrt_python.memsys_enable_stats()
    values = np.arange(4.0)
    before, references = rtsys.get_allocation_stats(), sys.getrefcount(values)
    assert _sums_of_made_and_borrowed_arrays(values, 400) == 400 * 12.0 + 100 * (0.0 + 2.0 + 3.0 + 6.0)
    after = rtsys.get_allocation_stats()
    assert after.alloc - before.alloc == after.free - before.free
    assert sys.getrefcount(values) == references
    assert values.tolist() == [0.0, 1.0, 2.0, 3.0]


def _kernel(function):
    return njit(function, pipeline_class=compiler.KernelCompiler)


@part
def _fails(x):
    return x + "text"


def test_numba_looks_up_functions_as_before_when_a_kernel_is_compiled_or_fails_to():
    look_up = types.BaseFunction.get_call_type
    _kernel(_difference_of_squares)(2)
    with pytest.raises(TypingError):
        _kernel(_call_of_what_fails)(2)
    assert types.BaseFunction.get_call_type is look_up


def _difference_of_squares(x):
    return x * x - (x - 1) * (x - 1)


def _call_of_what_fails(x):
    return _fails(x)


@pytest.mark.parametrize("value", [3, 3.5, 2 + 1j, True])
def test_an_operation_has_the_version_for_the_types_of_its_arguments(value):
    assert _kernel(_difference_of_squares)(value) == value * value - (value - 1) * (value - 1)


PACKAGE = {
    "__init__": "",
    "constants": "FACTOR = 2\n\nclass Pair:\n    pass\n",
    "shared": "from redpoll.kernels import part\nfrom {name}.constants import FACTOR\n\n"
    "@part\ndef times(x):\n    return x * FACTOR\n",
    "total": "from redpoll.kernels import kernel\n\n"
    "@kernel\ndef total(x):\n    n = 0.0\n    for i in range(len(x)):\n        n += x[i]\n    return n\n",
    "product": "from redpoll.kernels import kernel\nfrom {name} import (\n    shared,\n)\ntimes = shared.times\n\n"
    "@kernel\ndef product(x):\n    return times(x)\n",
    "other": "",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a kernel, a part in another file, and a constant in a third."""
    name = f"package_{tmp_path.name}"
    folder = tmp_path / name
    folder.mkdir()
    for module, text in PACKAGE.items():
        (folder / f"{module}.py").write_text(text.replace("{name}", name))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it cannot tell two versions of one second and length apart
    return folder


def imported(package, kernel):
    """A kernel, as a new process finds it."""
    for module in [name for name in sys.modules if name.split(".")[0] == package.name]:
        del sys.modules[module]
    importlib.invalidate_caches()
    compiler._source.cache_clear()
    return getattr(importlib.import_module(f"{package.name}.{kernel}"), kernel)


def kernel_of(package):
    """What the kernel answers in a new process, and how many times its machine code came from the disk."""
    found = imported(package, "product")
    found(3)
    return found(3), sum(found.stats.cache_hits.values())


def test_a_kernel_is_compiled_once(package):
    assert [kernel_of(package) for _ in range(2)] == [(6, 0), (6, 1)]


def test_a_change_in_a_module_that_the_kernel_does_not_import_keeps_the_code(package):
    kernel_of(package)
    (package / "other.py").write_text("x = 1\n")
    assert kernel_of(package) == (6, 1)


@pytest.mark.parametrize("module", ["constants", "shared"])
def test_a_change_in_a_module_that_the_kernel_imports_is_never_missed(package, module):
    kernel_of(package)
    text = (package / f"{module}.py").read_text()
    (package / f"{module}.py").write_text(text.replace("= 2", "= 5").replace("x * FACTOR", "5 * x"))
    assert kernel_of(package) == (15, 0)


def test_a_cache_that_cannot_be_read_any_more_is_not_read(package):
    kernel_of(package)
    (index,) = package.rglob("*.nbi")
    version = sys.modules[f"{package.name}.product"].product._cache._cache_file._version
    index.write_bytes(pickle.dumps(version, protocol=-1) + b"a class of this name is gone")
    (package / "constants.py").write_text("FACTOR = 2\n")
    assert kernel_of(package) == (6, 0)


def test_a_kernel_runs_though_the_disk_has_no_room_for_its_code(package, monkeypatch, caplog):
    def full(cache, name, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(compiler._CacheFile, "_save_data", full)
        assert kernel_of(package) == (6, 0)
    assert "No space left on device" in caplog.text
    assert [kernel_of(package) for _ in range(2)] == [(6, 0), (6, 1)]


def test_processes_that_compile_for_other_types_at_the_same_time_do_not_mix_up_their_code(package, monkeypatch):
    one, two = imported(package, "total"), imported(package, "total")
    contiguous, strided = np.arange(8.0), np.arange(8.0)[::2]
    file, other = one._cache._cache_file, two._cache._cache_file
    load, save = file._load_index, file._save_data
    monkeypatch.setattr(file, "_load_index", lambda: other._load_index() or load())

    def late(name, data):  # the other process saves its code between the choice of a name and its use
        if two.signatures == []:
            monkeypatch.setattr(other, "_load_index", dict)
            two(strided)
        save(name, data)

    monkeypatch.setattr(file, "_save_data", late)
    one(contiguous)
    for values in (strided, contiguous):
        assert imported(package, "total")(values) == values.sum()
