"""Rubin packets to alerts, rule by rule."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from alert_rows import FORCED_SOURCE, OBJECT, ORBIT, RUBIN, SOURCE, alert, curve, rubin_packet
from fastavro_oracle import decode_all, encode

from redpoll.config import Cuts, QualityConfig
from redpoll.errors import SchemaError
from redpoll.schema.bands import DETECTION, FORCED, LOW_QUALITY
from redpoll.schema.designations import designations
from redpoll.schema.survey import survey_of, to_alerts


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        ((77, None), "77"), ((77, 9), "77"), ((0, 9), "9"), ((None, 9), "9"), ((None, 0), "5"), ((0, None), "5"),
        ((2**63 - 1, None), str(2**63 - 1)),
    ],
)  # fmt: skip
def test_object_id_is_the_object_else_the_asteroid_else_the_alert(ids, found):
    own = dict(zip(("diaObjectId", "ssObjectId"), ids, strict=True))
    assert alert(rubin_packet(own=own))["object_id"] == found


@pytest.mark.parametrize(
    ("flux", "positive"), [(5.0, True), (0.0, True), (-5.0, False), (None, None), (math.nan, None)]
)
def test_sign_of_the_flux(flux, positive):
    assert alert(rubin_packet(own={"psfFlux": flux}))["is_positive"] is positive


def test_flux_of_no_size_has_no_magnitude():
    found = alert(rubin_packet(own={"psfFlux": 0.0}))
    assert (found["flux"], found["mag"], found["mag_err"]) == (0.0, None, None)


@pytest.mark.parametrize("flux", [1e38, -1e38, 1e-40, math.inf])
def test_absurd_fluxes_warn_of_nothing(flux):
    assert alert(rubin_packet(own={"psfFlux": flux, "psfFluxErr": flux, "templateFlux": flux}))["alert_id"] == 5


def test_trail_and_orbit_are_told_or_null():
    row = alert(rubin_packet(own={"trailLength": 4.5}, mpc_orbits=ORBIT | {"e": 6.25}))
    assert (row["trail_length_arcsec"], row["sso_eccentricity"]) == (4.5, 6.25)
    silent = alert(rubin_packet(own={"trailLength": math.nan}, mpc_orbits=None))
    assert (silent["trail_length_arcsec"], silent["sso_eccentricity"]) == (None, None)


@pytest.mark.parametrize("template", [0.0, -5.0, None, math.nan])
def test_a_template_without_light_has_no_magnitude(template):
    assert alert(rubin_packet(own={"templateFlux": template}))["reference_mag"] is None


@pytest.mark.parametrize("band", ["u", "g", "r", "i", "z", "y"])
def test_bands(band):
    assert alert(rubin_packet(own={"band": band}))["band"] == band


@pytest.mark.parametrize("band", ["", "g ", None])
def test_unknown_bands_are_null(band):
    assert alert(rubin_packet(own={"band": band}))["band"] is None


@pytest.mark.parametrize(
    ("column", "flag"),
    [
        ("has_bad_pixels", "pixelFlags_bad"), ("has_bad_pixels", "pixelFlags_saturated"),
        ("has_bad_pixels", "pixelFlags_interpolated"), ("has_bad_pixels", "pixelFlags_cr"),
        ("has_bad_pixels", "pixelFlags_nodata"), ("is_edge", "pixelFlags_edge"), ("is_edge", "psfFlux_flag_edge"),
        ("is_streak", "pixelFlags_streak"), ("is_dipole", "isDipole"), ("is_photometry_bad", "psfFlux_flag"),
        ("is_photometry_bad", "centroid_flag"), ("is_photometry_bad", "shape_flag"),
    ],
)  # fmt: skip
def test_a_flag_is_set_clear_or_unknown(column, flag):
    clear = {f: False for f in SOURCE if f.startswith("pixelFlags") or "_flag" in f or f == "isDipole"}
    answers = [alert(rubin_packet(own=clear | {flag: value}))[column] for value in (True, False, None)]
    assert answers == [True, False, None]


def test_a_set_flag_outweighs_an_unknown_one():
    assert alert(rubin_packet(own={"pixelFlags_bad": True, "pixelFlags_saturated": None}))["has_bad_pixels"] is True


def test_counts_and_first_time_come_from_the_object():
    known = OBJECT | {"nDiaSources": 12, "firstDiaSourceMjdTai": 60900.0}
    found = alert(rubin_packet(diaObject=known, previous=[SOURCE]))
    assert (found["n_detections"], found["first_mjd"]) == (12, 60900.0)


@pytest.mark.parametrize("other", [None, OBJECT | {"nDiaSources": 3, "firstDiaSourceMjdTai": math.nan}])
def test_first_time_comes_from_history_where_the_object_tells_none(other):
    previous = [SOURCE | {"midpointMjdTai": t} for t in (60950.0, 60940.0)]
    assert alert(rubin_packet(diaObject=other, previous=previous))["first_mjd"] == 60940.0


def test_detections_are_counted_where_the_object_is_missing():
    assert alert(rubin_packet(diaObject=None, previous=[SOURCE, SOURCE]))["n_detections"] == 3


def test_histories_are_merged_by_time():
    previous = [SOURCE | {"midpointMjdTai": t} for t in (60980.0, 60999.0)]
    forced = [FORCED_SOURCE | {"midpointMjdTai": t} for t in (60970.0, 60990.0)]
    found = curve(rubin_packet(previous=previous, forced=forced))
    assert found.mjd.tolist() == [60970.0, 60980.0, 60990.0, 60999.0, 61000.2]
    assert [k in (DETECTION, LOW_QUALITY) for k in found.kind] == [False, True, False, True, True]
    assert found.kind[2] == FORCED


def test_a_visit_counts_once():
    clear = {f: False for f in SOURCE if f.startswith("pixelFlags") or "_flag" in f}
    previous, forced = [SOURCE | clear | {"band": "g"}], FORCED_SOURCE | {"midpointMjdTai": SOURCE["midpointMjdTai"]}
    found = curve(rubin_packet(own={"midpointMjdTai": 61001.0, "band": "g"}, previous=previous, forced=[forced]))
    assert (found.mjd.tolist(), found.kind[0]) == ([SOURCE["midpointMjdTai"], 61001.0], DETECTION)


def test_a_forced_flux_of_exactly_zero_is_left_out():
    forced = [FORCED_SOURCE | {"psfFlux": 0.0, "scienceFlux": 36_000.0}]
    assert len(curve(rubin_packet(forced=forced)).mjd) == 1


def test_points_without_flux_or_time_are_left_out():
    previous = [SOURCE | {"psfFlux": None}, SOURCE | {"midpointMjdTai": math.nan}]
    assert len(curve(rubin_packet(previous=previous, forced=[FORCED_SOURCE | {"psfFlux": math.nan}])).mjd) == 1


def test_unsure_flags_make_a_point_poor():
    clear = {f: False for f in SOURCE if f.startswith("pixelFlags") or "_flag" in f}
    sure = SOURCE | clear | {"midpointMjdTai": 60900.0}
    unsure = SOURCE | clear | {"centroid_flag": None, "midpointMjdTai": 60901.0}
    assert curve(rubin_packet(previous=[sure, unsure])).kind[:2].tolist() == [DETECTION, LOW_QUALITY]


@pytest.mark.parametrize(("min_real_bogus", "kind"), [(0.9, LOW_QUALITY), (0.3, DETECTION), (None, DETECTION)])
def test_the_configured_score_decides_the_quality_of_history_and_triggering_detection(min_real_bogus, kind):
    clear = {f: False for f in SOURCE if f.startswith("pixelFlags") or "_flag" in f} | {"reliability": 0.5}
    quality = QualityConfig(rubin=Cuts(min_real_bogus=min_real_bogus))
    earlier = SOURCE | clear | {"midpointMjdTai": 60900.0}
    found = curve(rubin_packet(previous=[earlier], own=clear), quality)
    assert found.kind.tolist() == [kind, kind]


@pytest.mark.parametrize("error", [0.0, -1.0, math.nan, None])
def test_an_error_that_is_not_positive_is_unknown(error):
    found = alert(rubin_packet(own={"psfFluxErr": error}))
    assert (found["flux_err"], found["mag_err"], found["limiting_mag"]) == (None, None, None)


@pytest.mark.parametrize(("name", "band"), [("Y", "y"), ("y", "y"), ("G", None), ("", None)])
def test_the_filter_y_may_be_a_capital(name, band):
    assert alert(rubin_packet(own={"band": name}))["band"] == band


def test_the_night_ends_at_noon_utc():
    nights = [alert(rubin_packet(own={"midpointMjdTai": 61000.0 + t}))["night"] for t in (0.2, 0.49, 0.51)]
    assert nights == [20251120, 20251120, 20251121]


@pytest.mark.parametrize("history", [None, []])
def test_no_history_leaves_the_triggering_detection(history):
    assert len(curve(rubin_packet(previous=history, forced=history)).mjd) == 1


def test_cutouts_leave_the_packet():
    found = alert(rubin_packet(cutoutScience=b"f" * 50))
    assert found["cutout_science"] == b"f" * 50 and found["cutout_template"] is None
    assert "cutoutScience" not in found["packet"] and "diaSource" in found["packet"]


@pytest.mark.parametrize(
    ("packed", "name"),
    [("K01S97B", "2001 SB97"), ("J95X00A", "1995 XA"), ("K07Tf8A", "2007 TA418"), ("K08Aa2D", "2008 AD362"),
     ("2006 TK6", "2006 TK6"), ("0003I", "0003I"), ("K01", "K01"), ("L01S97B", "L01S97B")],
)  # fmt: skip
def test_designations_of_asteroids_are_unpacked(packed, name):
    """Examples of the Minor Planet Center, and names that are none of its packed designations."""
    assert designations(pa.array([packed, None])).to_pylist() == [name, None]


def test_real_asteroids_have_the_designations_that_people_write(data_dir):
    rows = pq.read_table(data_dir / "rubin/rubin_v10_2026-03-10_enriched.parquet", columns=["mpc_orbits"])
    orbits = [row for row in rows["mpc_orbits"].to_pylist() if row]
    packed, plain = (
        [row[f"{how}_primary_provisional_designation"] for row in orbits] for how in ("packed", "unpacked")
    )
    assert len(orbits) > 20 and designations(pa.array(packed)).to_pylist() == plain


def test_an_asteroid_without_object_keeps_its_name():
    name = alert(rubin_packet(own={"diaObjectId": None, "ssObjectId": 21163611375481943}))["sso_name"]
    assert name == "21163611375481943"


@pytest.mark.parametrize("lost", ["diaSourceId", "midpointMjdTai", "ra", "psfFlux"])
def test_a_packet_that_lacks_what_an_alert_needs_is_refused(lost):
    fields = [dict(f) for f in RUBIN["fields"]]
    (source,) = [f for f in fields if f["name"] == "diaSource"]
    source["type"] = source["type"] | {"fields": [f for f in source["type"]["fields"] if f["name"] != lost]}
    schema = RUBIN | {"fields": fields}
    with pytest.raises(SchemaError, match=f"rubin alert: diaSource lacks {lost}"):
        to_alerts(decode_all(schema, *encode(schema, rubin_packet())).rows)


def test_a_record_that_is_no_alert_is_refused():
    with pytest.raises(SchemaError, match="not a ZTF, Rubin or ELAsTiCC alert: it has the fields x"):
        survey_of(decode_all({"type": "record", "name": "r", "fields": [{"name": "x", "type": "int"}]}).rows.type)


@pytest.mark.parametrize(
    "kind", ["string", "bytes", {"type": "array", "items": "int"}, {"type": "map", "values": "int"}]
)
def test_a_field_of_another_type_is_refused(kind):
    source = {"type": "record", "name": "s", "fields": [{"name": n, "type": "double"} for n in
              ("diaSourceId", "midpointMjdTai", "ra", "dec")] + [{"name": "psfFlux", "type": kind}]}  # fmt: skip
    schema = {"type": "record", "name": "r", "fields": [{"name": "diaSource", "type": source}]}
    value = {"string": "one", "bytes": b"one"}.get(kind) if isinstance(kind, str) else ([] if "items" in kind else {})
    row = {"diaSource": dict.fromkeys(("diaSourceId", "midpointMjdTai", "ra", "dec"), 1.0) | {"psfFlux": value}}
    with pytest.raises(SchemaError, match="psfFlux"):
        to_alerts(decode_all(schema, *encode(schema, row)).rows)


def test_limits_have_a_depth_and_no_flux():
    limit = {"type": "record", "name": "l", "fields": [
        {"name": "midpointMjdTai", "type": "double"}, {"name": "band", "type": "string"},
        {"name": "diaNoise", "type": ["null", "float"]}]}  # fmt: skip
    added = {"name": "prvDiaNondetectionLimits", "type": {"type": "array", "items": limit}}
    schema = RUBIN | {"fields": [*RUBIN["fields"], added]}
    limits = [{"midpointMjdTai": 60000.0, "band": "r", "diaNoise": x} for x in (80.0, None)]
    rows = decode_all(schema, *encode(schema, rubin_packet() | {"prvDiaNondetectionLimits": limits})).rows
    (points,) = to_alerts(rows)["light_curve"].to_pylist()
    assert points[0] == {"mjd": 60000.0, "band": "r", "flux": None, "flux_err": 80.0, "kind": "upper_limit"}
    assert len(points) == 2 and np.isfinite(points[1]["flux"])
