"""Simulated Rubin packets: framing, twelve months of history, objects and asteroids."""

from __future__ import annotations

import io
from itertools import pairwise

import fastavro
import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from redpoll.schema.packet_schemas import packet_schema


def histories(night):
    found = {}
    for packet in night.packets.values():
        found.setdefault(packet["diaSource"]["diaObjectId"], []).append(packet)
    found.pop(None, None)
    return found


def test_packets_are_framed_with_the_schema_id(rubin):
    assert all(raw[:5] == b"\x00" + (1000).to_bytes(4, "big") for raw in rubin.raw.values())


@pytest.mark.parametrize(("version", "schema_id"), [("9.0", 900), ("11.0", 1100), ("11.1", 1101)])
def test_other_schema_versions_decode_to_the_last_byte(tmp_path, make_night, version, schema_id):
    night = make_night(tmp_path, survey="rubin", n_alerts=30, seed=4, schema_version=version)
    assert {int.from_bytes(raw[1:5], "big") for raw in night.raw.values()} == {schema_id}
    orbits = [p["MPCORB" if version == "9.0" else "mpc_orbits"] for p in night.of_class("asteroid")]
    assert any(orbit is not None and orbit["e"] < 1 for orbit in orbits)


def test_glints_leave_trails_as_long_as_their_dashes(make_night, tmp_path):
    night = make_night(tmp_path, survey="rubin", n_alerts=600, seed=3)
    dash = {row["alert_id"]: row["dash_arcsec"] for row in night.truth if row["class"] == "satellite_glint"}
    trail = {p["diaSourceId"]: p["diaSource"]["trailLength"] for p in night.of_class("satellite_glint")}
    assert len(trail) == len(dash) > 3
    assert all(dash[name] <= trail[name] <= np.hypot(dash[name], 3.0) for name in trail)
    assert max(p["diaSource"]["trailLength"] for p in night.of_class("sn_ia")) < 3.0


def test_the_difference_of_a_negative_alert_stays_negative(rubin):
    found = [r for r in rubin.truth if r["flux"] < -20 * r["flux_err"] and r["class"] != "bogus"]
    assert found
    for row in found:
        (image,) = fits.open(io.BytesIO(rubin.packets[row["alert_id"]]["cutoutDifference"]))
        middle = image.data.shape[0] // 2
        assert np.nansum(image.data[middle - 4 : middle + 5, middle - 4 : middle + 5]) < 0


def test_packet_is_what_fastavro_would_write(rubin):
    schema = fastavro.parse_schema(packet_schema("rubin", "10.0"))
    for alert_id, packet in list(rubin.packets.items())[:20]:
        again = io.BytesIO()
        fastavro.schemaless_writer(again, schema, packet)
        assert rubin.raw[alert_id][5:] == again.getvalue()


def test_truth_agrees_with_the_packet(rubin):
    for row in rubin.truth:
        source = rubin.packets[row["alert_id"]]["diaSource"]
        assert source["midpointMjdTai"] == row["mjd"]
        assert source["psfFlux"] == pytest.approx(row["flux"], rel=1e-6)
        assert source["psfFluxErr"] == pytest.approx(row["flux_err"], rel=1e-6)
        assert source["band"] == row["band"]
        assert abs(source["dec"] - row["dec"]) * 3600 < 0.5
        assert str(source["ssObjectId"] or source["diaObjectId"]) == row["object_id"]


def test_the_night_is_the_date_at_noon_twelve_hours_west(rubin):
    for row in rubin.truth:
        local = np.datetime64("1858-11-17T00:00") + np.timedelta64(round((row["mjd"] - 0.5) * 86400), "s")
        assert int(str(local)[:10].replace("-", "")) == row["night"]


def test_an_alert_is_in_the_history_of_the_next_as_it_was_sent(rubin):
    pairs = [pair for alerts in histories(rubin).values() for pair in pairwise(alerts)]
    assert len(pairs) > 30
    for before, after in pairs:
        assert before["diaSource"] in after["prvDiaSources"]


def test_history_is_time_sorted_and_of_the_twelve_months_before(rubin):
    for packet in rubin.packets.values():
        now = packet["diaSource"]["midpointMjdTai"]
        times = {
            name: [entry["midpointMjdTai"] for entry in packet[name] or []]
            for name in ("prvDiaSources", "prvDiaForcedSources")
        }
        assert all(found == sorted(found) and all(now - 365 <= t <= now for t in found) for found in times.values())
        assert now not in times["prvDiaSources"]


def with_whole_history(night):
    """Packets whose history goes back to the object's first detection, each with all its detections in order."""
    for row in night.truth:
        packet = night.packets[row["alert_id"]]
        seen = [*(packet["prvDiaSources"] or []), packet["diaSource"]]
        if len(seen) == row["n_detections"]:
            yield packet, seen


def forced_pairs(packet, seen):
    """Each of these detections with the forced source of its visit, None where there is none."""
    forced = {entry["visit"]: entry for entry in packet["prvDiaForcedSources"] or []}
    return [(entry, forced.get(entry["visit"])) for entry in seen]


