"""ZTF alert packets: one Avro object container an alert, with its 30 days of history and its three cutouts."""

from __future__ import annotations

import string
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from redpoll.schema.packet_schemas import packet_schema
from redpoll.simulate.container import Encoder, array
from redpoll.simulate.fits import fits_bytes, fits_header, gzipped
from redpoll.simulate.part import Part, Setting, kicks, stamp_scene
from redpoll.simulate.records import field_names, records
from redpoll.simulate.stamps import draw_stamps
from redpoll.simulate.ztf_candidates import Columns, candidate_columns, detection_columns, exposure_columns

Record = dict[str, Any]
PUBLISHER = "Redpoll simulator, in the schema of ZTF (www.ztf.caltech.edu)"
_HEADER = fits_header((63, 63), "DN")
_STAMPS = {"Science": "targ_sci", "Template": "ref", "Difference": "targ_scimref"}


def ztf_packets(setting: Setting, part: Part) -> list[tuple[int, str, bytes]]:
    """Alert id, object id and packet of each alert of a part."""
    s = part.sources
    encoder = _encoder(setting.version)
    history, candidates = _tables(setting, part)
    forced = records(_forced_columns(setting, part), field_names("ztf", setting.version).get("alert.fp_hist", []))
    stamps = _stamps(setting, part)
    mjd = setting.exposures.mjd[s.row]
    packets = []
    for k, point in enumerate(part.points.tolist()):
        who = int(s.index[point])
        start = int(s.offsets[who])
        first = start + int(np.searchsorted(mjd[start:point], mjd[point] - setting.camera.history_days))
        name, candidate = object_id(int(s.serial[who]), float(s.first_mjd[who])), candidates[k]
        record = {
            "schemavsn": setting.version,
            "publisher": PUBLISHER,
            "objectId": name,
            "candid": candidate["candid"],
            "candidate": candidate,
            "prv_candidates": array(history[first:point]),
            "fp_hists": array(forced[first:point]),
            **_cutouts(candidate, [images[k] for images in stamps]),
        }
        packets.append((candidate["candid"], name, encoder.container(record)))
    return packets


def object_id(serial: int, first_mjd: float) -> str:
    """Name of an object: ZTF, the year of its first detection, seven letters.

    >>> object_id(0, 60939.3)
    'ZTF25aaaaaaa'
    """
    year = (np.datetime64("1858-11-17") + np.timedelta64(int(first_mjd), "D")).astype("datetime64[Y]")
    rest = serial * 1_234_577 % 26**7  # coprime with 26: scatters the names and never repeats one
    letters = ""
    for _ in range(7):
        rest, letter = divmod(rest, 26)
        letters = string.ascii_lowercase[letter] + letters
    return f"ZTF{(int(year.astype(np.int64)) + 1970) % 100:02d}{letters}"


def _tables(setting: Setting, part: Part) -> tuple[list[Record], list[Record]]:
    """History entry of every point of the part's objects, and the candidate of every alert."""
    s, names = part.sources, field_names("ztf", setting.version)
    kick = kicks(setting, s)
    seen, unseen = np.flatnonzero(s.detected), np.flatnonzero(~s.detected)
    detection = detection_columns(setting, part, seen, kick[seen])
    limits = exposure_columns(setting, part, unseen)
    rows = [*records(detection, names["alert.prv_candidate"]), *records(limits, names["alert.prv_candidate"])]
    order = np.argsort(np.concatenate([seen, unseen]))
    at = np.searchsorted(seen, part.points)
    own = {name: column[at] for name, column in detection.items()}
    candidates = records(own | candidate_columns(setting, part, part.points, own), names["alert.candidate"])
    return [rows[k] for k in order.tolist()], candidates


def _forced_columns(setting: Setting, part: Part) -> Columns:
    """Forced photometry at every point: the flux there, detected or not, in counts."""
    s, around, e = part.sources, part.surroundings, setting.exposures
    points = np.arange(len(s.row))
    who, row = s.index, s.row
    counts = 10.0 ** (0.4 * (e.zero_point[row] - 31.4))
    reference = around.reference_mag[who, e.band[row]]
    columns = exposure_columns(setting, part, points)
    return columns | {
        "rfid": columns["field"] * 10**6 + columns["fid"] * 10**5 + 20000 + columns["rcid"],
        "sciinpseeing": e.seeing[row],
        "scibckgnd": np.full(len(row), 150.0),
        "scisigpix": s.flux_err * counts / np.sqrt(4 * np.pi) / (e.seeing[row] / 2.38),
        "exptime": np.full(len(row), 30.0),
        "adpctdif1": np.full(len(row), 0.08),
        "adpctdif2": np.full(len(row), 0.09),
        "forcediffimflux": s.flux * counts,
        "forcediffimfluxunc": s.flux_err * counts,
        "procstatus": np.full(len(row), "0"),
        "distnr": around.reference_distance[who] / setting.camera.pixel_scale,
        "ranr": s.ra[who],
        "decnr": s.dec[who] + around.reference_distance[who] / 3600.0,
        "magnr": reference,
        "sigmagnr": np.clip(0.012 + 10.0 ** (0.4 * (reference - 23.5)), 0.008, 0.36),
        "chinr": np.full(len(row), 0.9),
        "sharpnr": np.zeros(len(row)),
    }


def _stamps(setting: Setting, part: Part) -> tuple[NDArray[np.float32], ...]:
    rng = np.random.default_rng([setting.seed, 2, part.number])
    zero_point = setting.exposures.zero_point[part.sources.row[part.points]]
    return draw_stamps(rng, stamp_scene(setting, part, rng, zero_point))


def _cutouts(candidate: Record, images: list[NDArray[np.float32]]) -> Record:
    name = f"candid{candidate['candid']}_pid{candidate['pid']}"
    return {
        f"cutout{kind}": (
            "ztf.alert.cutout",
            {"fileName": f"{name}_{tail}.fits.gz", "stampData": gzipped(fits_bytes(_HEADER, image))},
        )
        for (kind, tail), image in zip(_STAMPS.items(), images, strict=True)
    }


@lru_cache(maxsize=4)
def _encoder(version: str) -> Encoder:
    return Encoder(packet_schema("ztf", version))
