"""Objects of every class, drawn, observed and measured until there are as many alerts as requested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.photometry import flux_from_mag
from redpoll.errors import RedpollError
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.contract import Epochs, ObjectClass, Parameters, Window
from redpoll.simulate.dust import BEHIND, dimming, draw_reddening
from redpoll.simulate.exposures import Exposures, Fields
from redpoll.simulate.instrument import Instrument

Array = NDArray[np.float64]
FRACTIONS = {
    "bogus": 0.19, "rr_lyrae": 0.13, "agn": 0.13, "long_period_variable": 0.12, "asteroid": 0.12,
    "eclipsing_binary": 0.10, "sn_ia": 0.05, "cataclysmic_variable": 0.03, "sn_ii": 0.025, "satellite_glint": 0.02,
    "m_dwarf_flare": 0.015, "sn_ibc": 0.015, "microlensing": 0.01, "young_star": 0.01, "tde": 0.008, "kilonova": 0.007,
    "dipper": 0.007, "slsn": 0.006, "pisn": 0.005, "orphan_afterglow": 0.005,
}  # fmt: skip
"""Fraction of each class among the alerts: ordered as in a real night, with the rare classes far more frequent."""
_DETECTION = 5.0
_MAX_ROUNDS = 200


@dataclass(frozen=True)
class Sources:
    """Objects with alerts, and every exposure of their positions that a packet may include.

    One entry an object: ``kind`` (index into CLASSES), ``unit`` (the physical object: sightings of one asteroid share
    it), ``field``, ``ra``, ``dec`` [deg], ``first_mjd`` of its first detection, ``serial`` number, ``detector`` and
    position on it [pixels], ``parameters``, and ``reference_mag`` (n, 6), NaN where it is not in the template.

    One entry a point, those of object ``i`` being ``offsets[i]:offsets[i + 1]``: ``row`` of the exposure,
    ``true_flux``, ``flux``, ``flux_err`` [nJy], ``detected``, ``alert``, how often the position was detected and
    covered up to this point, and the ``rank`` of a detection among those of its detector and exposure.
    """

    kind: NDArray[np.int64]
    unit: NDArray[np.int64]
    field: NDArray[np.int64]
    ra: Array
    dec: Array
    first_mjd: Array
    serial: NDArray[np.int64]
    detector: NDArray[np.int64]
    x: Array
    y: Array
    parameters: Parameters
    reference_mag: Array
    offsets: NDArray[np.int64]
    row: NDArray[np.int64]
    true_flux: Array
    flux: Array
    flux_err: Array
    detected: NDArray[np.bool_]
    alert: NDArray[np.bool_]
    n_detections: NDArray[np.int64]
    n_covered: NDArray[np.int64]
    rank: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def index(self) -> NDArray[np.int64]:
        """Object of each point."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def take(self, objects: NDArray[np.int64]) -> Sources:
        """These objects alone, in this order, with all their points."""
        counts = np.diff(self.offsets)[objects]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        at = np.repeat(self.offsets[objects] - offsets[:-1], counts) + np.arange(offsets[-1])
        scalars = {name: getattr(self, name)[objects] for name in _OBJECT_COLUMNS}
        points = {name: getattr(self, name)[at] for name in _POINT_COLUMNS}
        parameters = {name: values[objects] for name, values in self.parameters.items()}
        return Sources(parameters=parameters, offsets=offsets, **scalars, **points)

    def keep_points(self, keep: NDArray[np.bool_]) -> Sources:
        """The same objects with some of their points."""
        before = np.concatenate([[0], np.cumsum(keep)])
        return replace(self, offsets=before[self.offsets], **{n: getattr(self, n)[keep] for n in _POINT_COLUMNS})


_OBJECT_COLUMNS = ("kind", "unit", "field", "ra", "dec", "first_mjd", "serial", "detector", "x", "y", "reference_mag")
_POINT_COLUMNS = ("row", "true_flux", "flux", "flux_err", "detected", "alert", "n_detections", "n_covered", "rank")


def concatenate(parts: list[Sources]) -> Sources:
    """Several sets of sources as one; a parameter that a class lacks is NaN, and units stay apart."""
    names = sorted({name for part in parts for name in part.parameters})
    parameters = {
        name: np.concatenate([part.parameters.get(name, np.full(len(part), np.nan)) for part in parts])
        for name in names
    }
    shift = np.cumsum([0] + [int(part.unit.max(initial=-1)) + 1 for part in parts])
    parts = [replace(part, unit=part.unit + by) for part, by in zip(parts, shift, strict=False)]
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in (*_OBJECT_COLUMNS, *_POINT_COLUMNS)}
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    return Sources(parameters=parameters, offsets=np.concatenate([[0], np.cumsum(counts)]), **columns)


