"""Science module: 26 statistics of the light curve in each band."""

from __future__ import annotations

import numpy as np

from redpoll import Column, UsageError, feature, science_module
from redpoll.light_curves import BANDS, DETECTION, LightCurves, is_positive_detection
from redpoll.statistics import FEATURES, BandSeries
from redpoll.statistics import light_curve_statistics as statistics
from redpoll.typing import Arrays

_UNITS = dict.fromkeys(
    ("mean", "weighted_mean", "standard_deviation", "median", "amplitude", "inter_percentile_range_10",
     "linear_trend_noise", "median_absolute_deviation", "percent_amplitude"), "mag",
) | dict.fromkeys(
    ("linear_trend", "linear_trend_sigma", "linear_fit_slope", "linear_fit_slope_sigma", "maximum_slope"), "mag/d",
)  # fmt: skip


def _outputs() -> dict[str, Column]:
    doc = "Statistic '{}' of the detections in {}; null where it is not defined."
    return {f"{x}_{band}": feature(_UNITS.get(x, ""), doc.format(x, band)) for band in BANDS for x in FEATURES}


@science_module(version="2", outputs=_outputs(), compile_group="statistics")
def light_curve_statistics(packet_light_curve: LightCurves, *, quantity: str = "mag") -> Arrays:
    """Statistics of the magnitudes or fluxes of the detections in each band: see docs/explanation.

    ``quantity="mag"``: AB magnitudes of the difference flux, in mag and mag/d. Shape statistics of magnitudes do not
    depend on the distance of a source. A detection of negative flux has no such magnitude and is left out.
    ``quantity="flux"``: nJy and nJy/d, of all detections.

    They are of the packet's measurements alone: what a model learned from must not depend on how long a store has run.
    """
    if quantity not in ("mag", "flux"):
        raise UsageError(f"light_curve_statistics: quantity must be 'mag' or 'flux', not {quantity!r}")
    is_mag = quantity == "mag"
    keep = is_positive_detection(packet_light_curve) if is_mag else packet_light_curve.kind == DETECTION
    series = BandSeries.of(packet_light_curve, keep & np.isfinite(packet_light_curve.flux))
    value, error = (series.mag, series.mag_err) if is_mag else (series.flux, series.flux_err)
    found = statistics(series.mjd, value, error, series.offsets)
    return dict(zip(_outputs(), found.reshape(len(packet_light_curve), len(BANDS) * len(FEATURES)).T, strict=True))
