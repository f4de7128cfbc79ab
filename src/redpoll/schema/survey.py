"""Recognition of the survey of packets, and its mapping to the alert table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.time import NIGHT_OFFSET, is_night, night_of, tai_mjd_from_utc_jd
from redpoll.config import Cuts, QualityConfig
from redpoll.errors import SchemaError
from redpoll.schema import elasticc, rubin, ztf

MAPPINGS: dict[str, Callable[[pa.StructArray, Cuts], pa.RecordBatch]] = {
    "ztf": ztf.to_alerts, "rubin": rubin.to_alerts, "elasticc": elasticc.to_alerts,
}  # fmt: skip
DEFAULT_QUALITY = QualityConfig()
_MARKS = {
    "ztf": ("objectId", "candid", "candidate"), "elasticc": ("diaSource.midPointTai",), "rubin": ("diaSource",),
}  # fmt: skip
_MARK_FIELDS = {
    "ztf": ("candidate", ("jd", "fid", "ra", "dec", "magpsf", "isdiffpos")),
    "rubin": ("diaSource", ("diaSourceId", "midpointMjdTai", "ra", "dec", "psfFlux")),
    "elasticc": ("diaSource", ("diaSourceId", "midPointTai", "ra", "decl", "filterName", "psFlux", "psFluxErr")),
}
TRIGGER_TIME = {
    "ztf": ("candidate", "jd"), "rubin": ("diaSource", "midpointMjdTai"), "elasticc": ("diaSource", "midPointTai"),
}  # fmt: skip
"""Where a packet has the time of its triggering detection, in the survey's own scale."""
OBJECT_ID = {"ztf": "objectId"}
"""The one field that decides which object a packet is of; Rubin has several."""


def nights_of_times(survey: str, times: NDArray[np.float64]) -> NDArray[np.int32]:
    """Night of packets with these values of `TRIGGER_TIME`, YYYYMMDD; 0 where there is none.

    >>> nights_of_times("ztf", np.array([2458855.7, np.nan])).tolist()
    [20200107, 0]
    """
    mjd = tai_mjd_from_utc_jd(times) if survey == "ztf" else times
    nights, in_time = np.zeros(len(mjd), np.int32), is_night(mjd)
    nights[in_time] = night_of(mjd[in_time], NIGHT_OFFSET[survey])
    return nights


def survey_of(packet_type: pa.DataType) -> str:
    """The survey whose packets have this struct type; SchemaError if none has."""
    names = [kind.name for kind in packet_type]
    for survey, marks in _MARKS.items():
        if all(_count(packet_type, mark) == 1 for mark in marks):
            _check(survey, packet_type)
            return survey
    raise SchemaError(
        f"not a ZTF, Rubin or ELAsTiCC alert: it has the fields {', '.join(sorted(names)[:8]) or 'none'}; "
        "expected objectId, candid, candidate (ztf) or diaSource (rubin, elasticc)"
    )


def _count(kind: pa.DataType, path: str) -> int:
    """How many fields of this dotted path a struct type has."""
    name, _, rest = path.partition(".")
    found = [field.type for field in kind if field.name == name] if pa.types.is_struct(kind) else []
    return sum(_count(each, rest) for each in found) if rest else len(found)


def _check(survey: str, packet_type: pa.DataType) -> None:
    name, needed = _MARK_FIELDS[survey]
    kind = packet_type.field(name).type
    has = [f.name for f in kind] if pa.types.is_struct(kind) else []
    if missing := [n for n in needed if has.count(n) != 1]:
        raise SchemaError(f"not a {survey} alert: {name} lacks {', '.join(missing)}")


def to_alerts(packets: pa.StructArray, quality: QualityConfig = DEFAULT_QUALITY) -> pa.RecordBatch:
    """The alert table of packets of one writer schema of any survey; SchemaError if they are no alerts.

    `quality` holds the cuts that decide which detections of the light curves are of low quality. Numbers too large for
    a flux or a magnitude become null.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            survey = survey_of(packets.type)
            return MAPPINGS[survey](packets, getattr(quality, survey))
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise SchemaError(f"a field of the packets has a type that cannot be used: {error}") from error
