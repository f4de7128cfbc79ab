"""Medians, quartiles and clipping by selection, compiled.

Values are selected by functions of this file, because numpy's own partition takes seconds to compile.
"""

from __future__ import annotations

import math
from typing import Any

from redpoll.kernels import kernel, part


@kernel
def medians(values: Any, offsets: Any, room: Any, answer: Any) -> None:
    """Median of each ``values[offsets[i]:offsets[i + 1]]`` into `answer`, NaN of none; `room` is for the longest."""
    for i in range(len(answer)):
        n = offsets[i + 1] - offsets[i]
        for k in range(n):
            room[k] = values[offsets[i] + k]
        answer[i] = _median(room, n)


@kernel
def clip(values: Any, sigma: float, max_iterations: int, room: Any, mask: Any) -> None:
    """Marks values further than `sigma` standard deviations from the median, iterated; NaN is marked too."""
    for i in range(len(values)):
        mask[i] = not math.isfinite(values[i])
    for _ in range(max_iterations):
        n, total, squares = 0, 0.0, 0.0
        for i in range(len(values)):
            if not mask[i]:
                room[n] = values[i]
                total += values[i]
                n += 1
        if n == 0:
            return
        for i in range(n):
            squares += (room[i] - total / n) * (room[i] - total / n)
        spread, middle, n_before = math.sqrt(squares / n), _median(room, n), n
        low, high = middle - sigma * spread, middle + sigma * spread
        for i in range(len(values)):
            if not mask[i] and (values[i] < low or values[i] > high):
                mask[i] = True
                n -= 1
        if n == n_before:
            return


@kernel
def sky_levels(pixels: Any, offsets: Any, shapes: Any, radius: Any, room: Any, answer: Any) -> None:
    """Median, quartile noise and number of known pixels of each cutout, into `answer` (n, 3); NaN below 20 pixels.

    Of a square cutout only the pixels between 1.5 and 4 radii from the middle make the median and the noise.
    """
    for i in range(len(shapes)):
        rows, columns = shapes[i, 0], shapes[i, 1]
        inner = 1.5 * radius[i] if rows == columns else -1.0
        n, n_known = _take_sky(pixels, offsets[i], rows, columns, inner, 4.0 * radius[i], room)
        answer[i, 2] = n_known
        if n >= 20:
            answer[i, 0], answer[i, 1] = _quartiles(room, n)


@part
def _take_sky(
    pixels: Any, start: int, rows: int, columns: int, inner: float, outer: float, room: Any
) -> tuple[int, int]:
    """Copy the known pixels between two radii, or all if `inner` < 0; returns their number and that of all known."""
    y0, x0 = (rows - 1) / 2, (columns - 1) / 2
    n = n_known = 0
    for y in range(rows):
        for x in range(columns):
            value = pixels[start + y * columns + x]
            if math.isfinite(value):
                n_known += 1
                if inner < 0 or inner * inner < (y - y0) ** 2 + (x - x0) ** 2 <= outer * outer:
                    room[n] = value
                    n += 1
    return n, n_known


@part
def _quartiles(values: Any, n: int) -> tuple[float, float]:
    """Median, and noise from the quartiles, of the first n values; symmetric under a change of sign."""
    low, half = n // 4, n // 2
    first = 0
    for k in (low, half, n - 1 - low):
        _select(values, first, n - 1, k)
        first = k
    middle = _middle(values, low, n)
    return middle, (float(values[n - 1 - low]) - float(values[low])) / 1.349


@part
def _median(values: Any, n: int) -> float:
    """Median of the first n values, which it reorders."""
    if n == 0:
        return math.nan
    _select(values, 0, n - 1, n // 2)
    return _middle(values, 0, n)


@part
def _middle(values: Any, first: int, n: int) -> float:
    """Median of n values once the one at n // 2 is in its place; `first` and all before it are no larger than it."""
    half = n // 2
    if n % 2:
        return float(values[half])
    below = values[first]
    for k in range(first, half):
        below = max(below, values[k])
    return 0.5 * (float(below) + float(values[half]))


@part
def _select(values: Any, first: int, last: int, k: int) -> None:
    """Put the k-th smallest in its place, smaller values before and larger ones after it (Hoare)."""
    while first < last:
        pivot = values[(first + last) // 2]
        i, j = first, last
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            last = j
        elif k >= i:
            first = i
        else:
            return
