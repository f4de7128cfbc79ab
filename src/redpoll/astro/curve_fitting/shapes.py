"""Shapes of light curves and their derivatives at all points of a curve, compiled; every loop is plain arithmetic."""

from __future__ import annotations

import math
from typing import Any

from redpoll.astro.curve_fitting.vector_exp import exp
from redpoll.astro.curve_fitting.workspace import FREQUENCY, SLOPES, STRIDE, TIME, VALUE, compiled

SIGMOID, BAZIN, LINEXP, LENS, PEAK = range(5)
THREE_TIMES = (BAZIN, LENS, PEAK)
"""Shapes of three parameters."""
NO_TEMPERATURE, CONSTANT_TEMPERATURE, SIGMOID_TEMPERATURE = range(3)
X_PER_FREQUENCY = 47992.43073
"""h / k, per 1e15 Hz and kelvin."""
_PLANCK = 15.0 / math.pi**4
_T, _NU, _V = TIME * STRIDE, FREQUENCY * STRIDE, VALUE * STRIDE
_D0, _D1, _D2, _D_EARLY, _D_LATE, _D_COLOUR = ((SLOPES + k) * STRIDE for k in range(6))
"""Starts of the rows: time, frequency, the shape, its derivatives by t0, the other times and the temperatures."""


@compiled
def slope_row(shape: int, j: int) -> int:
    """Row of the derivative by q[j]; the temperatures come after three times, or after two with a gap."""
    return SLOPES + j if j < 2 or shape in THREE_TIMES else SLOPES + 1 + j


@compiled
def fill_shape(model: Any, sign: float, q: Any, curve: Any) -> None:
    """The shape at each point, and its derivatives by q."""
    rows, n, t0, first = curve.rows, curve.n, q[0], math.exp(-q[1])
    n_times = 3 if model.shape in THREE_TIMES else 2
    if model.shape == SIGMOID:
        _fill_sigmoid(rows, n, t0, sign * first)
    elif model.shape == BAZIN:
        _fill_bazin(rows, n, t0, first, math.exp(-q[2]))
    elif model.shape == PEAK:
        _fill_peak(rows, n, t0, first, math.exp(-q[2]), q[1] - q[2])
    elif model.shape == LINEXP:
        _fill_linexp(rows, n, t0, sign * first)
    else:
        _fill_lens(rows, n, t0, first, math.exp(q[2]))
    if model.temperature == CONSTANT_TEMPERATURE:
        _paint(rows, n, math.exp(-q[n_times]))
    elif model.temperature == SIGMOID_TEMPERATURE:
        _paint_changing(rows, n, t0, math.exp(q[n_times]), math.exp(q[n_times + 1]), math.exp(-q[n_times + 2]))


@compiled
def _fill_sigmoid(rows: Any, n: int, t0: float, rate: float) -> None:
    """1 / (1 + exp(-t / tau)); `rate` is 1 / tau, negative for a fading curve."""
    for i in range(n):
        x = (rows[_T + i] - t0) * rate
        e = exp(-abs(x))
        logistic = 1.0 / (1.0 + e)
        slope = e * logistic * logistic
        rows[_V + i] = logistic if x >= 0.0 else e * logistic
        rows[_D0 + i] = -rate * slope
        rows[_D1 + i] = -x * slope


@compiled
def _fill_bazin(rows: Any, n: int, t0: float, rise: float, fall: float) -> None:
    """exp(-t fall) / (1 + exp(-t rise)); `rise` and `fall` are rates."""
    for i in range(n):
        t = rows[_T + i] - t0
        x, y = t * rise, t * fall
        e = exp(-abs(x))
        logistic = 1.0 / (1.0 + e)
        value = exp(min(x, 0.0) - y) * logistic
        lack = e * logistic if x >= 0.0 else logistic
        rows[_V + i] = value
        rows[_D0 + i] = value * (fall - rise * lack)
        rows[_D1 + i] = -value * x * lack
        rows[_D2 + i] = value * y


