"""Synthetic batches for tests of the store: known nights, repeated objects, packets, scores and topics.

They look like what the pipeline hands to a store, ``packet`` and module columns included; see ``testing.batches``
for batches with nulls wherever the schema has them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from redpoll.astro.sky import hpx29
from redpoll.schema.alert import CUTOUTS, alert_schema
from redpoll.schema.bands import BANDS, DETECTION, FORCED, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.classifications import CLASSES, CLASSES_COLUMN
from redpoll.schema.column import Column
from redpoll.schema.light_curve import LightCurves

_MJD_2020 = 58849
_ZERO_POINT = 31.4
MODULE_COLUMNS = {
    "rise_rate": Column("float32", "mag/day", "Synthetic rate; null for every seventh alert."),
    "p_synthetic": Column("float32", "", "Synthetic score, 0..1.", aggregate="max"),
    "n_synthetic": Column("int32", "", "Synthetic count.", aggregate="min"),
    "feature_archived": Column("float32", "", "Synthetic feature of the archive only.", indexed=False),
}


def store_batch(
    n: int,
    *,
    start: int = 0,
    survey: str = "ztf",
    objects: int = 20,
    nights: Sequence[int] = (0,),
    points: int = 6,
    cutout_bytes: int = 200,
    version: str = "1",
    packet: Mapping[str, pa.Array] | None = None,
) -> pa.RecordBatch:
    """`n` alerts number `start` and on; the same arguments give the same bytes.

    Parameters
    ----------
    n, start
        Number of alerts, and the number of the first: alert_id is 10**15 + number.
    survey
        "ztf" or "rubin".
    objects
        Objects that the alerts are of, in turn; each object has its own position.
    nights
        Days after 2020-01-01; alert i is of night ``nights[i % len(nights)]``.
    points, cutout_bytes
        Length of each light curve, and of each cutout.
    version
        Version of the module `synthetic` that the score columns name.
    packet
        Fields of the `packet` struct; synthetic if None.

    Examples
    --------
    >>> batch = store_batch(3, start=7)
    >>> batch["alert_id"].to_pylist()
    [1000000000000007, 1000000000000008, 1000000000000009]
    >>> batch["object_id"][0].as_py(), batch["night"][0].as_py()
    ('ZTFmade0007', 20200101)
    """
    number = np.arange(start, start + n)
    day = np.array(nights)[number % len(nights)]
    own_mjd = _MJD_2020 + day + (number % 5000) / 10_000
    scalars = _scalars(number, day, own_mjd, survey, objects)
    curves = _curves(own_mjd, number % objects, points).to_arrow()
    cutouts = {name: [f"{name}{i}".encode().ljust(cutout_bytes, b".") for i in number] for name in CUTOUTS}
    values: dict[str, Any] = scalars | cutouts | {"light_curve": curves}
    columns = {
        f: pa.nulls(n, f.type) if f.name not in values else _typed(values[f.name], f.type) for f in alert_schema()
    }
    columns |= _scores(number, version) | _topics(number) | _classes(number, version)
    fields = packet if packet is not None else {"candid": pa.array(number), "note": pa.array(["synthetic"] * n)}
    struct = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
    columns[pa.field("packet", struct.type, metadata={"indexed": "0"})] = struct
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=pa.schema(list(columns)))


def with_gaps(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with light curves and classes that are unknown or empty, each in a part of the alerts.

    >>> [None if points is None else len(points) for points in with_gaps(store_batch(4))["light_curve"].to_pylist()]
    [0, None, 6, 6]
    """
    for name, every in (("light_curve", 5), ("classes", 4)):
        field, number = batch.schema.field(name), pa.array(np.arange(batch.num_rows) % every)
        values = pc.if_else(pc.equal(number, 0), pa.scalar([], field.type), batch[name])
        values = pc.if_else(pc.equal(number, 1), pa.scalar(None, field.type), values)
        batch = batch.set_column(batch.schema.get_field_index(name), field, values)
    return batch


