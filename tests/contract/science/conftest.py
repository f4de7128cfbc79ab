"""Light curves for rules that look at other columns."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.schema.light_curve import LightCurves


@pytest.fixture
def curves_of_one_point():
    """``curves_of_one_point(n)``: n light curves that hold a single detection each."""

    def make(n):
        one = np.ones(n, np.float32)
        zero = np.zeros(n, np.int8)
        return LightCurves(np.arange(n + 1), one.astype(np.float64), zero, one, one, zero)

    return make
