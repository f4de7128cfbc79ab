"""The facts that docs/explanation/one-alert.md tells of SN 2020oi, on the real packets."""

from __future__ import annotations

from collections import Counter

import pytest

from redpoll.config import Config, RunConfig
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night
from redpoll.store import open_store
from redpoll.testing.store_rows import alert_rows, classification_rows, full_alert, object_row

FIRST = 1101542291015015004


@pytest.fixture(scope="module")
def store(data_dir, tmp_path_factory):
    path = tmp_path_factory.mktemp("oi")
    report = run_night(
        open_sources([data_dir / "ztf" / "ztf_sequences.tar.gz"]), path, Config(run=RunConfig(workers=0))
    )
    assert (report.received, report.stored, dict(report.reasons)) == (250, 237, {"cut: real_bogus < 0.55": 13})
    with open_store(path) as opened:
        yield opened


def test_the_row_of_the_first_alert(store):
    row = full_alert(store, FIRST, "ztf")
    assert (row["band"], row["is_positive"], row["sso_name"], row["sso_distance_arcsec"]) == ("r", True, None, None)
    assert row["mjd"] == pytest.approx(58855.54272, abs=1e-5)
    assert row["flux"] == pytest.approx(444681, rel=1e-6)
    assert (len(row["light_curve"]), len(row["packet"]["prv_candidates"])) == (12, 11)
    assert row["packet"]["candidate"]["jd"] == pytest.approx(2458856.0422917, abs=1e-7)


def test_what_the_modules_and_filters_say_of_it(store):
    row = full_alert(store, FIRST, "ztf")
    assert row["age"] == pytest.approx(0.083, abs=5e-4)
    assert (row["mag_rate"], row["mag_rate_err"]) == (pytest.approx(-1.44, abs=5e-3), pytest.approx(0.36, abs=5e-3))
    assert (row["mag_rate_upper"], row["mag_rate_from_limit"]) == (pytest.approx(-1.10, abs=5e-3), True)
    assert (row["roid"], row["colour_g_r"], row["mag_slope"]) == ("not_sso", None, None)
    assert store.alerts.provenance(FIRST, "ztf")["mag_rate"] == "rise_rate@3"
    topics = {alert["alert_id"]: set(alert["topics"]) for alert in alert_rows(store, object_ids=["ZTF20aaelulu"])}
    assert {"bright_new_transients", "fast_risers"} <= topics[FIRST]
    assert sum("fast_risers" in t for t in topics.values()) == 2


def test_the_object_and_its_merged_light_curve(store):
    found = object_row(store, "ZTF20aaelulu")
    assert found["n_alerts"] == 47
    assert [round(found[k], 2) for k in ("last_mag_g", "last_mag_r", "min_peak_mag")] == [18.61, 18.51, 13.86]
    kinds = Counter(store.objects.light_curve("ZTF20aaelulu")["kind"].to_pylist())
    assert kinds == {"detection": 54, "upper_limit": 17, "low_quality": 2}


def test_no_source_assigns_a_class_of_stars(store):
    names = {row["name"] for row in classification_rows(store, "ZTF20aaelulu")}
    assert names <= {
        "sn",
        "sn_ibc",
        "fast_transient",
    }
