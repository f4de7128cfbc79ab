"""ELAsTiCC packets to alerts, rule by rule."""

from __future__ import annotations

import io
import math

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from alert_rows import ELASTICC, ELASTICC_FORCED, ELASTICC_LIMIT, ELASTICC_SOURCE, alert, alerts, curve, elasticc_packet

from redpoll.config import Cuts, QualityConfig
from redpoll.errors import SchemaError
from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.nights import PacketNights
from redpoll.ingest.schemas import BuiltIn
from redpoll.quality.flags import FLAGS
from redpoll.schema.bands import BANDS, DETECTION, FORCED, UPPER_LIMIT
from redpoll.schema.survey import survey_of, to_alerts


def container(*packets):
    """An Avro container file of packets, as fastavro writes it."""
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(ELASTICC), packets)
    return file.getvalue()


def test_identifiers_time_position_and_night():
    found = alert(elasticc_packet())
    assert (found["survey"], found["alert_id"], found["object_id"]) == ("elasticc", 5, "77")
    assert (found["mjd"], found["ra"], found["dec"], found["night"]) == (60929.3, 10.0, -20.0, 20250910)


@pytest.mark.parametrize(("ids", "name"), [((77, 8), "77"), ((None, 8), "8"), ((0, 8), "8"), ((None, None), "5")])
def test_object_id_is_the_object_else_the_alert(ids, name):
    own, other = ids
    about = None if other is None else _object(diaObjectId=other)
    assert alert(elasticc_packet(own={"diaObjectId": own}, diaObject=about))["object_id"] == name


def _object(**known):
    names = next(f["type"][1]["fields"] for f in ELASTICC["fields"] if f["name"] == "diaObject")
    return {f["name"]: None for f in names} | {"diaObjectId": 77, "ra": 10.0, "decl": -20.0} | known


def test_fluxes_are_nanojansky_of_zero_point_31_4():
    found = alert(elasticc_packet(own={"psFlux": 10 ** (0.4 * (31.4 - 20.0)), "psFluxErr": 1000.0}))
    assert found["mag"] == pytest.approx(20.0, abs=1e-5)
    assert found["flux"] == pytest.approx(36307.8, rel=1e-5)


@pytest.mark.parametrize(
    ("flux", "positive"), [(5.0, True), (0.0, True), (-5.0, False), (math.nan, None), (math.inf, None)]
)
def test_sign_of_the_flux(flux, positive):
    assert alert(elasticc_packet(own={"psFlux": flux}))["is_positive"] is positive


@pytest.mark.parametrize("flux", [1e38, -1e38, 1e-40, math.inf, -math.inf])
def test_absurd_fluxes_warn_of_nothing(flux):
    assert alert(elasticc_packet(own={"psFlux": flux, "psFluxErr": flux}))["alert_id"] == 5


@pytest.mark.parametrize("error", [0.0, -1.0, math.nan])
def test_an_error_that_is_not_positive_is_unknown(error):
    assert alert(elasticc_packet(own={"psFluxErr": error}))["flux_err"] is None


@pytest.mark.parametrize(("band", "found"), [*zip(BANDS, BANDS, strict=True), ("Y", "y"), ("", None), ("G", None)])
def test_bands(band, found):
    assert alert(elasticc_packet(own={"filterName": band}))["band"] == found


@pytest.mark.parametrize(("ra", "found"), [(-0.25, 359.75), (0.0, 0.0), (359.9, 359.9), (-360.0, 0.0)])
def test_slightly_negative_right_ascensions_are_turned(ra, found):
    assert alert(elasticc_packet(own={"ra": ra}))["ra"] == pytest.approx(found)


@pytest.mark.parametrize("bad", [{"ra": math.nan}, {"decl": 91.0}, {"decl": math.inf}])
def test_no_position_has_no_cell(bad):
    assert alert(elasticc_packet(own=bad))["hpx29"] is None


@pytest.mark.parametrize("mjd", [math.nan, math.inf, -1e300, 1e9])
def test_no_time_has_no_night(mjd):
    assert alert(elasticc_packet(own={"midPointTai": mjd}))["night"] is None


def test_history_of_detections_forced_points_and_upper_limits():
    previous = [ELASTICC_SOURCE | {"midPointTai": t} for t in (60925.3, 60915.3)]
    found = curve(
        elasticc_packet(
            prvDiaSources=previous, prvDiaForcedSources=[ELASTICC_FORCED], prvDiaNondetectionLimits=[ELASTICC_LIMIT]
        )
    )
    assert found.mjd.tolist() == [60910.3, 60915.3, 60920.3, 60925.3, 60929.3]
    assert found.kind.tolist() == [UPPER_LIMIT, DETECTION, FORCED, DETECTION, DETECTION]
    assert [BANDS[code] for code in found.band] == ["i", "g", "r", "g", "g"]
    assert found.flux_err.tolist() == [30.0, 100.0, 20.0, 100.0, 100.0]
    assert np.isnan(found.flux[0])


def test_a_visit_counts_once():
    at = {"midPointTai": 60925.3, "filterName": "z"}
    found = curve(elasticc_packet(prvDiaSources=[ELASTICC_SOURCE | at], prvDiaForcedSources=[ELASTICC_FORCED | at]))
    assert found.kind.tolist() == [DETECTION, DETECTION]


