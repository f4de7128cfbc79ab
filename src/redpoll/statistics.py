"""Statistics of many light curves at once: per band, periods, damped random walks, rates; the kernels are compiled.

>>> import numpy as np
>>> from redpoll.light_curves import is_positive_detection, one_light_curve
>>> curve = one_light_curve([60000.0, 60002.0, 60003.0], ["g", "r", "r"], [900.0, 400.0, 700.0], [90.0, 90.0, 90.0])
>>> series = BandSeries.of(curve, is_positive_detection(curve))
>>> series.counts.tolist()
[[0, 1, 2, 0, 0, 0]]
>>> best = series.chosen(series.best_sampled())
>>> light_curve_statistics(best.mjd, best.mag, best.mag_err, best.offsets)[0, FEATURES.index("mean")].round(2)
np.float64(24.59)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.damped_random_walk import DampedRandomWalk, damped_random_walk_fit
from redpoll.astro.light_curve_statistics import FEATURES, light_curve_statistics
from redpoll.astro.magnitude_rate import Rate, rate_between, rate_from_upper_limit
from redpoll.astro.night_steps import night_steps
from redpoll.astro.periods import Periods, multiband_periods
from redpoll.astro.photometry import mag_err_from_flux, mag_from_flux
from redpoll.astro.ragged import by_band, lengths, some_parts
from redpoll.schema.bands import BANDS
from redpoll.schema.light_curve import LightCurves

__all__ = [
    "FEATURES",
    "BandSeries",
    "DampedRandomWalk",
    "Periods",
    "Rate",
    "damped_random_walk_fit",
    "light_curve_statistics",
    "multiband_periods",
    "night_steps",
    "rate_between",
    "rate_from_upper_limit",
]
Array = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class BandSeries:
    """Series of points of one band each; series ``k`` is ``mjd[offsets[k]:offsets[k + 1]]``, in time order.

    Made by `BandSeries.of`, there is one series for each alert and band: ``k = len(BANDS) * alert + band``. ``point``
    is the index of each point in the light curves, flux and flux_err are in nJy.
    """

    point: Int
    offsets: Int
    mjd: Array
    flux: Array
    flux_err: Array

    @classmethod
    def of(cls, curve: LightCurves, keep: NDArray[np.bool_]) -> BandSeries:
        """The kept points of all light curves, by band; points of an unknown band are left out."""
        point, offsets = by_band(curve.offsets, curve.band, keep, len(BANDS))
        flux, flux_err = curve.flux[point].astype(np.float64), curve.flux_err[point].astype(np.float64)
        return cls(point, offsets, curve.mjd[point], flux, flux_err)

    @cached_property
    def mag(self) -> Array:
        """AB magnitude of each point's absolute flux."""
        return mag_from_flux(self.flux)

    @cached_property
    def mag_err(self) -> Array:
        """Its one-sigma error, to first order."""
        return mag_err_from_flux(self.flux, self.flux_err)

    @cached_property
    def counts(self) -> Int:
        """Points of each alert in each band, of shape (n, len(BANDS))."""
        return np.diff(self.offsets).reshape(-1, len(BANDS))

    def best_sampled(self) -> Int:
        """The series of each alert with most points; of equals the bluest."""
        return np.asarray(self.counts.argmax(axis=1) + len(BANDS) * np.arange(len(self.counts)))

    def of_alerts(self, alerts: Int) -> BandSeries:
        """All series of some alerts."""
        return self.chosen((alerts[:, None] * len(BANDS) + np.arange(len(BANDS))).ravel())

    def chosen(self, series: Int) -> BandSeries:
        """Only these series, by number."""
        index, offsets = some_parts(np.arange(len(self.point)), self.offsets, series)
        return BandSeries(self.point[index], offsets, self.mjd[index], self.flux[index], self.flux_err[index])

    def days(self) -> Array:
        """Time from the first to the last point of each series [d]; NaN without points."""
        return lengths(self.mjd, self.offsets)
