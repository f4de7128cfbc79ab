"""ZTF alert packets: one Avro object container an alert, with its 30 days of history and its three cutouts."""

from __future__ import annotations

import string
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from redpoll.simulate.avro_rows import EncodedRecords, encode_rows, record_fields
from redpoll.simulate.container import Encoder, prefixed
from redpoll.simulate.cutouts import draw_cutouts
from redpoll.simulate.fits import fits_bytes, fits_header, gzipped
from redpoll.simulate.segment import Segment, Setting, cutout_scene, kicks
from redpoll.simulate.ztf_candidates import Columns, candidate_columns, detection_columns, exposure_columns
from redpoll.simulate.ztf_forced import forced_columns

PUBLISHER = "Redpoll simulator, in the schema of ZTF (www.ztf.caltech.edu)"
_HEADER = fits_header((63, 63), "DN")
_NO_FIELDS = (("jd", "double"),)
_CUTOUTS = {"Science": "targ_sci", "Template": "ref", "Difference": "targ_scimref"}


def ztf_packets(setting: Setting, segment: Segment) -> list[tuple[int, str, bytes]]:
    """Alert id, object id and packet of each alert of a segment."""
    s = segment.sources
    encoder, fields = _encoder(setting.version), record_fields("ztf", setting.version)
    own, history, candidates = _tables(setting, segment)
    # schema 3.3 has no forced photometry; the newest point of an object comes first
    forced = encode_rows(fields.get("alert.fp_hist", _NO_FIELDS), forced_columns(setting, segment))
    cutouts = _images(setting, segment)
    mjd, n_points = setting.exposures.mjd[s.row], len(s.row)
    packets = []
    for k, (point, candid, pid) in enumerate(zip(segment.points.tolist(), own["candid"], own["pid"], strict=True)):
        who = int(s.index[point])
        start = int(s.offsets[who])
        first = start + int(np.searchsorted(mjd[start:point], mjd[point] - setting.camera.history_days))
        name = object_id(int(s.serial[who]), float(s.first_mjd[who]), setting.name_offset)
        alert = {
            "schemavsn": setting.version,
            "publisher": PUBLISHER,
            "objectId": name,
            "candid": int(candid),
            "candidate": candidates.row(k),
            "prv_candidates": history.array(first, point),
            "fp_hists": forced.array(n_points - point, n_points - first),
            **_cutouts(f"candid{candid}_pid{pid}", [images[k] for images in cutouts]),
        }
        packets.append((int(candid), name, encoder.container(alert)))
    return packets


def object_id(serial: int, first_mjd: float, offset: int) -> str:
    """Name of an object: ZTF, the year of its first detection, seven letters.

    >>> object_id(0, 60939.3, 0)
    'ZTF25aaaaaaa'
    """
    year = (np.datetime64("1858-11-17") + np.timedelta64(int(first_mjd), "D")).astype("datetime64[Y]")
    rest = (serial * 1_234_577 + offset) % 26**7  # coprime with 26: scatters the names and never repeats one
    letters = ""
    for _ in range(7):
        rest, letter = divmod(rest, 26)
        letters = string.ascii_lowercase[letter] + letters
    return f"ZTF{(int(year.astype(np.int64)) + 1970) % 100:02d}{letters}"


def _tables(setting: Setting, segment: Segment) -> tuple[Columns, EncodedRecords, EncodedRecords]:
    """Columns of the alerts' candidates; the history entry of every point; the candidate of every alert."""
    s, fields = segment.sources, record_fields("ztf", setting.version)
    seen = np.flatnonzero(s.detected)
    detection = detection_columns(setting, segment, seen, kicks(setting, s)[seen])
    history = exposure_columns(setting, segment, np.arange(len(s.row)))
    for name in detection.keys() - history.keys():
        values = np.zeros(len(s.row), detection[name].dtype)
        values[seen] = detection[name]
        history[name] = np.ma.masked_array(values, ~s.detected)
    own = {name: column[np.searchsorted(seen, segment.points)] for name, column in detection.items()}
    own |= candidate_columns(setting, segment, segment.points, own)
    rows = encode_rows(fields["alert.prv_candidate"], history), encode_rows(fields["alert.candidate"], own)
    return own, *rows


def _images(setting: Setting, segment: Segment) -> tuple[NDArray[np.float32], ...]:
    """Science, template and difference cutouts; the difference of a negative alert is negated, as in real ones."""
    rng = np.random.default_rng([setting.seed, 2, segment.number])
    zero_point = setting.exposures.zero_point[segment.sources.row[segment.points]]
    science, template, difference = draw_cutouts(rng, cutout_scene(setting, segment, rng, zero_point))
    difference[segment.sources.flux[segment.points] < 0] *= -1
    return science, template, difference


def _cutouts(name: str, images: list[NDArray[np.float32]]) -> dict[str, bytes]:
    """The three cutout records, encoded."""
    return {
        f"cutout{kind}": prefixed(f"{name}_{tail}.fits.gz".encode()) + prefixed(gzipped(fits_bytes(_HEADER, image)))
        for (kind, tail), image in zip(_CUTOUTS.items(), images, strict=True)
    }


@lru_cache(maxsize=4)
def _encoder(version: str) -> Encoder:
    return Encoder("ztf", version)