@pytest.mark.parametrize("flux", [math.nan, math.inf])
def test_history_points_without_a_flux_are_dropped(flux):
    bad = [ELASTICC_SOURCE | {"midPointTai": 60920.0, "psFlux": flux}]
    found = elasticc_packet(prvDiaSources=bad, prvDiaForcedSources=[ELASTICC_FORCED | {"psFlux": flux}])
    assert len(curve(found).mjd) == 1
    assert alert(found)["n_detections"] == 1


def test_counts_and_first_time_come_from_the_history():
    previous = [ELASTICC_SOURCE | {"midPointTai": t} for t in (60925.3, 60915.3)]
    found = alert(elasticc_packet(prvDiaSources=previous, prvDiaForcedSources=[ELASTICC_FORCED]))
    assert (found["n_detections"], found["first_mjd"]) == (3, 60915.3)


def test_nothing_is_an_artefact():
    found = alert(elasticc_packet())
    assert [found[name] for name in FLAGS] == [False] * len(FLAGS)
    assert (found["real_bogus"], found["n_bad_pixels"]) == (1.0, 0)


def test_cuts_of_quality_make_no_point_of_low_quality():
    strict = QualityConfig(elasticc=Cuts(min_real_bogus=1.0, max_bad_pixels=0))
    assert curve(elasticc_packet(), strict).kind.tolist() == [DETECTION]


def test_cutouts_are_passed_on():
    found = alert(elasticc_packet(cutoutDifference=b"image"))
    assert (found["cutout_difference"], found["cutout_template"], found["cutout_science"]) == (b"image", None, None)


def test_the_packet_is_kept_with_host_and_redshift():
    about = _object(z_final=0.3, hostgal_snsep=1.5)
    kept = alert(elasticc_packet(diaObject=about))["packet"]
    assert kept["diaObject"]["z_final"] == pytest.approx(0.3)
    assert kept["diaObject"]["hostgal_snsep"] == 1.5


def test_rubin_and_elasticc_are_told_apart_by_the_name_of_the_time():
    rubin = pa.struct({"diaSourceId": pa.int64(), "midpointMjdTai": pa.float64(), "ra": pa.float64(),
                       "dec": pa.float64(), "psfFlux": pa.float32()})  # fmt: skip
    assert survey_of(pa.struct({"alertId": pa.int64(), "diaSource": rubin})) == "rubin"
    assert survey_of(alerts(elasticc_packet())["packet"].type) == "elasticc"


@pytest.mark.parametrize("field", ["filterName", "psFlux", "psFluxErr", "decl", "ra", "diaSourceId"])
def test_a_packet_that_lacks_a_field_is_refused_with_its_name(field):
    source = [(f["name"], pa.float64()) for f in _source_fields() if f["name"] != field]
    packets = pa.array([None], pa.struct({"alertId": pa.int64(), "diaSource": pa.struct(source)}))
    with pytest.raises(SchemaError, match=f"not a elasticc alert: diaSource lacks {field}"):
        to_alerts(packets)


def _source_fields():
    return next(f["type"]["fields"] for f in ELASTICC["fields"] if f["name"] == "diaSource")


def test_container_files_of_one_packet_decode_and_have_a_night():
    packet = container(elasticc_packet())
    decoded = PacketDecoder(BuiltIn())(Block.of([packet]))
    assert not decoded.errors
    assert decoded.batches[0][0]["alert_id"].to_pylist() == [5]
    (night,) = PacketNights(BuiltIn())([packet])
    assert (night.survey, night.night) == ("elasticc", 20250910)


@pytest.mark.parametrize("cut", [1, 8, 40])
def test_truncated_packets_are_errors_and_the_others_are_kept(cut):
    good = container(elasticc_packet())
    decoded = PacketDecoder(BuiltIn())(Block.of([good, good[:-cut], b"", good]))
    assert sorted(decoded.errors) == [1, 2]
    assert [batch.num_rows for batch, _ in decoded.batches] == [2]


def test_packet_copies_of_the_shared_file_agree_with_their_avro_form(data_dir):
    rows = pq.read_table(data_dir / "elasticc/elasticc_sn_like.parquet").slice(0, 50).to_pylist()
    names = [f["name"] for f in ELASTICC["fields"]]
    packets = [{name: row.get(name) for name in names} for row in rows]
    found = alerts(*packets)
    assert found["alert_id"].to_pylist() == [row["alertId"] for row in rows]
    assert found["mag"].to_pylist() == pytest.approx(
        [31.4 - 2.5 * math.log10(abs(row["diaSource"]["psFlux"])) for row in rows], abs=1e-3
    )
    assert found["object_id"].to_pylist() == [str(row["SNID"]) for row in rows]


def test_zero_point_agrees_with_the_magnitudes_at_peak_of_the_truth(data_dir):
    offsets = {band: [] for band in "ugrizY"}
    for row in pq.read_table(data_dir / "elasticc/elasticc_sn_like.parquet").to_pylist():
        points = [*(row["prvDiaSources"] or []), row["diaSource"]]
        for point in points:
            if abs(point["midPointTai"] - row["PEAKMJD"]) < 1 and point["psFlux"] > 0:
                band = point["filterName"]
                offsets[band].append(row[f"PEAKMAG_{band}"] + 2.5 * math.log10(point["psFlux"]))
    assert [np.median(found) for found in offsets.values()] == pytest.approx([31.4] * 6, abs=0.05)
