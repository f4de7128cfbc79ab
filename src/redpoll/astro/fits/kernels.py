"""Fits of one model to many light curves at once, compiled.

A model is ``amplitude x shape(t, band; q) + baseline``. The amplitude and the baselines are linear, so for every ``q``
they are solved exactly, and steps are taken in the few parameters ``q`` alone.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from redpoll.astro.fits.least_squares import minimise
from redpoll.astro.fits.parameter_errors import write_errors
from redpoll.astro.fits.shapes import BAZIN, CONSTANT_TEMPERATURE, LENS, SIGMOID_TEMPERATURE
from redpoll.astro.fits.starts import MOST_STARTS, change_temperatures, search_grid, sort_starts
from redpoll.astro.fits.workspace import (
    AMPLITUDE,
    BASELINE,
    CHI2,
    FIRST_AMPLITUDE,
    FIRST_Q,
    FLAT_CHI2,
    FLUX,
    FREQUENCY,
    GROUP_FLUX,
    GROUP_WEIGHT,
    HIGH,
    IS_CONVERGED,
    LOW,
    MAX_Q,
    N_PARAMETERS,
    N_POINTS,
    SIGN,
    TIME,
    WEIGHT,
    Answers,
    Model,
    Points,
    compiled,
    new_answers,
    new_room,
)

_MIN_T, _MAX_T = math.log(1e3), math.log(1e6)
_GAPS = (1750, 701, 301, 132, 57, 23, 10, 4, 1)
_THIN = 64
"""Points that the grid looks at."""
_MOST_SIGNAL = 25.0
"""Squared signal to noise beyond which a point is no better for the grid."""
_ROUGH_STEPS, _MAX_STEPS = 6, 80
_ROUGH_GAIN, _FINE_GAIN = 1e-2, 1e-5


def fit_curves(
    model: Model, mjd: Any, flux: Any, err: Any, frequency: Any, group: Any, offsets: Any, n_groups: int
) -> Answers:
    """Fit every curve; the arrays are contiguous float64, group and offsets int64, all checked by the caller."""
    answers = new_answers(len(offsets) - 1, n_groups)
    longest = int(np.diff(offsets).max(initial=1))
    points = Points(np.empty((longest + _THIN, 4)), np.empty(longest + _THIN, np.int64), 1)
    labels = np.empty(n_groups, np.int64)
    room = new_room(longest + _THIN, n_groups, MOST_STARTS + 1)
    _fit_curves(model, mjd, flux, err, frequency, group, offsets, points, labels, room, answers)
    return answers


def _entry(stamp: int) -> Callable[..., int]:
    """The compiled loop. Its cache is keyed by `stamp` too, as numba would watch this file alone."""

    @njit(cache=True, nogil=True, error_model="numpy")
    def loop(
        model: Any, mjd: Any, flux: Any, err: Any, frequency: Any, group: Any, offsets: Any, points: Any, labels: Any,
        room: Any, out: Any,
    ) -> int:  # fmt: skip
        for i in range(len(offsets) - 1):
            start, stop = offsets[i], offsets[i + 1]
            n = _copy_known(mjd, flux, err, frequency, group, start, stop, points.data, points.group)
            origin = _sort(points.data[:n], points.group[:n])
            scale = _scale_flux(model.is_signed, points.data[:n])
            n_bands, n_groups = _name_groups(model.has_baseline or model.is_per_group, points.group[:n], labels)
            n_linear = (n_groups if model.is_per_group else 1) + (n_groups if model.has_baseline else 0)
            out.counts[i, N_POINTS], out.counts[i, N_PARAMETERS] = n, model.n_q + n_linear
            is_enough = n >= model.n_q + n_linear and (n_bands > 1 or not model.temperature)
            if is_enough and 0 < abs(scale) < math.inf:
                _fit_curve(model, n, n_groups, points, labels, room, i, out)
                _multiply(model.n_q, n_groups, scale, labels, out.sums[i], out.covariance[i])
                out.table[i, FIRST_AMPLITUDE] *= scale
                out.table[i, FIRST_Q] += origin
        return stamp

    return loop


_fit_curves = _entry(zlib.crc32(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))))


@compiled
def _copy_known(
    mjd: Any, flux: Any, err: Any, frequency: Any, group: Any, start: int, stop: int, data: Any, kinds: Any
) -> int:
    """Copy the points that count; how many."""
    n = 0
    for i in range(start, stop):
        is_known = math.isfinite(mjd[i]) and math.isfinite(flux[i]) and math.isfinite(err[i]) and err[i] > 0
        if is_known and group[i] >= 0:
            data[n, TIME], data[n, FLUX], data[n, WEIGHT] = mjd[i], flux[i], err[i]
            data[n, FREQUENCY], kinds[n] = frequency[i], group[i]
            n += 1
    return n


@compiled
def _sort(data: Any, group: Any) -> float:
    """Put the points into the order of time (Shell's sort, quick where they are almost so), as days since the first."""
    for gap in _GAPS:
        for i in range(gap, len(data)):
            j = i
            while j >= gap and data[j - gap, TIME] > data[j, TIME]:
                for column in range(4):
                    data[j, column], data[j - gap, column] = data[j - gap, column], data[j, column]
                group[j], group[j - gap] = group[j - gap], group[j]
                j -= gap
    origin = data[0, TIME] if len(data) else 0.0
    for i in range(len(data)):
        data[i, TIME] -= origin
    return origin


@compiled
def _scale_flux(is_signed: int, data: Any) -> float:
    """Measure fluxes in units of the largest, from errors make weights; the unit, negative to turn the curve over."""
    scale = total = 0.0
    for i in range(len(data)):
        scale = max(scale, abs(data[i, FLUX]))
    for i in range(len(data)):
        data[i, FLUX] /= scale
        data[i, WEIGHT] = (scale / data[i, WEIGHT]) ** 2
        total += data[i, WEIGHT] * data[i, FLUX]
    if not (is_signed and total < 0):
        return scale
    for i in range(len(data)):
        data[i, FLUX] = -data[i, FLUX]
    return -scale


@compiled
def _name_groups(has_groups: int, group: Any, labels: Any) -> tuple[int, int]:
    """Number the bands of a curve 0, 1, 2, ...; all 0 where nothing depends on them. How many bands, and groups."""
    n = 0
    for i in range(len(group)):
        g = 0
        while g < n and labels[g] != group[i]:
            g += 1
        if g == n:
            labels[n] = group[i]
            n += 1
        group[i] = g if has_groups else group[i]
    if has_groups:
        return n, n
    for i in range(len(group)):
        group[i] = 0
    labels[0] = 0
    return n, 1


@compiled
def _fit_curve(model: Any, n: int, n_groups: int, space: Any, labels: Any, room: Any, i: int, out: Any) -> None:
    """Try the best starts on some of the points, and follow the best of them on all."""
    points = Points(space.data[:n], space.group[:n], n_groups)
    _set_bounds(model, points.data, room.vectors)
    out.table[i, FLAT_CHI2] = _centre_flux(model.has_baseline, points, room.sums)
    for g in range(n_groups):
        room.sums[BASELINE, g] = room.sums[GROUP_FLUX, g] if model.has_baseline else 0.0
    n_thin = _thin_out(n, space)
    thin = Points(space.data[n : n + n_thin], space.group[n : n + n_thin], n_groups) if n_thin else points
    _centre_flux(model.has_baseline, thin, room.sums)
    if not _find_start(model, thin, room):
        return
    _centre_flux(model.has_baseline, points, room.sums)
    q, sign = room.starts[0], room.starts[0, MAX_Q + 1]
    chi2, is_converged = minimise(model, sign, q, points, room, _MAX_STEPS, _FINE_GAIN)
    if chi2 < math.inf:
        out.counts[i, IS_CONVERGED] = is_converged
        out.table[i, CHI2], out.table[i, SIGN], out.table[i, FIRST_AMPLITUDE] = chi2, sign, room.sums[AMPLITUDE, 0]
        for j in range(model.n_q):
            out.table[i, FIRST_Q + j] = q[j]
        write_errors(model, q, labels, n_groups, room, out.covariance[i], out.sums[i])


@compiled
def _find_start(model: Any, thin: Any, room: Any) -> bool:
    """Leave the best start in the first row of room.starts; False if none has a positive amplitude.

    A temperature that changes is first taken for constant; the best two of those fits then cool and heat up.
    """
    plain = model
    if model.temperature == SIGMOID_TEMPERATURE:
        plain = Model(
            model.shape, CONSTANT_TEMPERATURE, model.has_baseline, model.is_per_group, model.has_both_signs,
            model.is_signed, model.n_q - 2,
        )  # fmt: skip
    n_starts = search_grid(plain, thin, room)
    for stage in range(1 if plain.n_q == model.n_q else 2):
        if stage == 1:
            n_starts = change_temperatures(model, n_starts, room)
        for k in range(n_starts):
            q = room.starts[k]
            q[MAX_Q], _ = minimise(
                plain if stage == 0 else model, q[MAX_Q + 1], q, thin, room, _ROUGH_STEPS, _ROUGH_GAIN
            )
        sort_starts(n_starts, room.starts)
    return n_starts > 0 and room.starts[0, MAX_Q] < math.inf


@compiled
def _thin_out(n: int, space: Any) -> int:
    """If there are many points, copy some, half of them evenly and half where the signal is, after the last; how many.

    The points are taken where a sum of shares passes the next multiple, so that the choice is always the same.
    """
    if n <= _THIN:
        return 0
    data, group = space.data, space.group
    total, passed, n_thin = 0.0, 0.0, 0
    for i in range(n):
        total += min(data[i, WEIGHT] * data[i, FLUX] ** 2, _MOST_SIGNAL)
    for i in range(n):
        share = 0.5 / n
        share += 0.5 * min(data[i, WEIGHT] * data[i, FLUX] ** 2, _MOST_SIGNAL) / total if total > 0 else 0.5 / n
        passed += share
        if passed * _THIN >= n_thin + 0.5 and n_thin < _THIN:
            for column in range(4):
                data[n + n_thin, column] = data[i, column]
            group[n + n_thin] = group[i]
            n_thin += 1
    return n_thin


@compiled
def _centre_flux(has_baseline: int, points: Any, sums: Any) -> float:
    """Weigh each group, and subtract its weighted mean flux if baselines are free; chi2 of the baselines alone."""
    weight, mean = sums[GROUP_WEIGHT], sums[GROUP_FLUX]
    for g in range(points.n_groups):
        weight[g] = mean[g] = 0.0
    for i in range(len(points.data)):
        weight[points.group[i]] += points.data[i, WEIGHT]
        mean[points.group[i]] += points.data[i, WEIGHT] * points.data[i, FLUX]
    for g in range(points.n_groups):
        mean[g] = mean[g] / weight[g] if weight[g] > 0 else 0.0
    chi2 = 0.0
    for i in range(len(points.data)):
        if has_baseline:
            points.data[i, FLUX] -= mean[points.group[i]]
        chi2 += points.data[i, WEIGHT] * points.data[i, FLUX] ** 2
    return chi2


@compiled
def _set_bounds(model: Any, data: Any, vectors: Any) -> None:
    """The times of the data (see `least_squares.reach`), time scales of 1e-4 to 30 spans, 1,000 to 1,000,000 kelvin."""
    first, last = data[0, TIME], data[0, TIME]
    for i in range(len(data)):
        first, last = min(first, data[i, TIME]), max(last, data[i, TIME])
    span = max(last - first, 1e-3)
    for j in range(model.n_q):
        vectors[LOW, j], vectors[HIGH, j] = math.log(span * 1e-4), math.log(span * 30.0)
        if model.temperature and model.n_q - 2 * model.temperature < j <= model.n_q - model.temperature:
            vectors[LOW, j], vectors[HIGH, j] = _MIN_T, _MAX_T
    vectors[LOW, 0], vectors[HIGH, 0] = first, last
    if model.shape == BAZIN:
        vectors[HIGH, 2] += math.log(100.0)
    if model.shape == LENS:
        vectors[LOW, 2], vectors[HIGH, 2] = math.log(1e-3), math.log(5.0)


@compiled
def _multiply(n_q: int, n_groups: int, scale: float, labels: Any, sums: Any, covariance: Any) -> None:
    """Bring amplitudes and baselines into the units of the data."""
    for g in range(n_groups):
        for k in range(4):
            sums[k, labels[g]] *= scale if k < 2 else abs(scale)
    for j in range(n_q + 1):
        covariance[0, j] *= scale
        covariance[j, 0] *= scale
