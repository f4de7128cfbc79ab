"""Light curves as the alerts a survey would have sent: each is cut at a detection, with the history before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from populations.simulated import Labelled, with_hosts
from redpoll.astro.photometry import limiting_mag, mag_err_from_flux, mag_from_flux
from redpoll.astro.sky import hpx29
from redpoll.astro.time import night_of
from redpoll.schema.alert import alert_schema
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.table import extent

Array = NDArray[np.float64]
_HOST = ("host_arcsec", "host_redshift", "host_distance_modulus", "host_d_dlr")


@dataclass(frozen=True)
class Curve:
    """One object: its class, its points by time, and what catalogues have at its position.

    ``band`` and ``kind`` are indices into BANDS and KINDS, flux [nJy] is that of a difference image, NaN for a limit;
    ``about`` holds canonical columns that are the same for all its alerts.
    """

    name: str
    label: str
    mjd: Array
    band: NDArray[np.int64]
    flux: Array
    flux_err: Array
    kind: NDArray[np.int64]
    about: dict[str, float] = field(default_factory=dict)


def bare(curves: list[Curve]) -> list[Curve]:
    """The same objects with nothing known of their positions."""
    return [replace(c, about={k: v for k, v in c.about.items() if k in ("ra", "dec")}) for c in curves]


def moved(curve: Curve, *, arcsec: float) -> Curve:
    """The same object so far from the centre of its galaxy."""
    return replace(curve, about=curve.about | {"host_arcsec": arcsec, "star_distance_arcsec": arcsec})


def half(name: str) -> int:
    """0: rules may be tuned on the object; 1: kept for the figures."""
    return crc32(name.encode()) % 2


def replayed(curves: list[Curve], survey: str, history_days: float, per_object: int) -> Iterator[Labelled]:
    """Batches of alerts, at most `per_object` of each object, spread over its detections."""
    for first in range(0, len(curves), 200):
        yield _batch(curves[first : first + 200], survey, history_days, per_object)


def _batch(curves: list[Curve], survey: str, history_days: float, per_object: int) -> Labelled:
    cuts = [(curve, own) for curve in curves for own in _chosen(curve, per_object)]
    parts = [np.flatnonzero(_history(curve, own, history_days)) for curve, own in cuts]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    columns = [
        np.concatenate([getattr(curve, name)[part] for (curve, _), part in zip(cuts, parts, strict=True)])
        for name in ("mjd", "band", "flux", "flux_err", "kind")
    ]
    types = (np.float64, np.int8, np.float32, np.float32, np.int8)
    light = LightCurves(offsets, *(c.astype(t) for c, t in zip(columns, types, strict=True)))
    return (
        with_hosts(_alerts(cuts, light, survey), **{n: _told(cuts, n) for n in _HOST}),
        np.array([curve.label for curve, _ in cuts]),
        np.array([curve.name for curve, _ in cuts]),
    )


def _chosen(curve: Curve, most: int) -> list[int]:
    """Positions of the detections that become alerts."""
    seen = np.flatnonzero(curve.kind == DETECTION)
    return [int(i) for i in np.unique(seen[np.linspace(0, len(seen) - 1, most).round().astype(int)])]


def _history(curve: Curve, own: int, days: float) -> NDArray[np.bool_]:
    return (curve.mjd >= curve.mjd[own] - days) & (np.arange(len(curve.mjd)) <= own)


def _told(cuts: list[tuple[Curve, int]], name: str) -> Array:
    return np.array([curve.about.get(name, np.nan) for curve, _ in cuts])


def _alerts(cuts: list[tuple[Curve, int]], light: LightCurves, survey: str) -> pa.RecordBatch:
    """The canonical columns; those that nothing is known of are null, and no flag is set."""
    own, n = light.triggering, len(cuts)
    flux, err = light.flux[own], light.flux_err[own]
    seen = [curve.mjd[: i + 1][curve.kind[: i + 1] == DETECTION] for curve, i in cuts]
    ra, dec = np.nan_to_num(_told(cuts, "ra"), nan=180.0), np.nan_to_num(_told(cuts, "dec"), nan=40.0)
    values = {
        "survey": np.full(n, survey), "alert_id": np.arange(n), "object_id": [curve.name for curve, _ in cuts],
        "night": night_of(light.mjd[own]), "mjd": light.mjd[own], "ra": ra, "dec": dec, "hpx29": hpx29(ra, dec),
        "band": np.array(BANDS)[light.band[own]], "flux": flux, "flux_err": err, "mag": mag_from_flux(np.abs(flux)),
        "mag_err": mag_err_from_flux(np.abs(flux), err), "limiting_mag": limiting_mag(err), "is_positive": flux > 0,
        "real_bogus": np.full(n, 0.9), "deep_real_bogus": np.full(n, 0.99), "n_bad_pixels": np.zeros(n, int),
        "n_detections": [len(s) for s in seen], "first_mjd": [s[0] for s in seen], "light_curve": light.to_arrow(),
        "packet_light_curve": light.to_arrow(), **extent(light, light.mjd[own]),
    }  # fmt: skip
    values |= {f.name: np.zeros(n, bool) for f in alert_schema() if f.type == pa.bool_() and f.name not in values}
    for name in (
        "star_score",
        "star_distance_arcsec",
        "reference_distance_arcsec",
        "reference_mag",
        "reference_mag_err",
    ):
        values[name] = _told(cuts, name)
    arrays = [_array(values.get(f.name), f.type, n) for f in alert_schema()]
    return pa.RecordBatch.from_arrays(arrays, schema=alert_schema())


def _array(value: object, kind: pa.DataType, n: int) -> pa.Array:
    if value is None or isinstance(value, pa.Array):
        return pa.nulls(n, kind) if value is None else value
    if pa.types.is_dictionary(kind):
        return pa.array(value, pa.string()).dictionary_encode().cast(kind)
    return pa.array(value, from_pandas=True).cast(kind)
