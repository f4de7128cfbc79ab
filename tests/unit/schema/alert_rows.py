"""Packets of the surveys made of the fields that a test names; all others are null, or as plain as can be."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from fastavro_oracle import decode_all, encode

from redpoll.config import QualityConfig
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.packet_schemas import packet_schema
from redpoll.schema.survey import DEFAULT_QUALITY, to_alerts

ZTF = packet_schema("ztf", "4.02")
RUBIN = packet_schema("rubin", "10.0")
ELASTICC = packet_schema("elasticc", "0.9")
_PLAIN = {"string": "", "long": 0, "int": 0, "float": 0.0, "double": 0.0, "boolean": False, "bytes": b""}


def plain(kind: Any) -> Any:
    """Null where that is allowed, else zero, empty or a record of the same."""
    if isinstance(kind, list):
        return None if "null" in kind else plain(kind[0])
    if isinstance(kind, str):
        return _PLAIN[kind]
    if kind["type"] == "array":
        return []
    return {f["name"]: plain(f["type"]) for f in kind["fields"]} if kind["type"] == "record" else plain(kind["type"])


def _record(schema: Any, name: str) -> dict[str, Any]:
    """The record type that field `name` of `schema` holds, itself or in an array."""
    (kind,) = [f["type"] for f in schema["fields"] if f["name"] == name]
    kind = next(k for k in kind if k != "null") if isinstance(kind, list) else kind
    return kind["items"] if kind["type"] == "array" else kind


CANDIDATE = plain(_record(ZTF, "candidate")) | {
    "jd": 2460000.5, "fid": 1, "pid": 1, "magpsf": 20.0, "sigmapsf": 0.1, "isdiffpos": "t", "ra": 10.0, "dec": 20.0,
    "rb": 0.9, "nbad": 0, "diffmaglim": 20.5, "mindtoedge": 500.0, "candid": 5,
}  # fmt: skip
PREVIOUS = plain(_record(ZTF, "prv_candidates")) | {"jd": 2459990.5, "fid": 2, "pid": 1, "diffmaglim": 20.0}
FORCED = plain(_record(ZTF, "fp_hists")) | {
    "jd": 2459990.5, "fid": 2, "pid": 1, "magzpsci": 26.0, "forcediffimflux": 100.0, "forcediffimfluxunc": 10.0
}  # fmt: skip
SOURCE = plain(_record(RUBIN, "diaSource")) | {
    "diaSourceId": 5, "midpointMjdTai": 61000.2, "ra": 10.0, "dec": 20.0, "band": "g", "psfFlux": 1000.0,
    "psfFluxErr": 100.0, "diaObjectId": 77,
}  # fmt: skip
FORCED_SOURCE = plain(_record(RUBIN, "prvDiaForcedSources")) | {"midpointMjdTai": 60990.2, "band": "g", "psfFlux": 9.0}
OBJECT = plain(_record(RUBIN, "diaObject"))
ORBIT = plain(_record(RUBIN, "mpc_orbits"))
ELASTICC_SOURCE = plain(_record(ELASTICC, "diaSource")) | {
    "diaSourceId": 5, "midPointTai": 60929.3, "ra": 10.0, "decl": -20.0, "filterName": "g", "psFlux": 1000.0,
    "psFluxErr": 100.0, "diaObjectId": 77,
}  # fmt: skip
ELASTICC_FORCED = plain(_record(ELASTICC, "prvDiaForcedSources")) | {
    "midPointTai": 60920.3, "filterName": "r", "psFlux": 50.0, "psFluxErr": 20.0,
}  # fmt: skip
ELASTICC_LIMIT = {"ccdVisitId": 1, "midPointTai": 60910.3, "filterName": "i", "diaNoise": 30.0}


def ztf_packet(*, previous: Any = None, forced: Any = None, **candidate: Any) -> dict[str, Any]:
    """A ZTF packet; keywords are fields of its candidate."""
    top = plain(ZTF) | {"candid": 5, "objectId": "ZTF18abcdefg", "schemavsn": "4.02", "publisher": "test"}
    return top | {"candidate": CANDIDATE | candidate, "prv_candidates": previous, "fp_hists": forced}


def rubin_packet(*, previous: Any = None, forced: Any = None, own: Any = None, **top: Any) -> dict[str, Any]:
    """A Rubin packet; keywords are its own fields, `own` those of its diaSource."""
    packet = plain(RUBIN) | {"diaSourceId": 5, "diaSource": SOURCE | (own or {})}
    return packet | {"prvDiaSources": previous, "prvDiaForcedSources": forced} | top


def elasticc_packet(*, own: Any = None, **top: Any) -> dict[str, Any]:
    """An ELAsTiCC packet; keywords are its own fields, `own` those of its diaSource."""
    return plain(ELASTICC) | {"alertId": 5, "diaSource": ELASTICC_SOURCE | (own or {})} | top


def alerts(*packets: dict[str, Any], quality: QualityConfig = DEFAULT_QUALITY) -> pa.RecordBatch:
    """The alert table of packets of one survey."""
    schema = ZTF if "candidate" in packets[0] else ELASTICC if "alertId" in packets[0] else RUBIN
    batch = to_alerts(decode_all(schema, *encode(schema, *packets)).rows, quality)
    batch.validate(full=True)
    return batch


def alert(packet: dict[str, Any]) -> dict[str, Any]:
    """The only row of a packet's alert table."""
    return alerts(packet).to_pylist()[0]


def curve(packet: dict[str, Any], quality: QualityConfig = DEFAULT_QUALITY) -> LightCurves:
    """The packet's light curve."""
    return LightCurves.from_arrow(alerts(packet, quality=quality)["light_curve"])[0]
