"""Cache of searches and fits: for the same points as before, the answer is not computed again.

The answer for a light curve depends on its points and on the options alone. It is therefore found by a hash of them,
whichever alert, night or process it was computed for, and is the same as if it were computed anew.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from redpoll.kernels import kernel

Int = NDArray[np.int64]
Array = NDArray[np.float64]
_FIRST, _SECOND = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
_ADDED, _FIVE = np.uint64(0x52DCE729), np.uint64(5)
_TURN, _REST, _STEP, _STEP_REST = np.uint64(31), np.uint64(33), np.uint64(27), np.uint64(37)


class AnswerCache(Protocol):
    """Answers by 64-bit keys; it may lose any."""

    def get(self, keys: Sequence[int]) -> Mapping[int, bytes]:
        """Those of the answers that it has."""
        ...

    def put(self, answers: Mapping[int, bytes]) -> None:
        """Keep answers; called after each `get`, with none if all were there."""
        ...


_CACHE: ContextVar[AnswerCache | None] = ContextVar("_CACHE", default=None)


@contextmanager
def using(cache: AnswerCache | None) -> Iterator[None]:
    """Within a ``with`` statement, `cached_answers` uses this cache; with None, everything is computed."""
    token = _CACHE.set(cache)
    try:
        yield
    finally:
        _CACHE.reset(token)


def cached_answers(
    options: str,
    offsets: Int,
    points: Sequence[NDArray[Any]],
    n_numbers: int,
    compute: Callable[[Int], Array],
    *,
    use_cache: bool = True,
) -> Array:
    """`n_numbers` numbers for each curve, from the cache where it has them.

    Parameters
    ----------
    options
        What is computed, and with which options; the hash of `sources` stands for how.
    offsets
        Curve ``i`` is ``[offsets[i]:offsets[i + 1]]`` of each array in `points`.
    points
        Everything that the answer depends on; arrays of 64-bit numbers.
    n_numbers
        Numbers in an answer.
    compute
        Called with the curves that the cache does not have, in increasing order, one of those that are alike; returns
        one row for each.
    use_cache
        If false, all are computed.

    Examples
    --------
    >>> from redpoll.testing.fakes import FakeAnswerCache
    >>> flux, bounds = np.array([3.0, 4.0, 3.0, 4.0]), np.array([0, 2, 4])
    >>> with using(FakeAnswerCache()):
    ...     first = cached_answers("sum", bounds, [flux], 1, lambda curves: np.full((len(curves), 1), 7.0))
    ...     again = cached_answers("sum", bounds, [flux], 1, lambda curves: 1 / 0)
    >>> again.tolist()
    [[7.0], [7.0]]
    """
    cache, n = _CACHE.get() if use_cache else None, len(offsets) - 1
    if cache is None or not n:
        return compute(np.arange(n))
    keys = content_keys(options, offsets, points).tolist()
    known = {key: np.frombuffer(a) for key, a in cache.get(keys).items() if len(a) == 8 * n_numbers}
    missing: dict[int, int] = {}
    for i, key in enumerate(keys):
        if key not in known:
            missing.setdefault(key, i)
    found = dict(zip(missing, compute(np.array([*missing.values()])), strict=True)) if missing else {}
    cache.put({key: answer.tobytes() for key, answer in found.items()})
    answers = known | found
    return np.array([answers[key] for key in keys])


def content_keys(options: str, offsets: Int, points: Sequence[NDArray[Any]]) -> Int:
    """A 64-bit hash for each curve, of its points, of the options and of `sources`.

    >>> keys = content_keys("sum", np.array([0, 2, 4, 5]), [np.array([3.0, 4.0, 3.0, 4.0, 3.0])])
    >>> keys[0] == keys[1], keys[0] == keys[2]
    (np.True_, np.False_)
    """
    keys = np.diff(offsets).astype(np.uint64)
    seed = crc32(options.encode()) << 32 | sources()
    _mix(np.full(len(keys), seed, np.uint64), np.arange(len(offsets)), keys)
    for values in points:
        _mix(np.ascontiguousarray(values).view(np.uint64), np.ascontiguousarray(offsets), keys)
    return keys.view(np.int64)


@functools.cache
def sources() -> int:
    """A hash of all that computes: source, compiler and processor, which decide on the last bits of an answer."""
    from llvmlite.binding import get_host_cpu_name  # slow to import

    folder = Path(__file__).parent
    files = [*sorted((folder / "astro").rglob("*.py")), *sorted(folder.glob("compiler*.py")), folder / "kernels.py"]
    versions = " ".join([get_host_cpu_name(), *map(version, ("numba", "llvmlite", "numpy"))])
    return crc32(b"".join(path.read_bytes() for path in files) + versions.encode())


@kernel
def _mix(values: Any, offsets: Any, keys: Any) -> None:
    """Mix values into the key of each curve (the 64-bit steps of MurmurHash3 by A. Appleby, public domain)."""
    for i in range(len(keys)):
        key = keys[i]
        for k in range(offsets[i], offsets[i + 1]):
            x = values[k] * _FIRST
            x = ((x << _TURN) | (x >> _REST)) * _SECOND
            key ^= x
            key = ((key << _STEP) | (key >> _STEP_REST)) * _FIVE + _ADDED
        keys[i] = key
