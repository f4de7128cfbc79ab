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
def clip(values: Any, in_order: Any, sigma: float, max_iterations: int, mask: Any) -> None:
    """Marks values further than `sigma` standard deviations from the median, iterated; what is not finite too.

    `in_order` are the finite ones, sorted: what is kept is always a part of them.
    """
    first, last = 0, len(in_order)
    for _ in range(max_iterations):
        if first == last:
            break
        middle = 0.5 * (in_order[(first + last) // 2] + in_order[(first + last - 1) // 2])
        reach = sigma * _deviation(in_order[first:last])
        begin, end = first, last
        while in_order[first] < middle - reach:  # it stops at the median
            first += 1
        while in_order[last - 1] > middle + reach:
            last -= 1
        if (first, last) == (begin, end):
            break
    for i in range(len(values)):
        mask[i] = first == last or not in_order[first] <= values[i] <= in_order[last - 1]


@part
def _deviation(values: Any) -> float:
    """Standard deviation; four sums side by side, because each addition waits for the one before."""
    n = len(values)
    a = b = c = d = 0.0
    for i in range(0, n - 3, 4):
        a, b, c, d = a + values[i], b + values[i + 1], c + values[i + 2], d + values[i + 3]
    for i in range(n - n % 4, n):
        a += values[i]
    mean = (a + b + c + d) / n
    a = b = c = d = 0.0
    for i in range(0, n - 3, 4):
        a += (values[i] - mean) ** 2
        b += (values[i + 1] - mean) ** 2
        c += (values[i + 2] - mean) ** 2
        d += (values[i + 3] - mean) ** 2
    for i in range(n - n % 4, n):
        a += (values[i] - mean) ** 2
    return math.sqrt((a + b + c + d) / n)


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
    y0, x0, reach = (rows - 1) / 2, (columns - 1) / 2, outer if inner >= 0 else math.inf
    n = n_known = 0
    for k in range(start, start + rows * columns):
        n_known += math.isfinite(pixels[k])
    for y in range(math.ceil(y0 - min(reach, y0)), math.floor(y0 + min(reach, y0)) + 1):
        for x in range(math.ceil(x0 - min(reach, x0)), math.floor(x0 + min(reach, x0)) + 1):
            value = pixels[start + y * columns + x]
            is_there = inner < 0 or inner * inner < (y - y0) ** 2 + (x - x0) ** 2 <= outer * outer
            if is_there and math.isfinite(value):
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
