"""ZTF packets to alerts, rule by rule."""

from __future__ import annotations

import math

import numpy as np
import pytest
from alert_rows import CANDIDATE, FORCED, PREVIOUS, ZTF, alert, alerts, curve, ztf_packet
from fastavro_oracle import decode_all, encode

from redpoll.config import Cuts, QualityConfig
from redpoll.schema.bands import BANDS, DETECTION, LOW_QUALITY, UPPER_LIMIT
from redpoll.schema.bands import FORCED as FORCED_KIND
from redpoll.schema.survey import to_alerts

DETECTED = PREVIOUS | {"magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": "t", "rb": 0.9, "nbad": 0}


@pytest.mark.parametrize(("text", "positive"), [("t", True), ("1", True), ("f", False), ("0", False), ("?", None)])
def test_sign_of_the_flux(text, positive):
    found = alert(ztf_packet(isdiffpos=text))
    assert found["is_positive"] is positive
    assert found["flux"] == pytest.approx(36307.805 if positive is not False else -36307.805)


@pytest.mark.parametrize(("fid", "band"), [(1, "g"), (2, "r"), (3, "i"), (0, None), (4, None), (-(2**31), None)])
def test_bands(fid, band):
    assert alert(ztf_packet(fid=fid))["band"] == band


@pytest.mark.parametrize("value", [-999.0, -99999.0, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("magpsf", "mag"), ("sigmapsf", "mag_err"), ("diffmaglim", "limiting_mag"), ("rb", "real_bogus"),
        ("drb", "deep_real_bogus"), ("ssdistnr", "sso_distance_arcsec"), ("distpsnr1", "star_distance_arcsec"),
        ("sgscore1", "star_score"), ("distnr", "reference_distance_arcsec"), ("magnr", "reference_mag"),
        ("sigmagnr", "reference_mag_err"),
    ],
)  # fmt: skip
def test_sentinels_and_what_is_not_finite_are_null(field, column, value):
    assert alert(ztf_packet(**{field: value}))[column] is None


@pytest.mark.parametrize(("score", "found"), [(0.5, None), (0.50001, 0.50001), (0.49999, 0.49999), (0.0, 0.0)])
def test_a_star_score_of_one_half_stands_for_a_source_that_was_not_classified(score, found):
    assert alert(ztf_packet(sgscore1=score))["star_score"] == (found and pytest.approx(found))


def test_a_magnitude_that_is_a_sentinel_gives_no_flux():
    found = alert(ztf_packet(magpsf=-999.0))
    assert found["flux"] is None and found["flux_err"] is None and len(found["light_curve"]) == 1


@pytest.mark.parametrize("mag", [-300.0, 3e38, -3e38])
def test_absurd_magnitudes_warn_of_nothing(mag):
    assert alert(ztf_packet(magpsf=mag, previous=[DETECTED | {"magpsf": mag}]))["flux"] in (None, 0.0)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("null", None),
        ("", None),
        (None, None),
        ("1998 QP", "1998 QP"),
        ("2010CG48", "2010 CG48"),
        ("8467", "8467"),
        ("C/2019Y4", "C/2019 Y4"),
        ("Ceres", "Ceres"),
    ],
)
def test_solar_system_names(name, found):
    assert alert(ztf_packet(ssnamenr=name))["sso_name"] == found


@pytest.mark.parametrize(
    ("nbad", "edge", "flags"), [(0, 10.0, (False, False)), (1, 9.99, (True, True)), (None, None, (None, None))]
)
def test_flags(nbad, edge, flags):
    found = alert(ztf_packet(nbad=nbad, mindtoedge=edge))
    assert (found["has_bad_pixels"], found["is_edge"]) == flags


def test_history_without_magnitude_is_a_five_sigma_limit():
    found = curve(ztf_packet(previous=[PREVIOUS]))
    assert found.kind.tolist() == [UPPER_LIMIT, DETECTION]
    assert np.isnan(found.flux[0]) and found.flux_err[0] == pytest.approx(36307.805 / 5)


@pytest.mark.parametrize("limit", [None, -999.0, -99.0, math.nan])
def test_history_that_says_nothing_is_left_out(limit):
    assert len(curve(ztf_packet(previous=[PREVIOUS | {"diffmaglim": limit}])).mjd) == 1


@pytest.mark.parametrize(
    ("fields", "kind"),
    [({}, DETECTION), ({"rb": 0.5}, LOW_QUALITY), ({"rb": 0.55}, DETECTION), ({"rb": None}, DETECTION),
     ({"nbad": 1}, LOW_QUALITY), ({"nbad": None}, DETECTION)],
)  # fmt: skip
def test_quality_of_history(fields, kind):
    assert curve(ztf_packet(previous=[DETECTED | fields])).kind[0] == kind


@pytest.mark.parametrize("name", ["null", "NULL", "Null", "", "  ", None])
def test_blank_or_null_is_no_name_of_a_solar_system_object(name):
    assert alert(ztf_packet(ssnamenr=name))["sso_name"] is None


@pytest.mark.parametrize(("distance", "found"), [(-1.0, None), (-999.0, None), (0.0, 0.0), (2.5, 2.5), (None, None)])
def test_a_negative_distance_to_a_solar_system_object_is_unknown(distance, found):
    assert alert(ztf_packet(ssdistnr=distance))["sso_distance_arcsec"] == found


