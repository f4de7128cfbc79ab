"""Flags, labels and catalogue matches that Fink published."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fink.comparison import Agreement, compare, same
from fink.packets import ASTEROIDS, enriched, rubin_rows

from redpoll.conditions import FINK_ROID
from redpoll.config import Config
from redpoll.plugin.columns import Columns
from redpoll.science.fink_class import fink_class
from redpoll.science.roid import roid
from redpoll.testing.batches import sample_batch


def flag_of_asteroids() -> Agreement:
    """`roid` of known asteroids; the copies have no history, so that each is a curve of one point."""
    names = ("ndethist", "sgscore1", "distpsnr1", "ssdistnr")
    table = pq.read_table(ASTEROIDS, columns=["d:roid", *(f"i:{name}" for name in names)])
    values = {name: table[f"i:{name}"].to_numpy().astype(float) for name in names}
    v = {name: np.where(value == -999, np.nan, value) for name, value in values.items()}
    one = Columns(sample_batch(1)).numpy("light_curve")
    last = slice(len(one) - 1, len(one))
    n = table.num_rows
    curve = type(one)(
        np.arange(n + 1), *(np.repeat(x[last], n) for x in (one.mjd, one.band, one.flux, one.flux_err, one.kind))
    )
    found = roid(np.full(n, "ztf", object), v["ndethist"], v["sgscore1"], v["distpsnr1"], v["ssdistnr"],
                 np.full(n, None), curve)  # fmt: skip
    return same("roid", [FINK_ROID[name] for name in found], table["d:roid"].to_pylist())


def label_of_asteroids() -> Agreement:
    """`fink_class` from Fink's own scores: what is compared is the precedence."""
    names = ("d:cdsxmatch", "d:roid", "d:mulens", "d:rf_kn_vs_nonkn", "d:rf_snia_vs_nonia", "d:snn_sn_vs_all",
             "d:snn_snia_vs_nonia", "i:ndethist", "i:jd", "i:jdstarthist", "i:drb", "v:classification")  # fmt: skip
    table = pq.read_table(ASTEROIDS, columns=[*names])
    v = {name: table[name].to_numpy() for name in names}
    found = fink_class(
        v["d:cdsxmatch"], np.array(list(FINK_ROID), object)[v["d:roid"]], v["i:ndethist"],
        v["i:jd"] - v["i:jdstarthist"], v["i:drb"], v["d:snn_sn_vs_all"], v["d:snn_snia_vs_nonia"],
        v["d:rf_snia_vs_nonia"], v["d:rf_kn_vs_nonkn"], v["d:mulens"] > 0,
    )  # fmt: skip
    return same("class label (fink_class) of Fink's scores", found.tolist(), v["v:classification"].tolist())


def alert_facts(config: Config) -> list[Agreement]:
    """First detection, solar-system flag and catalogue matches."""
    batch = enriched(config)
    theirs = rubin_rows(["diaSource", "misc", "pred", "xm"])
    rows = batch.to_pylist()
    order = [theirs[row["alert_id"]] for row in rows]
    first = [t["misc"]["firstDiaSourceMjdTaiFink"] or math.nan for t in order]
    ours = [math.nan if row["first_mjd"] is None else row["first_mjd"] for row in rows]
    found = [
        compare("first detection (first_mjd)", ours, first, scale=1, tolerance=1e-6, means="1e-6 d"),
        same(
            "known solar-system object", [row["roid"] == "known" for row in rows], [t["pred"]["is_sso"] for t in order]
        ),
    ]
    for name in order[0]["xm"]:
        if (column := _ours(name)) in batch.schema.names and not _is_missing(batch.schema.field(column)):
            found.append(_match(name, column, rows, order))
    return found


def _match(name: str, column: str, rows: list[dict[str, Any]], order: list[dict[str, Any]]) -> Agreement:
    ours, theirs = [row[column] for row in rows], [t["xm"][name] for t in order]
    theirs = [None if value == "None" else value for value in theirs]
    label = f"xm.{name} ({column})"
    if any(isinstance(value, float) for value in [*ours, *theirs]):
        numbers = [[math.nan if v is None else v for v in values] for values in (ours, theirs)]
        return compare(label, *numbers, scale=np.abs(numbers[1]), tolerance=1e-5, means="1e-5 of the value")
    return same(label, ours, theirs)


CATALOGUE_COLUMNS = {
    "simbad_otype": "simbad_type", "x3hsp_type": "hsp_name", "x4lac_type": "fermi_4lac_name", "mangrove_HyperLEDA_name":
    "mangrove_name", "mangrove_2MASS_name": "mangrove_2mass", "mangrove_lum_dist": "mangrove_luminosity_distance",
    "mangrove_ang_dist": "mangrove_angular_distance",
}  # fmt: skip
"""Names that differ by more than their case."""


def _ours(name: str) -> str:
    return CATALOGUE_COLUMNS.get(name, name.lower())


def _is_missing(field: pa.Field) -> bool:
    return b"@" not in (field.metadata or {}).get(b"by", b"")
