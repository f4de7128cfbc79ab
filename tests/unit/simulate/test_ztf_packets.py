"""Simulated ZTF packets: the survey's schema, a history that agrees with the alerts before, convincing cutouts."""

from __future__ import annotations

import gzip
import io
from itertools import pairwise

import fastavro
import numpy as np
import pytest
from astropy.io import fits

from redpoll.schema.packet_schemas import packet_schema


def cutout(packet, kind):
    (image,) = fits.open(io.BytesIO(gzip.decompress(packet[f"cutout{kind}"]["stampData"])))
    return image.data.astype(float)


def histories(night):
    """Alerts of each object, in the order of time."""
    found = {}
    for packet in night.packets.values():
        found.setdefault(packet["objectId"], []).append(packet)
    return found


def test_packets_carry_the_schema_of_the_survey(ztf):
    reader = fastavro.reader(io.BytesIO(next(iter(ztf.raw.values()))))
    assert reader.writer_schema["name"] == "ztf.alert"
    ours = packet_schema("ztf", "4.02")
    assert [f["name"] for f in reader.writer_schema["fields"]] == [f["name"] for f in ours["fields"]]
    assert reader.codec == "null"


def test_packet_is_what_fastavro_would_write(ztf, decoded):
    schema = fastavro.parse_schema(packet_schema("ztf", "4.02"))
    for raw in list(ztf.raw.values())[:20]:
        again = io.BytesIO()
        fastavro.schemaless_writer(again, schema, decoded(raw))
        assert raw[:-16].endswith(again.getvalue())


def test_truth_agrees_with_the_packet(ztf):
    for row in ztf.truth:
        packet = ztf.packets[row["alert_id"]]
        candidate = packet["candidate"]
        assert packet["objectId"] == row["object_id"]
        assert packet["candid"] == candidate["candid"] == row["alert_id"]
        assert candidate["jd"] == pytest.approx(row["mjd"] - 37 / 86400 + 2400000.5, abs=1e-8)
        assert abs(candidate["dec"] - row["dec"]) * 3600 < 1.0
        assert candidate["magpsf"] == pytest.approx(31.4 - 2.5 * np.log10(abs(row["flux"])), abs=1e-5)
        assert candidate["sigmapsf"] == pytest.approx(1.0857 * row["flux_err"] / abs(row["flux"]), rel=1e-4)
        assert (candidate["isdiffpos"] == "t") == (row["flux"] > 0)
        assert "ugrizy"[candidate["fid"]] == row["band"]


def test_every_alert_is_a_detection_at_five_sigma(ztf):
    assert all(abs(row["flux"]) >= 5 * row["flux_err"] for row in ztf.truth)
    assert all(9 < packet["candidate"]["magpsf"] < 22 for packet in ztf.packets.values())


def test_history_is_of_the_thirty_days_before(ztf):
    for packet in ztf.packets.values():
        times = [entry["jd"] for entry in packet["prv_candidates"] or []]
        assert times == sorted(times)
        assert all(packet["candidate"]["jd"] - 30 - 1e-6 <= t < packet["candidate"]["jd"] for t in times)


def test_history_holds_detections_and_upper_limits(ztf):
    entries = [entry for packet in ztf.packets.values() for entry in packet["prv_candidates"] or []]
    limits = [entry for entry in entries if entry["candid"] is None]
    assert 0.1 < len(limits) / len(entries) < 0.9
    assert all(entry["magpsf"] is None and entry["diffmaglim"] > 15 for entry in limits)
    assert all(entry["magpsf"] > 9 and entry["ra"] is not None for entry in entries if entry["candid"] is not None)


def test_an_alert_is_in_the_history_of_the_next_as_it_was_sent(ztf):
    pairs = [pair for alerts in histories(ztf).values() for pair in pairwise(alerts)]
    assert len(pairs) > 30
    for before, after in pairs:
        past = {entry["candid"]: entry for entry in after["prv_candidates"]}
        entry = past[before["candid"]]
        assert {k: v for k, v in entry.items() if not k.startswith("ss")} == {
            k: before["candidate"][k] for k in entry if not k.startswith("ss")
        }