@pytest.mark.parametrize(("min_real_bogus", "kind"), [(0.9, LOW_QUALITY), (0.3, DETECTION), (None, DETECTION)])
def test_the_configured_score_decides_the_quality_of_history_and_triggering_detection(min_real_bogus, kind):
    quality = QualityConfig(ztf=Cuts(min_real_bogus=min_real_bogus))
    found = curve(ztf_packet(rb=0.5, previous=[DETECTED | {"rb": 0.5}]), quality)
    assert found.kind.tolist() == [kind, kind]


@pytest.mark.parametrize(("max_bad_pixels", "kind"), [(0, LOW_QUALITY), (2, DETECTION), (None, DETECTION)])
def test_the_configured_bad_pixels_decide_the_quality_of_history(max_bad_pixels, kind):
    quality = QualityConfig(ztf=Cuts(max_bad_pixels=max_bad_pixels))
    assert curve(ztf_packet(previous=[DETECTED | {"nbad": 1}]), quality).kind[0] == kind


def test_the_triggering_detection_is_last_though_history_claims_later_times():
    found = curve(ztf_packet(previous=[DETECTED | {"jd": 2470000.5}, DETECTED]))
    assert found.mjd[0] < found.mjd[2] < found.mjd[1]
    assert found.flux[2] == pytest.approx(36307.805)


def test_two_candidates_of_one_exposure_count_once():
    twice = [DETECTED, DETECTED | {"magpsf": DETECTED["magpsf"] + 0.01}]
    assert len(curve(ztf_packet(previous=twice)).mjd) == 2
    assert len(curve(ztf_packet(previous=[DETECTED] * 7)).mjd) == 2


@pytest.mark.parametrize("history", [None, []])
def test_no_history_leaves_the_triggering_detection(history):
    assert len(curve(ztf_packet(previous=history, forced=history)).mjd) == 1


def test_forced_counts_become_nanojansky():
    found = curve(ztf_packet(forced=[FORCED]))
    assert found.kind.tolist() == [FORCED_KIND, DETECTION]
    assert found.flux[0] == pytest.approx(100 * 10 ** (0.4 * (31.4 - 26))) == pytest.approx(10 * found.flux_err[0])


def test_a_bright_star_that_fades_keeps_its_forced_flux():
    assert curve(ztf_packet(forced=[FORCED | {"forcediffimflux": -250_000.0}])).flux[0] < 0


@pytest.mark.parametrize("fields", [{"forcediffimflux": -99999.0}, {"forcediffimflux": None}, {"magzpsci": None}])
def test_forced_photometry_that_failed_is_left_out(fields):
    assert len(curve(ztf_packet(forced=[FORCED | fields])).mjd) == 1


def test_forced_error_may_be_missing():
    assert np.isnan(curve(ztf_packet(forced=[FORCED | {"forcediffimfluxunc": -99999.0}])).flux_err[0])


@pytest.mark.parametrize("fields", [{"ra": math.nan}, {"dec": math.nan}, {"dec": 91.0}, {"ra": math.inf}])
def test_a_place_that_is_none_has_no_healpix(fields):
    assert alert(ztf_packet(**fields))["hpx29"] is None


@pytest.mark.parametrize("jd", [math.nan, math.inf, 0.0, -1e300, 1e300])
def test_a_time_that_is_none_has_no_night(jd):
    assert alert(ztf_packet(jd=jd))["night"] is None


def without(schema, *names):
    """The schema without these fields, at any depth."""
    if isinstance(schema, list):
        return [without(one, *names) for one in schema]
    if isinstance(schema, dict):
        fields = [without(f, *names) for f in schema.get("fields", []) if f["name"] not in names]
        return {k: without(v, *names) for k, v in schema.items()} | ({"fields": fields} if "fields" in schema else {})
    return schema


def test_what_an_older_schema_lacks_is_null():
    old = without(ZTF, "drb", "sgscore1", "distpsnr1", "jdstarthist", "fp_hists", "ssnamenr", "ndethist", "rb", "nbad")
    packet = ztf_packet(previous=[DETECTED])
    found = to_alerts(decode_all(old, *encode(old, packet)).rows).to_pylist()[0]
    lacking = ("deep_real_bogus", "star_score", "star_distance_arcsec", "first_mjd", "sso_name", "n_detections")
    assert [found[name] for name in lacking] == [None] * len(lacking)
    assert found["has_bad_pixels"] is None and found["light_curve"][0]["kind"] == "detection"


def test_what_a_newer_schema_adds_is_kept_in_the_packet():
    new = ZTF | {"fields": [*ZTF["fields"], {"name": "tags", "type": {"type": "map", "values": "bytes"}}]}
    batch = to_alerts(decode_all(new, *encode(new, ztf_packet() | {"tags": {"a": b"b"}})).rows)
    assert batch["packet"][0].as_py()["tags"] == [("a", b"b")]


def test_the_packet_keeps_all_but_the_cutouts():
    packet = ztf_packet() | {"cutoutScience": {"fileName": "s.fits.gz", "stampData": b"cutout" * 9}}
    found = alert(packet)
    assert found["cutout_science"] == b"cutout" * 9 and found["cutout_template"] is None
    assert found["packet"]["cutoutScience"] == {"fileName": "s.fits.gz"} and found["packet"]["cutoutTemplate"] is None
    assert list(found["packet"]["candidate"]) == list(CANDIDATE)


def test_alerts_of_no_packets_have_the_same_columns():
    assert to_alerts(decode_all(ZTF).rows).schema == alerts(ztf_packet()).schema


def test_bands_of_the_light_curve_are_codes():
    assert curve(ztf_packet()).band.tolist() == [BANDS.index("g")]
