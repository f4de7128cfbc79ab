"""Light curves as the alerts a survey would have sent: each is cut at a detection, with the history before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.photometry import limiting_mag, mag_err_from_flux, mag_from_flux
from redpoll.astro.sky import hpx29
from redpoll.astro.time import night_of
from redpoll.learn.context_columns import with_hosts
from redpoll.learn.curves import Array, LabelledCurve
from redpoll.schema.alert import alert_schema
from redpoll.schema.bands import BANDS, DETECTION
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.table import extent

Labelled = tuple[pa.RecordBatch, NDArray[np.str_], NDArray[np.str_]]
"""A batch of canonical alerts, and the class and the object of each."""
_HOST = ("host_arcsec", "host_redshift", "host_distance_modulus", "host_d_dlr")
_STARS = ("star_score", "star_distance_arcsec", "reference_distance_arcsec", "reference_mag", "reference_mag_err")
_CURVES = 200
"""Number of objects of a batch."""


def replayed(curves: Sequence[LabelledCurve], survey: str, history_days: float, per_object: int) -> Iterator[Labelled]:
    """Batches of alerts, at most `per_object` of each object, spread over its detections.

    Curves without a detection give no alert.

    Parameters
    ----------
    survey
        Name of the survey that the alerts are of, whatever that of the curves.
    history_days
        Length of the light curve before each alert [d].
    """
    seen = [curve for curve in curves if (curve.kind == DETECTION).any()]
    for first in range(0, len(seen), _CURVES):
        yield _batch(seen[first : first + _CURVES], survey, history_days, per_object)


def spread(n: int, most: int) -> NDArray[np.int64]:
    """At most so many positions of `n`, from the first to the last in even steps.

    >>> spread(10, 4).tolist(), spread(2, 4).tolist()
    ([0, 3, 6, 9], [0, 1])
    """
    return np.unique(np.linspace(0, n - 1, most).round().astype(np.int64))[: max(n, 0)]


def _batch(curves: Sequence[LabelledCurve], survey: str, history_days: float, per_object: int) -> Labelled:
    cuts = [(curve, int(i)) for curve in curves for i in _chosen(curve, per_object)]
    parts = [np.flatnonzero(_history(curve, i, history_days)) for curve, i in cuts]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    mjd, band, flux, flux_err, kind = (
        np.concatenate([getattr(curve, name)[part] for (curve, _), part in zip(cuts, parts, strict=True)])
        for name in ("mjd", "band", "flux", "flux_err", "kind")
    )
    light = LightCurves(
        offsets, mjd.astype(np.float64), band.astype(np.int8), flux.astype(np.float32), flux_err.astype(np.float32),
        kind.astype(np.int8),
    )  # fmt: skip
    return (
        with_hosts(_alerts(cuts, light, survey), **{n: _told(cuts, n) for n in _HOST}),
        np.array([curve.label for curve, _ in cuts]),
        np.array([curve.name for curve, _ in cuts]),
    )


def _chosen(curve: LabelledCurve, most: int) -> NDArray[np.int64]:
    """Positions of the detections that become alerts."""
    seen = np.flatnonzero(curve.kind == DETECTION)
    return seen[spread(len(seen), most)]


def _history(curve: LabelledCurve, triggering: int, days: float) -> NDArray[np.bool_]:
    recent = curve.mjd >= curve.mjd[triggering] - days
    return np.asarray(recent & (np.arange(len(curve.mjd)) <= triggering))


def _told(cuts: list[tuple[LabelledCurve, int]], name: str) -> Array:
    return np.array([curve.about.get(name, np.nan) for curve, _ in cuts])


def _alerts(cuts: list[tuple[LabelledCurve, int]], light: LightCurves, survey: str) -> pa.RecordBatch:
    """The canonical columns; those that nothing is known of are null, and no flag is set."""
    at, n = light.triggering, len(cuts)
    flux, err = light.flux[at], light.flux_err[at]
    seen = [curve.mjd[: i + 1][curve.kind[: i + 1] == DETECTION] for curve, i in cuts]
    ra, dec = np.nan_to_num(_told(cuts, "ra"), nan=180.0), np.nan_to_num(_told(cuts, "dec"), nan=40.0)
    values = {
        "survey": np.full(n, survey), "alert_id": np.arange(n), "object_id": [curve.name for curve, _ in cuts],
        "night": night_of(light.mjd[at]), "mjd": light.mjd[at], "ra": ra, "dec": dec, "hpx29": hpx29(ra, dec),
        "band": np.array(BANDS)[light.band[at]], "flux": flux, "flux_err": err, "mag": mag_from_flux(np.abs(flux)),
        "mag_err": mag_err_from_flux(np.abs(flux), err), "limiting_mag": limiting_mag(err), "is_positive": flux > 0,
        "real_bogus": np.full(n, 0.9), "deep_real_bogus": np.full(n, 0.99), "n_bad_pixels": np.zeros(n, int),
        "n_detections": [len(s) for s in seen], "first_mjd": [s[0] for s in seen], "light_curve": light.to_arrow(),
        "packet_light_curve": light.to_arrow(), **extent(light, light.mjd[at]),
        **{name: _told(cuts, name) for name in _STARS},
    }  # fmt: skip
    values |= {f.name: np.zeros(n, bool) for f in alert_schema() if f.type == pa.bool_() and f.name not in values}
    arrays = [_array(values.get(f.name), f.type, n) for f in alert_schema()]
    return pa.RecordBatch.from_arrays(arrays, schema=alert_schema())


def _array(value: object, kind: pa.DataType, n: int) -> pa.Array:
    if value is None or isinstance(value, pa.Array):
        return pa.nulls(n, kind) if value is None else value
    if pa.types.is_dictionary(kind):
        return pa.array(value, pa.string()).dictionary_encode().cast(kind)
    return pa.array(value, from_pandas=True).cast(kind)