def test_forced_sources_begin_with_the_second_detection(rubin):
    n_first = 0
    for packet, seen in with_whole_history(rubin):
        forced = [entry["midpointMjdTai"] for entry in packet["prvDiaForcedSources"] or []]
        assert not forced or (len(seen) > 1 and min(forced) >= seen[1]["midpointMjdTai"])
        n_first += len(forced) > 0 and min(forced) == seen[1]["midpointMjdTai"]
    assert n_first > 10


def test_forced_sources_repeat_nearly_every_detection_the_last_included(rubin):
    pairs = [pair for packet, seen in with_whole_history(rubin) for pair in forced_pairs(packet, seen[1:])]
    found = np.mean([forced is not None for _, forced in pairs])
    assert len(pairs) > 300 and 0.88 < found < 0.98  # real: 94 %
    assert any(
        p["diaSource"]["visit"] in {f["visit"] for f in p["prvDiaForcedSources"] or []} for p in rubin.of_class("agn")
    )


def test_a_forced_source_is_another_measurement_of_the_same_pixels(rubin):
    pairs = [pair for p in rubin.packets.values() for pair in forced_pairs(p, p["prvDiaSources"] or []) if pair[1]]
    pairs = {(s["diaObjectId"], s["visit"]): (s, f) for s, f in pairs}.values()
    faint = [(s, f) for s, f in pairs if s["snr"] < 15]
    change = np.array([(f["psfFlux"] - s["psfFlux"]) / s["psfFluxErr"] for s, f in faint])
    assert len(change) > 100
    assert change.std() == pytest.approx(0.42, abs=0.08)  # real: 0.41 at a signal-to-noise ratio of 10 to 20
    bright = np.array([f["psfFlux"] / s["psfFlux"] - 1 for s, f in pairs if s["snr"] > 100])
    assert bright.std() == pytest.approx(0.0137, rel=0.25)
    assert all(f["psfFluxErr"] == pytest.approx(1.018 * s["psfFluxErr"], rel=1e-5) for s, f in pairs)


def test_some_forced_fluxes_of_bright_stars_are_exactly_zero_where_nothing_is_detected(rubin):
    detected = {(s["diaObjectId"], s["visit"]) for p in rubin.packets.values() for s in p["prvDiaSources"] or []}
    forced = [f for p in rubin.packets.values() for f in p["prvDiaForcedSources"] or []]
    is_bright = np.array([f["scienceFlux"] > 363_000 for f in forced])  # 17.5 mag
    is_quiet = np.array([(f["diaObjectId"], f["visit"]) not in detected for f in forced])
    is_blank = np.array([f["psfFlux"] == 0 for f in forced])
    assert not (is_blank & ~is_quiet).any()
    assert 0.05 < is_blank[is_quiet & is_bright].mean() < 0.25  # real: 14 %
    assert is_blank[is_quiet & ~is_bright].mean() < 0.02


def test_the_object_sums_up_its_detections(rubin):
    for packet in rubin.packets.values():
        if packet["diaObject"] is None:
            continue
        sources = [*(packet["prvDiaSources"] or []), packet["diaSource"]]
        counts = sum(packet["diaObject"][f"{band}_psfFluxNdata"] for band in "ugrizy")
        assert packet["diaObject"]["nDiaSources"] == counts >= len(sources)
        assert packet["diaObject"]["lastDiaSourceMjdTai"] == packet["diaSource"]["midpointMjdTai"]
        g = [s["psfFlux"] for s in sources if s["band"] == "g"]
        if counts == len(sources) and g:
            assert packet["diaObject"]["g_psfFluxMax"] == pytest.approx(max(g))


def test_known_asteroids_have_an_orbit_and_no_object(rubin):
    asteroids = rubin.of_class("asteroid")
    known = [p for p in asteroids if p["ssSource"] is not None]
    assert 0.6 < len(known) / len(asteroids) <= 1
    for packet in known:
        assert packet["diaObject"] is None
        assert packet["diaSource"]["diaObjectId"] is None
        assert packet["ssSource"]["designation"] == packet["mpc_orbits"]["designation"]
        assert packet["ssSource"]["ephOffset"] < 1
        assert 1.8 < packet["mpc_orbits"]["a"] < 5
    assert all(p["diaObject"] is not None for p in rubin.of_class("sn_ia", "bogus", "agn"))


def test_artefacts_carry_the_flags_of_their_kind(rubin):
    kinds = {row["alert_id"]: row["artefact"] for row in rubin.truth if row["class"] == "bogus"}
    for alert_id, kind in kinds.items():
        source = rubin.packets[alert_id]["diaSource"]
        assert source["isDipole"] == (kind == 1)
        assert source["pixelFlags_cr"] == (kind == 2)
        assert (source["dipoleLength"] is None) == (kind != 1)


def test_cutouts_show_the_sky_around_the_source(rubin):
    packet = next(iter(rubin.packets.values()))
    for kind in ("Science", "Template", "Difference"):
        (image,) = fits.open(io.BytesIO(packet[f"cutout{kind}"]))
        assert image.data.shape == (31, 31)
        sky = WCS(image.header).pixel_to_world(15, 15)
        assert sky.ra.deg == pytest.approx(packet["diaSource"]["ra"], abs=1e-6)
        assert sky.dec.deg == pytest.approx(packet["diaSource"]["dec"], abs=1e-6)
