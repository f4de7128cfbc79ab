"""Small synthetic batches and light curves for tests, built from numpy and a seed alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from redpoll.astro.photometry import (
    flux_err_from_mag_err,
    flux_from_mag,
    limiting_mag,
    mag_err_from_flux,
    mag_from_flux,
)
from redpoll.plugin.detections import Detections
from redpoll.schema.alert import CUTOUTS, alert_schema
from redpoll.schema.bands import BANDS, DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.table import extent

_NEVER_NULL = {
    "survey",
    "alert_id",
    "object_id",
    "night",
    "mjd",
    "ra",
    "dec",
    "hpx29",
    "light_curve",
    "packet_light_curve",
    "history_days",
    "n_points",
}


def light_curve(
    *,
    band: str | Sequence[str],
    mjd: ArrayLike,
    mag: ArrayLike | None = None,
    mag_err: ArrayLike = 0.1,
    flux: ArrayLike | None = None,
    flux_err: ArrayLike | None = None,
) -> Detections:
    """One object's detections, from magnitudes or from fluxes [nJy].

    >>> lc = light_curve(band="gr", mjd=[0, 1], mag=[20, 19])
    >>> lc.flux.round(0)
    array([36308., 91201.], dtype=float32)
    """
    times = np.asarray(mjd, np.float64)
    if flux is None:
        if mag is None:
            raise TypeError("light_curve needs mag or flux")
        flux = flux_from_mag(mag)
    fluxes = np.broadcast_to(np.asarray(flux, np.float32), times.shape)
    if flux_err is None:
        flux_err = flux_err_from_mag_err(mag_err, fluxes)
    errors = np.broadcast_to(np.asarray(flux_err, np.float32), times.shape)
    mags = mag_from_flux(fluxes) if mag is None else np.broadcast_to(np.asarray(mag, np.float64), times.shape)
    return Detections(times, np.array(list(band), "U1"), fluxes, errors, mags, mag_err_from_flux(fluxes, errors))


def sample_batch(n: int = 64, *, seed: int = 0, survey: str = "ztf") -> pa.RecordBatch:
    """A canonical batch of `n` synthetic alerts, with light curves, cutouts, and nulls wherever the schema has them.

    The same `n`, `seed` and `survey` give the same bytes. There is no ``packet`` column.

    >>> sample_batch(3).schema == alert_schema()
    True
    """
    rng = np.random.default_rng(seed)
    curves = _light_curves(n, rng)
    values = _triggering(curves) | _positions(n, rng, survey) | _qualities(n, rng)
    arrays = [_array(field, values, rng, n) for field in alert_schema()]
    return pa.RecordBatch.from_arrays(arrays, schema=alert_schema())


def _light_curves(n: int, rng: np.random.Generator) -> LightCurves:
    """1 to 40 points each, the last one the triggering detection."""
    counts = rng.integers(1, 41, n)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    total, last = int(offsets[-1]), offsets[1:] - 1
    owner = np.repeat(np.arange(n), counts)
    mjd = 61_000.0 - np.sort(rng.uniform(0, 100, total))[::-1]
    mjd = mjd[np.lexsort((mjd, owner))]
    kind = rng.choice([DETECTION, FORCED, UPPER_LIMIT, LOW_QUALITY], total, p=[0.6, 0.2, 0.15, 0.05]).astype(np.int8)
    kind[last] = DETECTION
    error = rng.uniform(500, 3_000, total).astype(np.float32)
    flux = (rng.lognormal(10, 1, n)[owner] * rng.normal(1, 0.2, total)).astype(np.float32)
    flux[kind == UPPER_LIMIT] = np.nan
    band = rng.choice([1, 2, 3], total).astype(np.int8)
    return LightCurves(offsets, mjd, band, flux, error, kind)


def _triggering(curves: LightCurves) -> dict[str, pa.Array]:
    last = curves.offsets[1:] - 1
    flux, error = curves.flux[last], curves.flux_err[last]
    own = {"mjd": curves.mjd[last], "flux": flux, "flux_err": error}
    own |= {"mag": mag_from_flux(flux), "mag_err": mag_err_from_flux(flux, error)}
    own |= {"limiting_mag": limiting_mag(error), "first_mjd": curves.mjd[curves.offsets[:-1]]}
    own |= {"is_positive": flux > 0, "n_detections": np.diff(curves.of_kind(DETECTION).offsets)}
    arrays = {name: pa.array(value) for name, value in own.items()}
    band = np.array(BANDS, object)[curves.band[last]]
    light_curves = curves.to_arrow()
    arrays |= extent(curves, curves.mjd[last])
    own_band = pa.array(band, pa.string())
    return arrays | {"band": own_band, "light_curve": light_curves, "packet_light_curve": light_curves}


def _positions(n: int, rng: np.random.Generator, survey: str) -> dict[str, pa.Array]:
    order = np.arange(n)
    values: dict[str, object] = {
        "survey": [survey] * n,
        "alert_id": 2_400_000_000_000_000_000 + rng.permutation(n),
        "object_id": [f"made{i:08d}" for i in order // 2],
        "night": np.full(n, 20260101, np.int32),
        "ra": rng.uniform(0, 360, n),
        "dec": np.degrees(np.arcsin(rng.uniform(-0.5, 1, n))),
        "hpx29": rng.integers(0, 12 * 4**29, n),
        "sso_name": [None if i % 8 else f"made {i}" for i in order],
        "sso_distance_arcsec": np.where(order % 8, np.nan, rng.uniform(0, 20, n)),
        "sso_eccentricity": np.where(order % 8, np.nan, 0.05 + order / max(n, 1)),
    }
    values |= {name: [b"synthetic cutout %d" % i for i in order] for name in CUTOUTS}
    return {name: pa.array(value, from_pandas=True) for name, value in values.items()}


def _qualities(n: int, rng: np.random.Generator) -> dict[str, pa.Array]:
    values: dict[str, NDArray[np.generic]] = {
        "real_bogus": rng.beta(5, 1, n),
        "deep_real_bogus": rng.beta(8, 1, n),
        "star_distance_arcsec": rng.exponential(5, n),
        "star_score": rng.uniform(0, 1, n),
        "reference_distance_arcsec": rng.exponential(5, n),
        "reference_mag": rng.uniform(16, 22, n),
        "reference_mag_err": rng.uniform(0.02, 0.2, n),
        "n_bad_pixels": rng.integers(0, 3, n),
        "trail_length_arcsec": np.linspace(0.6, 5.0, n),
    }
    flags = ("has_bad_pixels", "is_edge", "is_streak", "is_dipole", "is_photometry_bad")
    values |= {name: rng.uniform(0, 1, n) < 0.1 for name in flags}
    return {name: pa.array(value) for name, value in values.items()}


def _array(field: pa.Field, values: dict[str, pa.Array], rng: np.random.Generator, n: int) -> pa.Array:
    """The column in its declared type, with one value in ten null where allowed."""
    array = values[field.name]
    hide = rng.uniform(0, 1, n) < 0.1
    if field.name in _NEVER_NULL or field.type == pa.bool_() or not n:
        return _cast(array, field.type)
    return _cast(pc.if_else(pa.array(hide), pa.scalar(None, array.type), array), field.type)


def _cast(array: pa.Array, arrow_type: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(arrow_type):
        return array.cast(pa.string()).dictionary_encode().cast(arrow_type)
    return array if array.type == arrow_type else array.cast(arrow_type, safe=False)