def alerts_per_class(n_alerts: int, fractions: Mapping[str, float] = FRACTIONS) -> dict[str, int]:
    """Number of alerts of each class: by its fraction, but at least one of twenty, and five of a thousand.

    >>> alerts_per_class(1000)["kilonova"], sum(alerts_per_class(1000).values())
    (7, 1000)
    """
    minimum = min(n_alerts // len(fractions), max(1, n_alerts // 200)) if n_alerts >= len(fractions) else 0
    rest = n_alerts - minimum * len(fractions)
    spare = np.array([max(fraction - minimum / max(n_alerts, 1), 0.0) for fraction in fractions.values()])
    exact = rest * spare / spare.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: rest - counts.sum()]] += 1
    return {name: minimum + int(count) for name, count in zip(fractions, counts, strict=True)}


def draw_sources(
    rng: np.random.Generator,
    n_alerts: int,
    window: Window,
    fields: Fields,
    exposures: Exposures,
    camera: Instrument,
    fractions: Mapping[str, float] = FRACTIONS,
) -> Sources:
    """Sources with `n_alerts` alerts among them, classes in the order of CLASSES."""
    wanted = alerts_per_class(n_alerts, fractions)
    streams = dict(zip(CLASSES, rng.spawn(len(CLASSES)), strict=True))
    batches = [
        _draw_class(streams[name], CLASSES[name], wanted[name], window, fields, exposures, camera)
        for name in CLASSES
        if wanted.get(name)
    ]
    sources = concatenate(batches)
    rank = _rank(sources.detected, sources.row * camera.n_detectors + sources.detector[sources.index])
    return replace(sources, serial=np.arange(len(sources)), rank=rank)


