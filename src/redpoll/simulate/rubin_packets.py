"""Rubin alert packets: Confluent-framed Avro with twelve months of detections and forced photometry."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.avro_rows import encode_rows, record_fields
from redpoll.simulate.container import Encoder
from redpoll.simulate.cutouts import draw_cutouts
from redpoll.simulate.fits import fits_bytes, fits_header
from redpoll.simulate.rubin_asteroids import orbit_columns, sighting_columns
from redpoll.simulate.rubin_cadence import DEEP
from redpoll.simulate.rubin_forced import forced_columns, forced_points
from redpoll.simulate.rubin_objects import object_summary
from redpoll.simulate.rubin_sources import (
    Columns,
    dia_object_id,
    is_known_asteroid,
    source_columns,
    template_flux,
)
from redpoll.simulate.segment import Segment, Setting, cutout_scene, kicks

_REASON = {True: "ddf_simulated", False: "wide_simulated"}
_CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")


def rubin_packets(setting: Setting, segment: Segment) -> list[tuple[int, str, bytes]]:
    """Alert id, object id and packet of each alert of a segment."""
    s, mjd = segment.sources, setting.exposures.mjd[segment.sources.row]
    encoder, schema_id = _encoder(setting.version), _schema_id(setting.version)
    seen, columns = _detections(setting, segment)
    fields = record_fields("rubin", setting.version)
    history = encode_rows(fields["diaSource"], columns)
    is_forced = forced_points(setting, segment)
    forced = encode_rows(fields["diaForcedSource"], forced_columns(setting, segment, np.flatnonzero(is_forced)))
    known = is_known_asteroid(segment)
    objects, asteroids = (
        _dia_objects(setting, segment, ~known),
        _asteroids(setting, segment, columns["diaSourceId"], seen),
    )
    cutouts = _images(setting, segment)
    before, forced_before = (np.concatenate([[0], np.cumsum(flags)]) for flags in (s.detected, is_forced))
    packets = []
    for k, point in enumerate(segment.points.tolist()):
        who = int(s.index[point])
        start, me = int(s.offsets[who]), int(before[point])
        first = start + int(np.searchsorted(mjd[start:point], mjd[point] - setting.camera.history_days))
        alert_id = int(columns["diaSourceId"][me])
        alert = {
            "diaSourceId": alert_id,
            "observation_reason": _REASON[bool(setting.exposures.field[s.row[point]] == DEEP)],
            "target_name": f"field_{setting.fields.number[s.field[who]]}",
            "diaSource": history.row(me),
            "prvDiaSources": history.array(int(before[first]), me),
            "prvDiaForcedSources": forced.array(int(forced_before[first]), int(forced_before[point + 1])),
            "diaObject": objects.get(k),
            **asteroids.get(k, {}),
            **_cutouts(setting, columns["ra"][me], columns["dec"][me], [images[k] for images in cutouts]),
        }
        name = columns["ssObjectId" if known[who] else "diaObjectId"][me]
        packets.append((alert_id, str(name), encoder.framed(alert, schema_id)))
    return packets


def _detections(setting: Setting, segment: Segment) -> tuple[NDArray[np.int64], Columns]:
    """The detected points of the segment's objects, and their diaSources."""
    seen = np.flatnonzero(segment.sources.detected)
    return seen, source_columns(setting, segment, seen, kicks(setting, segment.sources)[seen])


def _asteroids(
    setting: Setting, segment: Segment, ids: NDArray[np.int64], seen: NDArray[np.int64]
) -> dict[int, dict[str, memoryview]]:
    """ssSource and orbit of each alert of a known asteroid, by the alert's number in the segment."""
    owner = segment.sources.index[segment.points]
    mine = np.flatnonzero(is_known_asteroid(segment)[owner])
    if not len(mine):
        return {}
    fields, who = record_fields("rubin", setting.version), owner[mine]
    orbit_name = "mpc_orbits" if "mpc_orbits" in fields else "MPCORB"
    mine_ids = ids[np.searchsorted(seen, segment.points[mine])]
    sightings = encode_rows(fields["ssSource"], sighting_columns(setting, segment, who, mine_ids))
    orbits = encode_rows(fields[orbit_name], orbit_columns(setting, segment, who))
    return {k: {"ssSource": sightings.row(j), orbit_name: orbits.row(j)} for j, k in enumerate(mine.tolist())}


def _dia_objects(setting: Setting, segment: Segment, has_object: NDArray[np.bool_]) -> dict[int, memoryview]:
    """The diaObject of each alert at its time, by the alert's number in the segment."""
    s = segment.sources
    mine = np.flatnonzero(has_object[s.index[segment.points]])
    if not len(mine):
        return {}
    summaries = [_summary(setting, segment, point) for point in segment.points[mine].tolist()]
    names = {name for summary in summaries for name in summary}
    columns = {name: np.array([summary.get(name, np.nan) for summary in summaries]) for name in sorted(names)}
    who = s.index[segment.points[mine]]
    columns |= {
        "diaObjectId": dia_object_id(setting, s.serial[who]),
        "validityStartMjdTai": columns["lastDiaSourceMjdTai"],
        "ra": s.ra[who],
        "dec": s.dec[who],
        **dict.fromkeys(("raErr", "decErr"), 0.05 / 3600.0 / np.sqrt(columns["nDiaSources"])),
        "ra_dec_Cov": np.zeros(len(who)),
    }
    rows = encode_rows(record_fields("rubin", setting.version)["diaObject"], columns)
    return {k: rows.row(j) for j, k in enumerate(mine.tolist())}


def _summary(setting: Setting, segment: Segment, point: int) -> dict[str, float]:
    """Statistics of an alert's object over the twelve months up to it."""
    s, e = segment.sources, setting.exposures
    who = int(s.index[point])
    start = int(s.offsets[who])
    at = start + np.flatnonzero(s.detected[start : point + 1])
    band = e.band[s.row[at]]
    template = template_flux(segment, np.full(len(at), who), band)
    return object_summary(e.mjd[s.row[at]], band, s.flux[at], s.flux_err[at], s.flux[at] + template)


def _images(setting: Setting, segment: Segment) -> tuple[NDArray[np.float32], ...]:
    rng = np.random.default_rng([setting.seed, 2, segment.number])
    return draw_cutouts(rng, cutout_scene(setting, segment, rng, np.full(len(segment.points), 31.4)))


def _cutouts(setting: Setting, ra: float, dec: float, images: list[NDArray[np.float32]]) -> dict[str, bytes]:
    """The three cutouts as FITS with a tangential projection about the source, north up."""
    degrees = setting.camera.pixel_scale / 3600.0
    middle = (setting.camera.cutout + 1) / 2
    cards: dict[str, float | str] = {
        "WCSAXES": 2, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": middle, "CRPIX2": middle,
        "CRVAL1": ra, "CRVAL2": dec, "CDELT1": -degrees, "CDELT2": degrees,
    }  # fmt: skip
    rows, columns = images[0].shape
    header = fits_header((rows, columns), "nJy", cards)
    return {name: fits_bytes(header, image) for name, image in zip(_CUTOUTS, images, strict=True)}


@lru_cache(maxsize=4)
def _encoder(version: str) -> Encoder:
    return Encoder("rubin", version)


def _schema_id(version: str) -> int:
    """Number of a schema in the survey's registry.

    >>> _schema_id("10.0")
    1000
    """
    major, minor = version.split(".")
    return int(major) * 100 + int(minor)
