"""Shapes of light curves and their derivatives, compiled: each is a value and its slopes at one time."""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.fits.workspace import compiled

SIGMOID, BAZIN, LINEXP, LENS = range(4)
NO_TEMPERATURE, CONSTANT_TEMPERATURE, SIGMOID_TEMPERATURE = range(3)
X_PER_FREQUENCY = 47992.43073
"""h / k, per 1e15 Hz and kelvin."""
_PLANCK = 15.0 / math.pi**4


@compiled
def fill_shape(model: Any, sign: float, q: Any, points: Any, room: Any) -> None:
    """The shape at each point, and its derivatives by q."""
    n_times = 2 if model.shape == SIGMOID or model.shape == LINEXP else 3
    rate1, rate2 = math.exp(-q[1]), math.exp(-q[2])
    log_scale, scale_slope = 0.0, 0.0
    if model.shape == BAZIN:
        log_scale, scale_slope = _bazin_scale(q[1] - q[2])
    for i in range(len(points.t)):
        t = points.t[i] - q[0]
        if model.shape == SIGMOID:
            value, d0, d1, d2 = _sigmoid(t, sign * rate1)
        elif model.shape == BAZIN:
            value, d0, d1, d2 = _bazin(t, rate1, rate2, log_scale, scale_slope)
        elif model.shape == LINEXP:
            value, d0, d1, d2 = _linexp(t, sign * rate1)
        else:
            value, d0, d1, d2 = _lens(t, rate1, 1.0 / rate2)
        room.shape[i] = value
        room.slope[i, 0], room.slope[i, 1] = d0, d1
        if n_times == 3:
            room.slope[i, 2] = d2
        if model.temperature:
            _colour(model.temperature, t, n_times, q, points.frequency[i], i, room)


@compiled
def _sigmoid(t: float, rate: float) -> tuple[float, float, float, float]:
    """1 / (1 + exp(-t / tau)); `rate` is 1 / tau, negative for a fading curve."""
    x = t * rate
    e = math.exp(-abs(x))
    value = 1.0 / (1.0 + e) if x >= 0 else e / (1.0 + e)
    slope = e / ((1.0 + e) * (1.0 + e))
    return value, -rate * slope, -x * slope, 0.0


@compiled
def _bazin_scale(log_ratio: float) -> tuple[float, float]:
    """Logarithm of the factor that makes the peak 1, and its derivative by the logarithm of rise / fall."""
    ratio = math.exp(log_ratio)
    return math.log1p(ratio) - ratio * log_ratio / (1.0 + ratio), -ratio * log_ratio / ((1.0 + ratio) * (1.0 + ratio))


@compiled
def _bazin(
    t: float, rise: float, fall: float, log_scale: float, scale_slope: float
) -> tuple[float, float, float, float]:
    """1 / (exp(-t rise) + exp(t fall)) with the peak at 1; `rise` and `fall` are rates."""
    x, y = t * rise, t * fall
    e = math.exp(-abs(x + y))
    rising = e / (1.0 + e) if x + y >= 0 else 1.0 / (1.0 + e)  # share of the first term
    value = math.exp(log_scale - max(-x, y)) / (1.0 + e)
    by_t0 = (1.0 - rising) * fall - rising * rise
    return value, value * by_t0, value * (scale_slope - rising * x), value * ((1.0 - rising) * y - scale_slope)


@compiled
def _linexp(t: float, rate: float) -> tuple[float, float, float, float]:
    """x exp(1 - x) with x = t / tau, where x is positive, else 0; `rate` is 1 / tau, of either sign."""
    x = t * rate
    if x <= 0.0:
        return 0.0, 0.0, 0.0, 0.0
    e = math.exp(1.0 - x)
    slope = (1.0 - x) * e
    return x * e, -rate * slope, -x * slope, 0.0


@compiled
def _lens(t: float, rate: float, impact: float) -> tuple[float, float, float, float]:
    """Magnification less 1 of a point by a point; `rate` is 1 / Einstein time, `impact` the least distance."""
    z = impact * impact + (t * rate) ** 2
    root = math.sqrt(z * (z + 4.0))
    slope = -4.0 / (root * root * root)
    along = 2.0 * slope * t * rate
    return 4.0 / ((z + 2.0 + root) * root), -along * rate, -along * t * rate, 2.0 * slope * impact * impact


@compiled
def _colour(kind: int, t: float, first: int, q: Any, frequency: float, i: int, room: Any) -> None:
    """Multiply the shape and its derivatives by the blackbody's share of light per 1e15 Hz at this frequency."""
    late = math.exp(q[first])
    temperature, hot, by_t = late, 0.0, 0.0
    early, rate = late, 0.0
    if kind == SIGMOID_TEMPERATURE:
        early, late, rate = late, math.exp(q[first + 1]), math.exp(-q[first + 2])
        e = math.exp(-abs(t * rate))
        hot = e / (1.0 + e) if t >= 0 else 1.0 / (1.0 + e)
        temperature = late + (early - late) * hot
        by_t = (early - late) * hot * (1.0 - hot) * rate / temperature  # -d ln T / dt
    x = X_PER_FREQUENCY * frequency / temperature
    e = math.exp(-x)
    share = _PLANCK * x * x * x * x * e / ((1.0 - e) * frequency)
    steep = (x / (1.0 - e) - 4.0) * room.shape[i] * share  # by ln T
    for j in range(first):
        room.slope[i, j] *= share
    room.shape[i] *= share
    if kind == CONSTANT_TEMPERATURE:
        room.slope[i, first] = steep
        return
    room.slope[i, 0] += steep * by_t
    room.slope[i, first] = steep * early * hot / temperature
    room.slope[i, first + 1] = steep * late * (1.0 - hot) / temperature
    room.slope[i, first + 2] = steep * by_t * t
