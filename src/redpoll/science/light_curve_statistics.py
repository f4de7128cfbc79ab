"""Science module: 26 statistics of the light curve in each band."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from redpoll import Column, science_module
from redpoll.astro.light_curve_statistics import FEATURES
from redpoll.astro.light_curve_statistics import light_curve_statistics as statistics
from redpoll.astro.photometry import mag_err_from_flux, mag_from_flux
from redpoll.astro.ragged import by_band
from redpoll.errors import UsageError
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import LightCurves

_UNITS = dict.fromkeys(
    ("mean", "weighted_mean", "standard_deviation", "median", "amplitude", "inter_percentile_range_10",
     "linear_trend_noise", "median_absolute_deviation", "percent_amplitude"), "mag",
) | dict.fromkeys(
    ("linear_trend", "linear_trend_sigma", "linear_fit_slope", "linear_fit_slope_sigma", "maximum_slope"), "mag/d",
)  # fmt: skip


def _outputs() -> dict[str, Column]:
    return {
        f"{feature}_{band}": Column(
            "float32",
            _UNITS.get(feature, ""),
            f"Statistic '{feature}' of the detections in {band}; null where it is not defined.",
            indexed=False,
        )
        for band in BANDS
        for feature in FEATURES
    }


@science_module(version="1", outputs=_outputs(), compile_group="statistics")
def light_curve_statistics(light_curve: LightCurves, *, quantity: str = "mag") -> dict[str, NDArray[np.float64]]:
    """Statistics of the detections' magnitudes, or fluxes, in each band: see docs/explanation.

    ``quantity="mag"``: AB magnitudes of the difference flux, in mag and mag/d, which do not depend on how far away
    a source is; a detection with a negative flux, which has no such magnitude, is left out.
    ``quantity="flux"``: nJy and nJy/d, with every detection.
    """
    if quantity not in ("mag", "flux"):
        raise UsageError(f"light_curve_statistics: quantity must be 'mag' or 'flux', not {quantity!r}")
    flux, error = light_curve.flux.astype(np.float64), light_curve.flux_err.astype(np.float64)
    keep = (light_curve.kind == DETECTION) & np.isfinite(flux)
    value = flux
    if quantity == "mag":
        keep &= flux > 0
        value, error = mag_from_flux(flux), mag_err_from_flux(flux, error)
    order, parts = by_band(light_curve.offsets, light_curve.band, keep, len(BANDS))
    found = statistics(light_curve.mjd[order], value[order], error[order], parts)
    columns = found.reshape(len(light_curve), len(BANDS) * len(FEATURES)).T
    return dict(zip(_outputs(), columns, strict=True))