def _scalars(
    number: NDArray[np.int64], day: NDArray[np.int64], mjd: NDArray[np.float64], survey: str, objects: int
) -> dict[str, Any]:
    which = number % objects
    ra, dec = (which * 137.508) % 360.0, np.degrees(np.arcsin(1 - 2 * (which + 0.5) / objects))
    first = dt.date(2020, 1, 1)
    night = [int((first + dt.timedelta(days=int(d))).strftime("%Y%m%d")) for d in day]
    name = {"ztf": "ZTFmade{:04d}", "rubin": "9{:015d}"}[survey]
    mag = 18 + (number % 300) / 100
    return {
        "survey": [survey] * len(number),
        "alert_id": 10**15 + number,
        "object_id": [name.format(i) for i in which],
        "night": night,
        "mjd": mjd,
        "ra": ra,
        "dec": dec,
        "hpx29": hpx29(ra, dec),
        "band": [BANDS[1 + i % 2] for i in number],
        "flux": 10 ** ((_ZERO_POINT - mag) / 2.5),
        "flux_err": np.full(len(number), 500.0),
        "mag": mag,
        "is_positive": number % 4 > 0,
        "real_bogus": (number % 100) / 100,
        "n_detections": number % 50,
        "first_mjd": mjd - 10 - number % 7,
        "sso_name": [None if i % 3 else f"made {i}" for i in number],
        "is_edge": number % 2 > 0,
    }


def _curves(own_mjd: NDArray[np.float64], which: NDArray[np.int64], points: int) -> LightCurves:
    """History on a grid of nights shared by all packets of an object, then the triggering detection."""
    n, history = len(own_mjd), points - 1
    grid = np.floor(own_mjd)[:, None] - np.arange(history, 0, -1) + 0.25
    mjd = np.hstack([grid, own_mjd[:, None]])
    kinds = np.array([DETECTION, UPPER_LIMIT, FORCED, LOW_QUALITY])
    kind = np.where(mjd == own_mjd[:, None], DETECTION, kinds[(np.floor(mjd).astype(int) + which[:, None]) % 4])
    flux = np.where(kind == UPPER_LIMIT, np.nan, 1000.0 + which[:, None] + np.floor(mjd) % 100)
    offsets = np.arange(n + 1) * points
    band = np.where(np.floor(mjd).astype(int) % 2, 1, 2)
    f32 = flux.ravel().astype(np.float32)
    error = np.full(n * points, 50.0, np.float32)
    return LightCurves(offsets, mjd.ravel(), band.ravel().astype(np.int8), f32, error, kind.ravel().astype(np.int8))


def _scores(number: NDArray[np.int64], version: str) -> dict[pa.Field, pa.Array]:
    values = {
        "rise_rate": np.where(number % 7 == 0, np.nan, -0.1 * (number % 11)),
        "p_synthetic": (number * 37 % 100) / 100,
        "n_synthetic": number % 13,
        "feature_archived": number / 2,
    }
    made = {name: column.field(name, by=f"synthetic@{version}") for name, column in MODULE_COLUMNS.items()}
    return {made[name]: _typed(value, made[name].type) for name, value in values.items()}


def _topics(number: NDArray[np.int64]) -> dict[pa.Field, pa.Array]:
    facts = {"indexed": "0", "by": "synthetic_filter@1"}
    passed = {"pass_rising": number % 3 == 0, "pass_bright": number % 10 == 0, "pass_never": number < 0}
    return {pa.field(name, pa.bool_(), metadata=facts): pa.array(value) for name, value in passed.items()}


def _classes(number: NDArray[np.int64], version: str) -> dict[pa.Field, pa.Array]:
    """Classifications of two alerts in three by a catalogue, and of every other one by a module."""
    classes: list[list[dict[str, Any]]] = []
    for i in number.tolist():
        assigned = [
            {"name": "sn_ia" if i % 4 else "sn", "probability": (i * 37 % 100) / 100, "by": f"synthetic@{version}"}
        ]
        known = [{"name": "rr_lyrae_ab" if i % 3 > 1 else "agn", "probability": None, "by": "made_catalogue@2020"}]
        classes.append((known if i % 3 else []) + (assigned if i % 2 else []))
    field = CLASSES_COLUMN.field(CLASSES, by="taxonomy@1")
    return {field: pa.array(classes, field.type)}


def _typed(value: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(value, pa.Array):
        return value
    if pa.types.is_dictionary(kind):
        return pa.array(value, pa.string()).dictionary_encode().cast(kind)
    return pa.array(value, from_pandas=True).cast(kind)
