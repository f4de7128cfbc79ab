"""An alert that every filter but one condition would take."""

from __future__ import annotations

import numpy as np
import pytest

GOOD = {
    "is_good": True, "mag": 18.0, "age": 3.0, "n_detections": 3, "roid": "not_sso", "star_score": np.nan,
    "star_distance_arcsec": np.nan, "mag_rate_upper": -0.6, "mag_rate_days": 2.0, "peak_mag": 17.0, "faded_mag": 2.0,
    "lost_days": 8.0,
}  # fmt: skip


@pytest.fixture
def passes():
    """``passes(filter, mag=18.0)``: whether an alert passes that is good except for the given values."""

    def answer(alert_filter, settings=None, **values):
        given = {**GOOD, **values}.items()
        columns = {name: np.array([value], object if isinstance(value, str) else None) for name, value in given}
        outcome = alert_filter(**{name: columns[name] for name in alert_filter.inputs}, **(settings or {}))
        assert outcome.shape == (1,) and outcome.dtype == bool
        return bool(outcome[0])

    return answer
