"""Numbers on real alerts, worked out here straight from the packets."""

from __future__ import annotations

import io
import math
import tarfile

import fastavro
import numpy as np
import pyarrow.parquet as pq
import pytest

from redpoll.astro.light_curve_statistics import FEATURES, light_curve_statistics
from redpoll.astro.photometry import mag_err_from_flux
from redpoll.conditions import FINK_ROID
from redpoll.filters.bright_new_transients import bright_new_transients
from redpoll.filters.fast_risers import fast_risers
from redpoll.ingest.decode import Block, PacketDecoder
from redpoll.plugin.graph import Graph
from redpoll.science.age import age
from redpoll.science.colour import colour
from redpoll.science.is_good import is_good
from redpoll.science.light_curve_statistics import light_curve_statistics as statistics_module
from redpoll.science.mag_slope import mag_slope
from redpoll.science.rise_rate import rise_rate
from redpoll.science.roid import roid

SN_2020OI = "ZTF20aaelulu"


@pytest.fixture(scope="module")
def supernova(data_dir):
    """The packets of one supernova as fastavro reads them, and their alerts as the pipeline scores them."""
    with tarfile.open(data_dir / "ztf" / "ztf_sequences.tar.gz") as archive:
        files = [archive.extractfile(member).read() for member in archive]
    packets = [next(fastavro.reader(io.BytesIO(data))) for data in files]
    chosen = [i for i, packet in enumerate(packets) if packet["objectId"] == SN_2020OI]
    batches = PacketDecoder({}.__getitem__)(Block.of([files[i] for i in chosen])).batches
    modules = [age, colour, is_good, mag_slope, rise_rate, roid, statistics_module]
    graph = Graph.build(modules, [bright_new_transients, fast_risers])
    rows = [row for batch, _ in batches for row in graph.run(batch).batch.to_pylist()]
    scored = {row["alert_id"]: row for row in rows}
    return [(packets[i], scored[packets[i]["candid"]]) for i in chosen]


def _detections(packet, fid):
    """Times, magnitudes and errors of the good positive detections in one band, the packet's own last."""
    points = [*(packet["prv_candidates"] or []), packet["candidate"]]
    good = [
        p
        for p in points
        if p["fid"] == fid
        and p["magpsf"] is not None
        and p["isdiffpos"] in ("t", "1")
        and not (p["nbad"] or 0) > 0
        and not (p["rb"] if p["rb"] is not None else 1) < 0.55
    ]
    good = sorted(good[:-1], key=lambda p: p["jd"]) + good[-1:]
    return np.array([[p["jd"], p["magpsf"], p["sigmapsf"]] for p in good]).reshape(-1, 3).T


def test_all_alerts_of_the_supernova_are_there(supernova):
    assert len(supernova) == 47


def test_statistics_are_those_of_its_magnitudes(supernova):
    compared = 0
    for packet, row in supernova:
        for fid, band in ((1, "g"), (2, "r")):
            t, m, sigma = _detections(packet, fid)
            expected = light_curve_statistics(t - 2400000.5, m, sigma, [0, len(t)])[0]
            found = [row[f"{feature}_{band}"] for feature in FEATURES]
            compared += len(t) > 3
            for name, a, b in zip(FEATURES, found, expected, strict=True):
                tolerance = 1e-3 * (1 + abs(b))  # magnitudes come from fluxes in single precision
                assert (a is None and math.isnan(b)) or a == pytest.approx(b, abs=tolerance), name
    assert compared > 40


def test_ages_are_those_of_the_packet(supernova):
    for packet, row in supernova:
        candidate = packet["candidate"]
        assert row["age"] == pytest.approx(candidate["jd"] - candidate["jdstarthist"], abs=1e-3)


def test_rates_are_those_of_the_last_two_epochs(supernova):
    compared = 0
    for packet, row in supernova:
        own, rate = packet["candidate"], row["mag_rate"]
        if rate is None or row["mag_rate_from_limit"]:
            continue
        earlier = [p for p in packet["prv_candidates"] if p["fid"] == own["fid"] and p["magpsf"] is not None]
        days = [own["jd"] - p["jd"] for p in earlier]
        i = int(np.argmin(np.abs(np.array(days) - row["mag_rate_days"])))
        assert rate == pytest.approx((own["magpsf"] - earlier[i]["magpsf"]) / days[i], rel=1e-3, abs=1e-4)
        error = math.hypot(own["sigmapsf"], earlier[i]["sigmapsf"]) / days[i]
        assert row["mag_rate_err"] == pytest.approx(error, rel=1e-3)
        compared += 1
    assert compared > 20


def test_it_rose_fast_and_then_faded_and_reddened(supernova):
    rows = [row for _, row in sorted(supernova, key=lambda pair: pair[0]["candidate"]["jd"])]
    first, later = rows[:3], rows[7:20]
    assert all(row["mag_rate_upper"] < -0.5 for row in first) and all(row["mag_slope"] > 0 for row in later)
    assert rows[2]["colour_g_r"] < 0.2 and max(row["colour_g_r"] for row in later) > 0.9
    assert [row["pass_bright_new_transients"] for row in rows[:5]] == [True, True, True, False, False]
    assert [row["pass_fast_risers"] for row in rows[:5]] == [True, True, False, False, False]


def test_it_is_no_asteroid(supernova):
    assert {row["roid"] for _, row in supernova} <= {"not_sso", "first_detection"}


def test_statistics_are_those_that_fink_published_for_rubin(data_dir):
    """Fink's own values in real packets; but it drops one of two sources at one time, which we keep."""
    path = data_dir / "rubin" / "rubin_v10_2026-03-10_enriched.parquet"
    rows = pq.read_table(path, columns=["diaSource", "prvDiaSources", "lc_features"]).to_pylist()
    compared = 0
    for row in rows:
        for band, theirs in row["lc_features"] or []:
            points = [p for p in [*(row["prvDiaSources"] or []), row["diaSource"]] if p["band"] == band]
            points.sort(key=lambda p: p["midpointMjdTai"])
            t, m, sigma = np.array([[p[k] for k in ("midpointMjdTai", "psfFlux", "psfFluxErr")] for p in points]).T
            if len(np.unique(t)) < len(t):
                continue
            ours = light_curve_statistics(t, m, sigma, [0, len(t)])[0]
            expected = [theirs[{"stetson_k": "stetson_K"}.get(name, name)] for name in FEATURES]
            expected = np.array([math.nan if x is None else x for x in expected])
            np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-7)
            compared += 1
    assert compared > 300


def test_known_asteroids_of_ztf_are_flagged_as_by_fink(data_dir, curves_of_one_point):
    columns = ("ndethist", "sgscore1", "distpsnr1", "ssdistnr")
    table = pq.read_table(
        data_dir / "solar_system" / "mpc_example.parquet", columns=["d:roid", *(f"i:{c}" for c in columns)]
    )
    values = {name: table[f"i:{name}"].to_numpy().astype(float) for name in columns}
    known = {name: np.where(value == -999, np.nan, value) for name, value in values.items()}
    n = table.num_rows
    found = roid(
        np.full(n, "ztf", object), known["ndethist"], known["sgscore1"], known["distpsnr1"], known["ssdistnr"],
        np.full(n, None), curves_of_one_point(n),
    )  # fmt: skip
    assert n > 9000
    assert [FINK_ROID[name] for name in found] == table["d:roid"].to_pylist()


def test_magnitude_errors_survive_the_flux(supernova):
    for packet, row in supernova:
        error = mag_err_from_flux(row["flux"], row["flux_err"])
        assert error == pytest.approx(packet["candidate"]["sigmapsf"], rel=1e-5)