def test_two_alerts_of_an_object_tell_the_same_past(ztf):
    for alerts in histories(ztf).values():
        for before, after in pairwise(alerts):
            late = {entry["jd"]: entry for entry in after["prv_candidates"]}
            shared = [entry for entry in before["prv_candidates"] or [] if entry["jd"] in late]
            assert all(late[entry["jd"]] == entry for entry in shared)
            assert before["candidate"]["jdstarthist"] == after["candidate"]["jdstarthist"]
            assert after["candidate"]["ndethist"] > before["candidate"]["ndethist"]


def test_forced_photometry_agrees_with_the_detections(ztf):
    compared = 0
    for packet in ztf.packets.values():
        forced = {entry["jd"]: entry for entry in packet["fp_hists"] or []}
        for entry in packet["prv_candidates"] or []:
            if entry["candid"] is None:
                continue
            point = forced[entry["jd"]]
            if point["procstatus"] in ("61", "55"):
                continue
            mag = point["magzpsci"] - 2.5 * np.log10(abs(point["forcediffimflux"]))
            assert mag == pytest.approx(entry["magpsf"], abs=1e-4)
            compared += 1
    assert compared > 200


def test_forced_photometry_comes_newest_first_and_fails_as_real_ones_do(ztf):
    points = [point for packet in ztf.packets.values() for point in packet["fp_hists"] or []]
    failed = [point["procstatus"] in ("61", "55") for point in points]
    assert all(
        [p["jd"] for p in packet["fp_hists"] or []] == sorted((p["jd"] for p in packet["fp_hists"] or []), reverse=True)
        for packet in ztf.packets.values()
    )
    assert 0.05 < np.mean(failed) < 0.35
    assert all((point["forcediffimflux"] == -99999.0) == bad for point, bad in zip(points, failed, strict=True))
    assert {point["procstatus"] for point in points} >= {"0", "61", "56"}


def test_forced_errors_of_faint_sources_are_less_than_those_of_detections(ztf):
    ratio = []
    for packet in ztf.packets.values():
        for point in packet["fp_hists"] or []:
            faint = 10 ** (0.4 * (point["magzpsci"] - point["diffmaglim"])) / 5
            if point["forcediffimfluxunc"] > 0 and abs(point["forcediffimflux"]) < 5 * faint:
                ratio.append(point["forcediffimfluxunc"] / faint)
    # 0.61 to 0.66 in the middle half of 147 real points
    assert 0.61 < np.median(ratio) < 0.68


def test_objects_of_one_exposure_and_detector_fail_together(ztf):
    status = {}
    for packet in ztf.packets.values():
        for point in packet["fp_hists"] or []:
            status.setdefault((point["field"], point["rcid"], point["jd"]), set()).add(point["procstatus"])
    assert all(len(found) == 1 for found in status.values())


def test_a_transient_was_not_seen_before_it_began(ztf):
    for row in ztf.truth:
        if row["class"] in ("sn_ii", "sn_ibc"):
            assert row["first_mjd"] >= row["explosion_mjd"]


def test_each_sighting_of_an_asteroid_is_its_own_object(ztf):
    rows = [row for row in ztf.truth if row["class"] == "asteroid"]
    assert len({row["object_id"] for row in rows}) == len(rows)
    assert len({row["unit_id"] for row in rows}) < len(rows)
    named = [p for p in ztf.of_class("asteroid") if p["candidate"]["ssnamenr"] != "null"]
    assert 0.6 < len(named) / len(rows) <= 1
    assert all(0 <= p["candidate"]["ssdistnr"] < 10 for p in named)
    assert all(p["candidate"]["ssnamenr"] == "null" for p in ztf.of_class("sn_ia", "rr_lyrae", "bogus"))