def _rank(detected: NDArray[np.bool_], position: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of each detection among those of the same position, from 1; 0 for what is not detected."""
    at = np.flatnonzero(detected)
    at = at[np.argsort(position[at], kind="stable")]
    starts = np.flatnonzero(np.diff(position[at], prepend=-1))
    rank = np.zeros(len(detected), np.int64)
    rank[at] = np.arange(len(at)) - np.repeat(starts, np.diff(starts, append=len(at))) + 1
    return rank


def _draw_class(
    rng: np.random.Generator,
    model: ObjectClass,
    wanted: int,
    window: Window,
    fields: Fields,
    exposures: Exposures,
    camera: Instrument,
) -> Sources:
    """Sources of one class with `wanted` alerts."""
    parts: list[Sources] = []
    found = 0
    for _ in range(_MAX_ROUNDS):
        batch = _observe(rng, model, int(np.clip(2 * (wanted - found), 50, 600)), window, fields, exposures, camera)
        if len(batch):
            parts.append(batch)
            found += int(batch.alert.sum())
        if found >= wanted:
            return _trim(concatenate(parts), wanted, exposures, camera.history_days)
    raise RedpollError(f"no {model.name} bright enough in {_MAX_ROUNDS} draws; ask for more nights or another seed")


def _observe(
    rng: np.random.Generator,
    model: ObjectClass,
    n: int,
    window: Window,
    fields: Fields,
    exposures: Exposures,
    camera: Instrument,
) -> Sources:
    """Draw `n` objects, observe each in every exposure of its field, and keep those with alerts."""
    field = rng.integers(0, len(fields.ra), n)
    ra, dec = _scatter(rng, fields, field, camera)
    counts = np.diff(exposures.offsets)[field]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    index = np.repeat(np.arange(n), counts)
    row = np.repeat(exposures.offsets[field] - offsets[:-1], counts) + np.arange(offsets[-1])
    mjd, limit = exposures.mjd[row], exposures.limiting_mag[row] + rng.normal(0.0, 0.06, len(row))
    in_window = (mjd >= window.start) & (mjd < window.end)
    noise = camera.flux_error(np.zeros(len(row)), limit)
    epochs = Epochs(offsets, index, mjd, exposures.band[row], noise, in_window)
    parameters = model.draw(rng, n, window)
    parameters["ebv"] = draw_reddening(rng, ra, dec) if model.environment in BEHIND else np.full(n, np.nan)
    extinction = dimming(parameters["ebv"])
    truth = model.flux(parameters, epochs, rng) * 10.0 ** (-0.4 * extinction[index, epochs.band])
    reference = model.reference_mag(parameters)
    reference = None if reference is None else reference + extinction
    template = 0.0 if reference is None else flux_from_mag(reference[index, epochs.band])
    flux_err = camera.flux_error(truth, limit, template)
    if "misfit" in parameters:
        flux_err = np.hypot(flux_err, camera.misfit * parameters["misfit"][index] * np.abs(truth))
    flux = truth + camera.scatter * flux_err * rng.standard_normal(len(row))
    detected = (np.abs(flux) > _DETECTION * flux_err) & (truth != 0)
    sources = Sources(
        kind=np.full(n, list(CLASSES).index(model.name)),
        unit=np.arange(n),
        field=field,
        ra=ra,
        dec=dec,
        first_mjd=_first(mjd, detected, index, n),
        serial=np.arange(n),
        detector=rng.integers(0, camera.n_detectors, n),
        x=rng.uniform(20.0, camera.detector_pixels - 20.0, n),
        y=rng.uniform(20.0, camera.detector_pixels - 20.0, n),
        parameters=parameters,
        reference_mag=np.full((n, 6), np.nan) if reference is None else reference,
        offsets=offsets,
        row=row,
        true_flux=truth,
        flux=flux,
        flux_err=flux_err,
        detected=detected,
        alert=detected & in_window,
        n_detections=_running(detected, offsets),
        n_covered=np.arange(len(row)) - offsets[index] + 1,
        rank=np.zeros(len(row), np.int64),
    )
    alerting = np.flatnonzero(np.bincount(index[sources.alert], minlength=n))
    return _sightings(sources.take(alerting), exposures) if model.moves else sources.take(alerting)


def _scatter(rng: np.random.Generator, fields: Fields, field: NDArray, camera: Instrument) -> tuple[Array, Array]:
    """Positions [deg] spread over the fields."""
    dx, dy = rng.uniform(-camera.half_width, camera.half_width, (2, len(field)))
    dec = np.clip(fields.dec[field] + dy, -89.0, 89.0)
    return np.mod(fields.ra[field] + dx / np.cos(np.radians(dec)), 360.0), dec


def _first(mjd: Array, detected: NDArray[np.bool_], index: NDArray[np.int64], n: int) -> Array:
    """Time of each object's first detection; infinite if it has none."""
    first = np.full(n, np.inf)
    np.minimum.at(first, index[detected], mjd[detected])
    return first


def _running(flags: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many flags are set up to and with each point, counted for each object."""
    total = np.cumsum(flags)
    before = np.concatenate([[0], total])[offsets[:-1]]
    return np.asarray(total - np.repeat(before, np.diff(offsets)))


def _sightings(sources: Sources, exposures: Exposures) -> Sources:
    """Each alert of a moving object as an object of its own, at its position at that time."""
    points = np.flatnonzero(sources.alert)
    owner = sources.index[points]
    single = sources.take(owner)
    shift = points - sources.offsets[owner] + single.offsets[:-1]
    own = np.zeros(len(single.row), bool)
    own[shift] = True
    mjd = exposures.mjd[single.row]
    hours = 24.0 * (mjd[own] - exposures.mjd[sources.row[sources.offsets[owner + 1] - 1]])
    dec = single.dec + hours * single.parameters["rate_dec"] / 3600.0
    ra = single.ra + hours * single.parameters["rate_ra"] / 3600.0 / np.cos(np.radians(dec))
    noise = single.flux - single.true_flux
    return replace(
        single,
        ra=np.mod(ra, 360.0),
        dec=dec,
        first_mjd=mjd[own],
        true_flux=np.where(own, single.true_flux, 0.0),
        flux=np.where(own, single.flux, noise),
        detected=own,
        alert=own,
        n_detections=_running(own, single.offsets),
    )


def _trim(sources: Sources, wanted: int, exposures: Exposures, history_days: float) -> Sources:
    """The first objects with `wanted` alerts, without surplus alerts and points too old for packets."""
    number = np.cumsum(sources.alert)
    alert = sources.alert & (number <= wanted)
    n = int(sources.index[np.flatnonzero(alert)[-1]]) + 1
    sources = replace(sources, alert=alert).take(np.arange(n))
    mjd, index = exposures.mjd[sources.row], sources.index
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, index[sources.alert], mjd[sources.alert])
    np.maximum.at(last, index[sources.alert], mjd[sources.alert])
    return sources.keep_points((mjd >= first[index] - history_days) & (mjd <= last[index]))
