"""Low and high states of monitored blazars."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.science.blazar_state import blazar_state

MEDIAN = 1e-3  # Jy: 16.4 mag


def _run(curves, ratios, band="r", **changes):
    """An alert whose history has these apparent fluxes, in medians, a day apart; the reference is half a median."""
    reference = 0.5 * MEDIAN * 1e9
    points = [(band, 60000.0 + i, x * MEDIAN * 1e9 - reference, 1000.0) for i, x in enumerate(ratios)]
    columns = {
        "mjd": points[-1][1], "flux": points[-1][2], "reference_mag": 31.4 - 2.5 * np.log10(reference),
        "ctao_blazars_median_g": np.nan, "ctao_blazars_median_r": MEDIAN,
        "ctao_blazars_low_threshold": 0.6, "ctao_blazars_high_threshold": 2.0,
    }  # fmt: skip
    columns = {name: np.array([value]) for name, value in {**columns, **changes}.items()}
    found = blazar_state(**columns, band=np.array([band], object), light_curve=curves(points))
    return {name: values[0] for name, values in found.items()}


def test_a_blazar_long_below_its_threshold_is_low(curves):
    found = _run(curves, [0.5, 0.55, 0.5, 0.52])
    assert found["is_blazar_low"] and not found["is_blazar_high"]
    assert found["blazar_flux_ratio"] == pytest.approx(0.52, rel=1e-4)


def test_one_faint_night_is_not_a_low_state(curves):
    assert not _run(curves, [1.0, 1.1, 1.0, 0.5])["is_blazar_low"]


def test_a_bright_week_is_a_high_state(curves):
    found = _run(curves, [1.0] * 20 + [2.5, 2.6, 2.4, 2.5, 2.6, 2.5])
    assert found["is_blazar_high"] and not found["is_blazar_low"]


@pytest.mark.parametrize(
    "change",
    [{"ctao_blazars_median_r": np.nan}, {"reference_mag": np.nan}, {"ctao_blazars_low_threshold": np.nan}],
    ids=str,
)
def test_what_is_unknown_is_no_state(curves, change):
    assert not _run(curves, [0.5, 0.5], **change)["is_blazar_low"]
    assert not _run(curves, [0.5, 0.5], band="i")["is_blazar_low"]