def test_artefacts_look_less_real_than_sources(ztf):
    bogus = [p["candidate"]["rb"] for p in ztf.of_class("bogus")]
    real = [p["candidate"]["rb"] for p in ztf.of_class("rr_lyrae", "sn_ia", "agn")]
    assert np.median(bogus) < 0.5 < np.median(real)
    assert max(bogus) > min(real)


def test_stars_lie_on_stars_and_supernovae_near_galaxies(ztf):
    stars = [p["candidate"] for p in ztf.of_class("rr_lyrae", "eclipsing_binary", "long_period_variable")]
    assert np.median([c["distpsnr1"] for c in stars]) < 0.5
    assert np.median([c["sgscore1"] for c in stars]) > 0.9
    assert np.median([c["sgscore1"] for c in ztf_candidates(ztf, "sn_ia")]) < 0.5


def ztf_candidates(night, *names):
    return [packet["candidate"] for packet in night.of_class(*names)]


def test_cutouts_are_images_of_the_survey_size(ztf):
    packet = next(iter(ztf.packets.values()))
    for kind in ("Science", "Template", "Difference"):
        assert cutout(packet, kind).shape == (63, 63)


def test_the_difference_holds_the_flux_and_the_template_does_not(ztf):
    passing = ("asteroid", "satellite_glint")
    bright = [r for r in ztf.truth if r["class"] in passing and r["flux"] > 15 * r["flux_err"]]
    bright = [r for r in bright if not 0 <= ztf.packets[r["alert_id"]]["candidate"]["distpsnr1"] < 6]  # no neighbour
    assert len(bright) > 3
    for row in bright:
        packet = ztf.packets[row["alert_id"]]
        counts = row["flux"] * 10 ** (0.4 * (packet["candidate"]["magzpsci"] - 31.4))
        light = {kind: cutout(packet, kind)[28:35, 28:35] for kind in ("Difference", "Template")}
        sky = np.nanmedian(cutout(packet, "Template"))
        # seven pixels hold nine tenths of the light and twice the noise of a point-source fit
        assert light["Difference"].sum() == pytest.approx(0.92 * counts, rel=0.4)
        assert abs((light["Template"] - sky).sum()) < 0.4 * counts


def test_the_difference_of_a_negative_alert_is_turned_over(ztf):
    found = [r for r in ztf.truth if r["flux"] < -20 * r["flux_err"] and r["class"] != "bogus"]
    assert len(found) > 3
    for row in found:
        packet = ztf.packets[row["alert_id"]]
        assert packet["candidate"]["isdiffpos"] in ("f", "0")
        light = cutout(packet, "Difference")
        assert np.nansum((light - np.nanmedian(light))[28:35, 28:35]) > 0


def test_edges_of_the_detector_have_no_data(ztf):
    for packet in ztf.packets.values():
        near = packet["candidate"]["mindtoedge"] < 29
        far = packet["candidate"]["mindtoedge"] > 33
        blank = np.isnan(cutout(packet, "Science")).any()
        assert (blank or not near) and not (blank and far)


def test_the_older_schema_has_no_forced_photometry(tmp_path, make_night):
    night = make_night(tmp_path, survey="ztf", n_alerts=20, seed=2, schema_version="3.3")
    packet = next(iter(night.packets.values()))
    assert packet["schemavsn"] == "3.3"
    assert "fp_hists" not in packet
    assert packet["candidate"]["drb"] is not None


def test_the_number_of_exposures_grows_and_counts_all_programmes_since_2018(ztf):
    counts = [packet["candidate"]["ncovhist"] for packet in ztf.packets.values()]
    assert 1500 < np.median(counts) < 3500  # real packets of 2025: 2164
    assert np.std(np.log(counts)) > 0.3
    for packets in histories(ztf).values():
        for before, after in pairwise(p["candidate"] for p in sorted(packets, key=lambda p: p["candidate"]["jd"])):
            assert after["ncovhist"] > before["ncovhist"] >= before["ndethist"]
