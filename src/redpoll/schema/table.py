"""Last step of the mapping of every survey: adds survey, night and HEALPix index, and orders the columns."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.sky import hpx29, is_position
from redpoll.astro.time import is_night, night_of
from redpoll.schema.alert import PACKET, alert_schema
from redpoll.schema.bands import SURVEYS
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.rows import without_views


def assemble(survey: str, columns: dict[str, pa.Array], packet: pa.StructArray, night_offset: float) -> pa.RecordBatch:
    """The alert table of one survey's mapped `columns`; night or hpx29 is null where time or position is invalid."""
    n = len(packet)
    mjd, ra, dec = (columns[name].to_numpy(zero_copy_only=False) for name in ("mjd", "ra", "dec"))
    on_sky, in_time = is_position(ra, dec), is_night(mjd)
    nights, cells = np.zeros(n, np.int32), np.zeros(n, np.int64)
    nights[in_time] = night_of(mjd[in_time], night_offset)
    cells[on_sky] = hpx29(ra[on_sky], dec[on_sky])
    codes = np.full(n, SURVEYS.index(survey), np.int8)
    columns = columns | {
        "survey": pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(SURVEYS)),
        "night": pa.array(nights, mask=~in_time),
        "hpx29": pa.array(cells, mask=~on_sky),
        "packet_light_curve": columns["light_curve"],
    }
    columns |= extent(LightCurves.from_arrow(columns["light_curve"]), mjd)
    schema = _schema()
    arrays = [_as(columns[field.name], field.type) for field in schema]
    plain = without_views(packet.type)
    packet = packet if plain == packet.type else packet.cast(plain)
    return pa.RecordBatch.from_arrays([*arrays, packet], schema=schema.append(pa.field(PACKET, packet.type)))


def extent(curves: LightCurves, mjd: NDArray[np.float64]) -> dict[str, pa.Array]:
    """How long and how many points the light curves of alerts at these times are: ``history_days``, ``n_points``."""
    sizes = np.diff(curves.offsets)
    first = np.full(len(curves), np.nan)
    first[sizes > 0] = curves.mjd[curves.offsets[:-1][sizes > 0]]
    days = (mjd - first).astype(np.float32)
    return {
        "history_days": pa.array(days, mask=~np.isfinite(days)),
        "n_points": pa.array(sizes.astype(np.int32)),
    }


def packet_light_curves(alerts: Any) -> Any:
    """The packets' own light curves of a batch or table: `light_curve` where nothing was joined to it."""
    column = "packet_light_curve"
    is_told = column in alerts.schema.names and alerts[column].null_count < alerts.num_rows
    return alerts[column if is_told else "light_curve"]


@cache
def _schema() -> pa.Schema:
    return alert_schema()


def _as(array: pa.Array, kind: pa.DataType) -> pa.Array:
    return array if array.type == kind else array.cast(kind)
