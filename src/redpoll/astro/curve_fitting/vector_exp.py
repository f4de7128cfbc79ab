"""The exponential function in plain arithmetic, which the compiler can vectorise."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from redpoll.astro.curve_fitting.workspace import compiled

_TAYLOR = tuple(1.0 / math.factorial(k) for k in range(13))
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12 = _TAYLOR[2:]
_PER_LN_2 = 1.4426950408889634
_LN_2, _LN_2_REST = 0.693147180369123816490, 1.90821492927058770002e-10
"""ln 2 as a sum of a short number, whose multiples are exact, and a remainder."""
_SHIFT = 1.5 * 2.0**52 + 1023.0
"""Added to a number, leaves it rounded, and 1023 more, in the last bits: the exponent of a float64, ready made."""
_MAX_EXPONENT = 708.0


def _as_power(context: Any, shifted: Any) -> Any:
    """2 to the power of a number to which _SHIFT was added, as an intrinsic for numba."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        bits = builder.shl(builder.bitcast(arguments[0], word), ir.Constant(word, 52))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.float64), generate


_power_of_two: Any = intrinsic(_as_power)


@compiled
def exp(x: float) -> float:
    """Exponential of x, within 3e-16 of itself; of x beyond -708 and 708 that of these."""
    x = min(max(x, -_MAX_EXPONENT), _MAX_EXPONENT)
    shifted = x * _PER_LN_2 + _SHIFT
    n = shifted - _SHIFT
    r = (x - n * _LN_2) - n * _LN_2_REST
    p = _C9 + r * (_C10 + r * (_C11 + r * _C12))
    p = _C5 + r * (_C6 + r * (_C7 + r * (_C8 + r * p)))
    p = 1.0 + r * (1.0 + r * (_C2 + r * (_C3 + r * (_C4 + r * p))))
    power: float = _power_of_two(shifted)
    return p * power
