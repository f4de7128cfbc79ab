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

from redpoll.astro.fits.least_squares import evaluate, minimise
from redpoll.astro.fits.parameter_errors import write_errors
from redpoll.astro.fits.shapes import LENS
from redpoll.astro.fits.starts import N_STARTS, search_grid
from redpoll.astro.fits.workspace import MAX_Q, MEAN_FLUX, WEIGHT, Points, compiled, new_room

_MIN_T, _MAX_T = math.log(1e3), math.log(1e6)
_THIN = 48
"""Points that the grid looks at."""
_ROUGH_STEPS, _MAX_STEPS = 8, 80
_ROUGH_GAIN, _FINE_GAIN = 1e-2, 1e-7


def _entry(stamp: int) -> Callable[..., int]:
    """The function that is called. Its cache is keyed by `stamp` too, as numba would watch this file alone."""

    @njit(cache=True, nogil=True, error_model="numpy")
    def fit_curves(
        model: Any, mjd: Any, flux: Any, err: Any, frequency: Any, group: Any, offsets: Any, out: Any
    ) -> int:
        longest = 1
        for i in range(len(offsets) - 1):
            longest = max(longest, offsets[i + 1] - offsets[i])
        space, kinds = np.empty((4, longest)), np.empty(longest, np.int64)
        thin_space = np.empty((4, _THIN))
        thin = Points(thin_space[0], thin_space[1], thin_space[2], thin_space[3], np.empty(_THIN, np.int64), 1)
        labels = np.empty(out.sums.shape[2], np.int64)
        room = new_room(longest, len(labels), N_STARTS + 1)
        for i in range(len(offsets) - 1):
            n, origin, scale = _copy_known(mjd, flux, err, frequency, group, offsets[i], offsets[i + 1], space, kinds)
            n_bands, n_groups = _name_groups(model, kinds[:n], labels)
            points = Points(space[0, :n], space[1, :n], space[2, :n], space[3, :n], kinds[:n], n_groups)
            n_linear = (n_groups if model.is_per_group else 1) + (n_groups if model.has_baseline else 0)
            out.n_points[i], out.n_parameters[i] = n, model.n_q + n_linear
            is_enough = n >= model.n_q + n_linear and (n_bands > 1 or not model.temperature)
            if is_enough and 0 < scale < math.inf:
                _fit_curve(model, points, thin, labels, scale, room, i, out)
                out.q[i, 0] += origin
        return stamp

    return fit_curves


fit_curves = _entry(zlib.crc32(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))))
"""Fit every curve: (model, mjd, flux, err, frequency, group, offsets, out); `out` is made by `new_answers`."""


@compiled
def _copy_known(
    mjd: Any, flux: Any, err: Any, frequency: Any, group: Any, start: int, stop: int, space: Any, kinds: Any
) -> tuple[int, float, float]:
    """Copy the points that count, in days since the first and units of the largest flux; how many, both origins."""
    n, scale, origin = 0, 0.0, 0.0
    for i in range(start, stop):
        is_known = math.isfinite(mjd[i]) and math.isfinite(flux[i]) and math.isfinite(err[i]) and err[i] > 0
        if is_known and group[i] >= 0:
            origin = mjd[i] if n == 0 else origin
            space[0, n], space[1, n], space[2, n] = mjd[i] - origin, flux[i], err[i]
            space[3, n], kinds[n] = frequency[i], group[i]
            scale = max(scale, abs(flux[i]))
            n += 1
    for i in range(n):
        space[1, i] /= scale
        space[2, i] = (scale / space[2, i]) ** 2
    return n, origin, scale


@compiled
def _name_groups(model: Any, group: Any, labels: Any) -> tuple[int, int]:
    """Number the bands of a curve 0, 1, 2, ...; all 0 where nothing depends on them. How many bands, and groups."""
    n = 0
    for i in range(len(group)):
        g = 0
        while g < n and labels[g] != group[i]:
            g += 1
        if g == n:
            labels[n] = group[i]
            n += 1
        group[i] = g
    if model.has_baseline or model.is_per_group:
        return n, n
    for i in range(len(group)):
        group[i] = 0
    labels[0] = 0
    return n, 1


