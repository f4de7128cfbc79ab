"""The file of a tree ensemble: a magic word, a JSON header, and arrays.

All numbers are little-endian::

    8 bytes      RPFOREST
    8 bytes      length of the header, at most a megabyte
    header       JSON: {"format": 1, "link": ..., "n_features": ..., "n_classes": ..., "baseline": [...],
                 "calibration": null or {"scale": [...], "bias": [...]},
                 "arrays": [["feature", "int16", [n]], ["threshold", "float32", [n]], ...]}
    arrays       as the header lists them, one after the other, to the end of the file

`redpoll.plugin.forest.Forest` says what the fields mean; names, types and order of the arrays are those of `_ARRAYS`.
Reading needs memory in proportion to the length of the file, whatever is in it.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.errors import ModelError
from redpoll.plugin.forest import Calibration, Forest
from redpoll.plugin.forest_checks import check_forest

MAGIC = b"RPFOREST"
MAX_HEADER_BYTES = 1 << 20
_START = len(MAGIC) + 8
_FORMAT = 1
_ARRAYS = {
    "feature": ("int16", 1), "threshold": ("float32", 1), "left": ("int32", 1), "right": ("int32", 1),
    "missing_left": ("uint8", 1), "values": ("float32", 2), "roots": ("int32", 1), "columns": ("int32", 1),
}  # fmt: skip
"""Type and number of dimensions of each array, in their order in the file."""
_FIELDS = {"format", "link", "n_features", "n_classes", "baseline", "calibration", "arrays"}


def is_forest(data: bytes) -> bool:
    """Whether a file begins like that of a tree ensemble."""
    return data.startswith(MAGIC)


def write_forest(forest: Forest) -> bytes:
    """The file of an ensemble; the same ensemble gives the same bytes.

    Raises
    ------
    ModelError
        If the ensemble could not be used.
    """
    check_forest(forest)
    arrays = {name: np.ascontiguousarray(getattr(forest, name), _dtype(name)) for name in _ARRAYS}
    header = {
        "format": _FORMAT, "link": forest.link, "n_features": forest.n_features, "n_classes": forest.n_classes,
        "baseline": list(forest.baseline), "calibration": forest.calibration and asdict(forest.calibration),
        "arrays": [[name, _ARRAYS[name][0], list(array.shape)] for name, array in arrays.items()],
    }  # fmt: skip
    text = json.dumps(header).encode()
    parts = [MAGIC, len(text).to_bytes(8, "little"), text, *(array.tobytes() for array in arrays.values())]
    return b"".join(parts)


def read_forest(data: bytes) -> Forest:
    """The ensemble in a file, with every index checked.

    Raises
    ------
    ModelError
        If it is no such file, or the ensemble in it cannot be used.
    """
    header, start = _header(data)
    if header.keys() != _FIELDS or header["format"] != _FORMAT:
        raise _broken(f"its header has not the fields of format {_FORMAT}")
    calibration = header["calibration"]
    if calibration is not None:
        if not isinstance(calibration, dict) or calibration.keys() != {"scale", "bias"}:
            raise _broken("its calibration is not a scale and a bias")
        calibration = Calibration(*(_numbers(calibration, name) for name in ("scale", "bias")))
    n_features, n_classes = (_count(header[name]) for name in ("n_features", "n_classes"))
    arrays = _arrays(data, start, header["arrays"])
    link, baseline = str(header["link"]), _numbers(header, "baseline")
    forest = Forest(link, n_features, n_classes, baseline, **arrays, calibration=calibration)
    check_forest(forest)
    return forest


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The header and where the arrays begin."""
    if not is_forest(data):
        raise _broken("it does not begin like one")
    length = int.from_bytes(data[len(MAGIC) : _START], "little")
    end = _START + length
    if length > MAX_HEADER_BYTES or end > len(data):
        raise _broken(f"its header of {length:,} bytes is too long")
    try:
        header = json.loads(data[_START:end].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _broken(f"its header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise _broken("its header is not a JSON object")
    return header, end


def _arrays(data: bytes, start: int, listed: Any) -> dict[str, NDArray[Any]]:
    """Copies of the arrays, which are aligned, if they fill the file exactly."""
    if not isinstance(listed, list) or len(listed) != len(_ARRAYS):
        raise _broken("its header lists other arrays")
    found = {}
    for entry, (name, (kind, n_dimensions)) in zip(listed, _ARRAYS.items(), strict=True):
        if not isinstance(entry, list) or entry[:2] != [name, kind] or not _is_shape(entry[2:], n_dimensions):
            raise _broken(f"its array {name} is not {kind} of {n_dimensions} dimensions")
        count = math.prod(entry[2])
        end = start + count * _dtype(name).itemsize
        if end > len(data):
            raise _broken(f"it ends before its array {name}")
        found[name] = np.frombuffer(data, _dtype(name), count, start).reshape(entry[2]).astype(kind)
        start = end
    if start != len(data):
        raise _broken(f"{len(data) - start:,} bytes follow its arrays")
    return found


def _is_shape(listed: list[Any], n_dimensions: int) -> bool:
    if len(listed) != 1 or not isinstance(listed[0], list) or len(listed[0]) != n_dimensions:
        return False
    return all(type(length) is int and 0 < length < 1 << 31 for length in listed[0])


def _dtype(name: str) -> np.dtype[Any]:
    return np.dtype(_ARRAYS[name][0]).newbyteorder("<")


def _count(value: Any) -> int:
    if type(value) is not int:
        raise _broken("a count is not a whole number")
    return value


def _numbers(fields: dict[str, Any], name: str) -> tuple[float, ...]:
    """A list of numbers; those that float cannot hold are infinite."""
    values = fields[name]
    if not isinstance(values, list) or not all(type(x) in (int, float) for x in values):
        raise _broken(f"{name} is not a list of numbers")
    return tuple(float(x) if abs(x) < 1e300 else math.inf for x in values)


def _broken(why: str) -> ModelError:
    return ModelError(f"not a file of a tree ensemble: {why}")
