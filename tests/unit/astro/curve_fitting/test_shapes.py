"""Each shape's derivatives, against differences of its own values, and its values against plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy.integrate import quad

from redpoll.astro.curve_fitting.shapes import (
    BAZIN,
    CONSTANT_TEMPERATURE,
    LENS,
    LINEXP,
    NO_TEMPERATURE,
    PEAK,
    SIGMOID,
    SIGMOID_TEMPERATURE,
    fill_shape,
    fraction_of_light,
    slope_row,
)
from redpoll.astro.curve_fitting.vector_exp import exp
from redpoll.astro.curve_fitting.workspace import (
    FREQUENCY,
    MAX_Q,
    STRIDE,
    TIME,
    VALUE,
    CurveModel,
    PackedCurve,
    new_room,
)

T = np.array([-31.0, -4.0, -0.3, 0.2, 3.0, 11.0, 60.0])
NU = np.array([0.8, 0.6, 0.5, 0.4, 0.8, 0.6, 0.5])
TIMES = {
    SIGMOID: [0.4, 1.2],
    BAZIN: [0.4, 1.2, 2.9],
    LINEXP: [0.4, 1.2],
    LENS: [0.4, 2.2, -0.9],
    PEAK: [0.4, 1.2, 2.9],
}
TEMPERATURES = {
    NO_TEMPERATURE: [],
    CONSTANT_TEMPERATURE: [9.1],
    SIGMOID_TEMPERATURE: [9.6, 8.8, 2.0],
}


pytestmark = pytest.mark.usefixtures("runnable")


def _compiled(function):
    """By numba, unless Python runs the parts themselves."""
    return njit(error_model="numpy")(function) if hasattr(fill_shape, "py_func") else function


@_compiled
def _fill(model, sign, q, curve):
    fill_shape(model, sign, q, curve)


@_compiled
def _fraction_at_9000(frequency):
    return fraction_of_light(frequency, 1 / 9000.0)[0]


@_compiled
def _exp_of(x, out):
    for i in range(len(x)):
        out[i] = exp(x[i])


def _shape(shape, temperature, sign, q):
    model, padded, rows = CurveModel(shape, temperature, 0, 0, 0, 0, len(q)), np.zeros(MAX_Q), new_room(1, 1).rows
    table = rows.reshape(-1, STRIDE)[:, : len(T)]
    table[TIME], table[FREQUENCY], padded[: len(q)] = T, NU, q
    _fill(model, sign, padded, PackedCurve(rows, np.array([0, len(T)]), len(T), 1))
    return table[VALUE].copy(), table[
        [getattr(slope_row, "py_func", slope_row)(shape, j) for j in range(len(q))]
    ].T.copy()


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("shape", TIMES)
def test_derivatives_are_those_of_the_values(shape, sign, temperature):
    q = np.array(TIMES[shape] + TEMPERATURES[temperature])
    _, slopes = _shape(shape, temperature, sign, q)
    for j in range(len(q)):
        step = np.zeros(len(q))
        step[j] = 1e-5
        numeric = (_shape(shape, temperature, sign, q + step)[0] - _shape(shape, temperature, sign, q - step)[0]) / 2e-5
        assert slopes[:, j] == pytest.approx(numeric, rel=1e-6, abs=1e-9 * np.abs(slopes).max())


def test_values_are_the_published_formulas():
    t, tau, fall = T - 0.4, np.exp(1.2), np.exp(2.9)
    assert _shape(SIGMOID, 0, 1.0, np.array(TIMES[SIGMOID]))[0] == pytest.approx(1 / (1 + np.exp(-t / tau)))
    bazin = np.exp(-t / fall) / (1 + np.exp(-t / tau))
    assert _shape(BAZIN, 0, 1.0, np.array(TIMES[BAZIN]))[0] == pytest.approx(bazin)
    x = np.maximum(t / tau, 0)
    assert _shape(LINEXP, 0, 1.0, np.array(TIMES[LINEXP]))[0] == pytest.approx(x * np.exp(1 - x))
    u2 = np.exp(-1.8) + (t / np.exp(2.2)) ** 2
    lens = (u2 + 2) / np.sqrt(u2 * (u2 + 4)) - 1
    assert _shape(LENS, 0, 1.0, np.array(TIMES[LENS]))[0] == pytest.approx(lens)
    peak = 1 / (np.exp(-t / tau) + np.exp(t / fall))
    highest = np.max(1 / (np.exp(-np.linspace(0, 30, 30001) / tau) + np.exp(np.linspace(0, 30, 30001) / fall)))
    assert _shape(PEAK, 0, 1.0, np.array(TIMES[PEAK]))[0] == pytest.approx(peak / highest, rel=1e-6)


def test_light_of_all_frequencies_is_the_bolometric_flux():
    fraction = quad(_fraction_at_9000, 1e-4, 30, limit=400)[0]
    assert fraction == pytest.approx(1, abs=1e-4)


def test_exponential_is_that_of_numpy():
    x = np.concatenate([np.linspace(-708, 708, 50_001), [0.0, -0.0, 1e-300, 0.5 * np.log(2), -np.inf, np.inf, -1e9]])
    found = np.empty_like(x)
    _exp_of(x, found)
    assert found == pytest.approx(np.exp(np.clip(x, -708, 708)), rel=4e-16, abs=0)
