"""Where a night begins."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.astro.time import NIGHT_OFFSET, night_of, night_start


@pytest.mark.parametrize("survey", NIGHT_OFFSET)
def test_a_night_begins_where_its_name_does(survey):
    offset = NIGHT_OFFSET[survey]
    nights = night_of(np.arange(57_800.2, 70_000, 97.3), offset)
    start = night_start(nights, offset)
    assert np.array_equal(night_of(start + 1e-7, offset), nights)
    assert (night_of(start - 1e-7, offset) < nights).all()
