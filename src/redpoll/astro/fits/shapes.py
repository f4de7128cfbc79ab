"""Shapes of light curves and their derivatives, compiled: each is a value and its slopes at one time."""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.fits.workspace import FREQUENCY, TIME, compiled

SIGMOID, BAZIN, LINEXP, LENS, PEAK = range(5)
THREE_TIMES = (BAZIN, LENS, PEAK)
"""Shapes of three parameters."""
NO_TEMPERATURE, CONSTANT_TEMPERATURE, SIGMOID_TEMPERATURE = range(3)
X_PER_FREQUENCY = 47992.43073
"""h / k, per 1e15 Hz and kelvin."""
_PLANCK = 15.0 / math.pi**4
_Slopes = tuple[float, float, float, float]


@compiled
def fill_shape(model: Any, sign: float, q: Any, points: Any, curve: Any) -> None:
    """The shape at each point, and its derivatives by q."""
    n_times = 3 if model.shape in THREE_TIMES else 2
    first = math.exp(-q[1])
    second = math.exp(-q[2]) if n_times == 3 else 0.0
    log_scale, scale_slope = _peak_scale(q[1] - q[2]) if model.shape == PEAK else (0.0, 0.0)
    early = late = rate = 0.0
    if model.temperature:
        early = late = math.exp(q[n_times])
    if model.temperature == SIGMOID_TEMPERATURE:
        late, rate = math.exp(q[n_times + 1]), math.exp(-q[n_times + 2])
    for i in range(len(points.data)):
        t = points.data[i, TIME] - q[0]
        if model.shape == SIGMOID:
            value, d0, d1, d2 = _sigmoid(t, sign * first)
        elif model.shape == BAZIN:
            value, d0, d1, d2 = _bazin(t, first, second)
        elif model.shape == PEAK:
            value, d0, d1, d2 = _peak(t, first, second, log_scale, scale_slope)
        elif model.shape == LINEXP:
            value, d0, d1, d2 = _linexp(t, sign * first)
        else:
            value, d0, d1, d2 = _lens(t, first, 1.0 / second)
        if model.temperature:
            share, steep, hot, by_t = _colour(t, early, late, rate, points.data[i, FREQUENCY])
            value *= share
            steep *= value
            by_t *= steep
            d0, d1, d2 = d0 * share + by_t, d1 * share, d2 * share
            curve[i, n_times + 1] = steep * hot
            if model.temperature == SIGMOID_TEMPERATURE:
                curve[i, n_times + 2], curve[i, n_times + 3] = steep * (1.0 - hot), by_t * t
        curve[i, 0], curve[i, 1], curve[i, 2] = value, d0, d1
        if n_times == 3:
            curve[i, 3] = d2


@compiled
def _sigmoid(t: float, rate: float) -> _Slopes:
    """1 / (1 + exp(-t / tau)); `rate` is 1 / tau, negative for a fading curve."""
    x = t * rate
    e = math.exp(-abs(x))
    value = 1.0 / (1.0 + e)
    slope = e * value * value
    return value if x >= 0 else e * value, -rate * slope, -x * slope, 0.0


@compiled
def _peak_scale(log_ratio: float) -> tuple[float, float]:
    """Logarithm of the factor that makes the peak 1, and its derivative by the logarithm of rise / fall."""
    ratio = math.exp(log_ratio)
    return math.log1p(ratio) - ratio * log_ratio / (1.0 + ratio), -ratio * log_ratio / ((1.0 + ratio) * (1.0 + ratio))


@compiled
def _bazin(t: float, rise: float, fall: float) -> _Slopes:
    """exp(-t fall) / (1 + exp(-t rise)); `rise` and `fall` are rates."""
    x, y = t * rise, t * fall
    e = math.exp(-abs(x))
    most = 1.0 / (1.0 + e)
    value = math.exp(min(x, 0.0) - y) * most
    lack = e * most if x >= 0 else most
    return value, value * (fall - rise * lack), -value * x * lack, value * y


@compiled
def _peak(t: float, rise: float, fall: float, log_scale: float, scale_slope: float) -> _Slopes:
    """1 / (exp(-t rise) + exp(t fall)) with the peak at 1; `rise` and `fall` are rates."""
    x, y = t * rise, t * fall
    e = math.exp(-abs(x + y))
    most = 1.0 / (1.0 + e)
    rising = e * most if x + y >= 0 else most  # share of the first term
    value = math.exp(log_scale - max(-x, y)) * most
    by_t0 = (1.0 - rising) * fall - rising * rise
    return value, value * by_t0, value * (scale_slope - rising * x), value * ((1.0 - rising) * y - scale_slope)


@compiled
def _linexp(t: float, rate: float) -> _Slopes:
    """x exp(1 - x) with x = t / tau, where x is positive, else 0; `rate` is 1 / tau, of either sign."""
    x = t * rate
    if x <= 0.0:
        return 0.0, 0.0, 0.0, 0.0
    e = math.exp(1.0 - x)
    slope = (1.0 - x) * e
    return x * e, -rate * slope, -x * slope, 0.0


@compiled
def _lens(t: float, rate: float, impact: float) -> _Slopes:
    """Magnification less 1 of a point by a point; `rate` is 1 / Einstein time, `impact` the least distance."""
    z = impact * impact + (t * rate) ** 2
    root = math.sqrt(z * (z + 4.0))
    slope = -4.0 / (root * root * root)
    along = 2.0 * slope * t * rate
    return 4.0 / ((z + 2.0 + root) * root), -along * rate, -along * t * rate, 2.0 * slope * impact * impact


@compiled
def _colour(t: float, early: float, late: float, rate: float, frequency: float) -> _Slopes:
    """Share of a blackbody's light per 1e15 Hz; its logarithm's slope by ln T; d ln T / d ln early; -d ln T / dt."""
    hot, by_t, temperature = 1.0, 0.0, early
    if rate > 0.0:
        x = t * rate
        e = math.exp(-abs(x))
        most = 1.0 / (1.0 + e)
        cool = most if x >= 0 else e * most
        temperature = early + (late - early) * cool
        by_t = (early - late) * cool * (1.0 - cool) * rate / temperature
        hot = early * (1.0 - cool) / temperature
    x = X_PER_FREQUENCY * frequency / temperature
    e = math.exp(-x)
    rest = 1.0 / (1.0 - e)
    return _PLANCK * x * x * x * x * e * rest / frequency, x * rest - 4.0, hot, by_t