@compiled
def _fill_peak(rows: Any, n: int, t0: float, rise: float, fall: float, log_ratio: float) -> None:
    """1 / (exp(-t rise) + exp(t fall)) with the peak at 1; `rise` and `fall` are rates, of which that is the ratio."""
    ratio = math.exp(log_ratio)
    log_scale = math.log1p(ratio) - ratio * log_ratio / (1.0 + ratio)
    scale_slope = -ratio * log_ratio / ((1.0 + ratio) * (1.0 + ratio))
    for i in range(n):
        t = rows[_T + i] - t0
        x, y = t * rise, t * fall
        e = exp(-abs(x + y))
        logistic = 1.0 / (1.0 + e)
        rising = e * logistic if x + y >= 0.0 else logistic  # fraction of the first term
        value = exp(log_scale - max(-x, y)) * logistic
        rows[_V + i] = value
        rows[_D0 + i] = value * ((1.0 - rising) * fall - rising * rise)
        rows[_D1 + i] = value * (scale_slope - rising * x)
        rows[_D2 + i] = value * ((1.0 - rising) * y - scale_slope)


@compiled
def _fill_linexp(rows: Any, n: int, t0: float, rate: float) -> None:
    """x exp(1 - x) with x = t / tau, where x is positive, else 0; `rate` is 1 / tau, of either sign."""
    for i in range(n):
        x = (rows[_T + i] - t0) * rate
        e = exp(1.0 - x) if x > 0.0 else 0.0
        slope = (1.0 - x) * e
        rows[_V + i] = x * e
        rows[_D0 + i] = -rate * slope
        rows[_D1 + i] = -x * slope


@compiled
def _fill_lens(rows: Any, n: int, t0: float, rate: float, impact: float) -> None:
    """Magnification less 1 of a point by a point; `rate` is 1 / Einstein time, `impact` the minimum distance."""
    for i in range(n):
        x = (rows[_T + i] - t0) * rate
        z = impact * impact + x * x
        root = math.sqrt(z * (z + 4.0))
        slope = -4.0 / (root * root * root)
        along = 2.0 * slope * x
        rows[_V + i] = 4.0 / ((z + 2.0 + root) * root)
        rows[_D0 + i] = -along * rate
        rows[_D1 + i] = -along * x
        rows[_D2 + i] = 2.0 * slope * impact * impact


@compiled
def fraction_of_light(frequency: float, coldness: float) -> tuple[float, float]:
    """Fraction of a blackbody's light per 1e15 Hz, and its logarithm's slope by ln T; `coldness` is 1 / T."""
    x_per_frequency = X_PER_FREQUENCY * coldness
    x = x_per_frequency * frequency
    e = exp(-x)
    rest = 1.0 / (1.0 - e)
    return _PLANCK * x_per_frequency * (x * x * x) * e * rest, x * rest - 4.0


@compiled
def _paint(rows: Any, n: int, coldness: float) -> None:
    """Multiply by the fraction of light at a constant temperature, for any number of times."""
    for i in range(n):
        fraction, steep = fraction_of_light(rows[_NU + i], coldness)
        value = rows[_V + i] * fraction
        rows[_V + i] = value
        rows[_D0 + i] *= fraction
        rows[_D1 + i] *= fraction
        rows[_D2 + i] *= fraction
        rows[_D_EARLY + i] = value * steep


@compiled
def _paint_changing(rows: Any, n: int, t0: float, early: float, late: float, rate: float) -> None:
    """The same where the temperature goes from `early` to `late` as a sigmoid of that rate."""
    for i in range(n):
        t = rows[_T + i] - t0
        x = t * rate
        e = exp(-abs(x))
        logistic = 1.0 / (1.0 + e)
        cool = logistic if x >= 0.0 else e * logistic
        coldness = 1.0 / (early + (late - early) * cool)
        hot = early * (1.0 - cool) * coldness
        by_t = (early - late) * cool * (1.0 - cool) * rate * coldness
        fraction, steep = fraction_of_light(rows[_NU + i], coldness)
        value = rows[_V + i] * fraction
        steep *= value
        rows[_V + i] = value
        rows[_D0 + i] = rows[_D0 + i] * fraction + steep * by_t
        rows[_D1 + i] *= fraction
        rows[_D2 + i] *= fraction
        rows[_D_EARLY + i] = steep * hot
        rows[_D_LATE + i] = steep * (1.0 - hot)
        rows[_D_COLOUR + i] = steep * by_t * t