@compiled
def _thinned(points: Any, thin: Any) -> Any:
    """At most `_THIN` of the points, spread evenly by the golden ratio, for the grid; they are put into `thin`."""
    n = len(points.t)
    if n <= _THIN:
        return points
    for k in range(_THIN):
        i = int(((k + 0.5) * 0.6180339887498949) % 1.0 * n)
        thin.t[k], thin.flux[k], thin.weight[k] = points.t[i], points.flux[i], points.weight[i]
        thin.frequency[k], thin.group[k] = points.frequency[i], points.group[i]
    return Points(thin.t, thin.flux, thin.weight, thin.frequency, thin.group, points.n_groups)


@compiled
def _centre_flux(model: Any, points: Any, room: Any) -> None:
    """Weigh each group, and subtract its weighted mean flux if baselines are free."""
    weight, mean = room.sums[WEIGHT], room.sums[MEAN_FLUX]
    for g in range(points.n_groups):
        weight[g] = mean[g] = 0.0
    for i in range(len(points.t)):
        weight[points.group[i]] += points.weight[i]
        mean[points.group[i]] += points.weight[i] * points.flux[i]
    for g in range(points.n_groups):
        mean[g] = mean[g] / weight[g] if weight[g] > 0 else 0.0
    if model.has_baseline:
        for i in range(len(points.t)):
            points.flux[i] -= mean[points.group[i]]


@compiled
def _fit_curve(model: Any, points: Any, thin: Any, labels: Any, scale: float, room: Any, i: int, out: Any) -> None:
    _centre_flux(model, points, room)
    for g in range(points.n_groups):
        room.means[g] = room.sums[MEAN_FLUX, g] if model.has_baseline else 0.0
    out.flat_chi2[i] = 0.0
    for k in range(len(points.t)):
        out.flat_chi2[i] += points.weight[k] * points.flux[k] ** 2
    thin = _thinned(points, thin)
    _set_bounds(model, points, room.bounds)
    _centre_flux(model, thin, room)
    best = _best_start(model, thin, room)
    if best < 0:
        return
    _centre_flux(model, points, room)
    q, sign = room.starts[best], room.starts[best, MAX_Q + 1]
    chi2, is_converged = minimise(model, sign, q, points, room, _MAX_STEPS, _FINE_GAIN)
    if math.isfinite(chi2):
        out.chi2[i], out.is_converged[i], out.sign[i] = chi2, is_converged, sign
        evaluate(model, sign, q, points, room)
        _write(model, points.n_groups, q, labels, scale, room, i, out)


@compiled
def _best_start(model: Any, thin: Any, room: Any) -> int:
    """Row of room.starts that is the best after a few steps; -1 if no start has a positive amplitude."""
    best, best_chi2 = -1, math.inf
    for k in range(search_grid(model, thin, room)):
        chi2, _ = minimise(model, room.starts[k, MAX_Q + 1], room.starts[k], thin, room, _ROUGH_STEPS, _ROUGH_GAIN)
        if chi2 < best_chi2:
            best, best_chi2 = k, chi2
    return best


@compiled
def _write(model: Any, n_groups: int, q: Any, labels: Any, scale: float, room: Any, i: int, out: Any) -> None:
    """The answer in the units of the data."""
    write_errors(model, n_groups, q, labels, room, i, out)
    for g in range(n_groups):
        for k in range(2):
            out.sums[i, k, labels[g]] *= scale
            out.sum_errors[i, k, labels[g]] *= scale
    out.amplitude[i] *= scale
    for j in range(model.n_q + 1):
        out.covariance[i, 0, j] *= scale
        out.covariance[i, j, 0] *= scale
    for j in range(model.n_q):
        out.q[i, j] = q[j]


@compiled
def _set_bounds(model: Any, points: Any, bounds: Any) -> None:
    """Times within ten lengths of the curve, time scales of 1e-4 to 30 lengths, 1,000 to 1,000,000 kelvin."""
    first, last = points.t[0], points.t[0]
    for t in points.t:
        first, last = min(first, t), max(last, t)
    span = max(last - first, 1e-3)
    for j in range(model.n_q):
        bounds[0, j], bounds[1, j] = math.log(span * 1e-4), math.log(span * 30.0)
        if model.temperature and j >= model.n_q - 2 * model.temperature + 1 and j < model.n_q - model.temperature + 1:
            bounds[0, j], bounds[1, j] = _MIN_T, _MAX_T
    bounds[0, 0], bounds[1, 0] = first - 10.0 * span, last + 10.0 * span
    if model.shape == LENS:
        bounds[0, 2], bounds[1, 2] = math.log(1e-3), math.log(5.0)
