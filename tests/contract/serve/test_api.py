"""The API keeps its word: documented shapes, pages that join up, formats that agree."""

from __future__ import annotations

import base64
import io
import json
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter
from served import Get
from synthetic_night import MJD, NIGHT, TOPICS

from redpoll.astro.cutout_file import read_cutout
from redpoll.serve.api import models
from redpoll.serve.problems import MEDIA_TYPE

OBJECT = "ZTF26aaaaaaa"


@pytest.fixture(scope="module")
def alert(get: Get) -> dict[str, object]:
    return get(f"/api/v2/alerts?object_id={OBJECT}&limit=1").json()["alerts"][0]


@pytest.mark.parametrize(
    ("path", "model"),
    [
        (f"/api/v2/objects/{OBJECT}", models.ObjectAnswer),
        (f"/objects/{OBJECT}.json", models.ObjectAnswer),
        ("/api/v2/alerts", models.AlertPage),
        ("/api/v2/ledger", models.LedgerAnswer),
        ("/api/v2/ledger?by=run", models.LedgerAnswer),
        ("/api/v2/topics", models.Topics),
        ("/healthz", models.Health),
    ],
)
def test_answers_have_the_documented_shape(get: Get, path: str, model: type[models.Answer]) -> None:
    model.model_validate_json(get(path).raise_for_status().content, strict=True)


def test_one_alert_has_the_documented_shape(get: Get, alert: dict[str, object]) -> None:
    answer = get(f"/api/v2/alerts/ztf/{alert['alert_id']}").raise_for_status()
    full = models.FullAlert.model_validate_json(answer.content, strict=True)
    assert full.columns["p_early_ia"].by == "early_ia@1"
    assert full.columns["mag"].by == "candidate.magpsf"
    assert full.alert["packet"]["candid"] == alert["alert_id"]
    assert sorted(full.cutouts) == ["difference", "science", "template"]
    assert not any("cutout" in name for name in full.alert)


def test_every_route_is_documented_with_its_problems(get: Get) -> None:
    paths = get("/openapi.json").json()["paths"]
    assert len([p for p in paths if p.startswith("/api/v2/")]) == 7
    for path, operations in paths.items():
        if path.startswith("/api/"):
            assert {"400", "404", "422", "503"} <= set(operations["get"]["responses"])


def test_identifiers_are_strings_in_json(get: Get, alert: dict[str, object]) -> None:
    assert alert["alert_id"] == str(int(str(alert["alert_id"])))
    assert isinstance(alert["hpx29"], str)


def test_a_limit_has_no_flux_but_a_noise(get: Get) -> None:
    curve = get(f"/api/v2/objects/{OBJECT}").json()["light_curve"]
    limits = [i for i, kind in enumerate(curve["kind"]) if kind == "upper_limit"]
    assert limits
    assert all(curve["flux"][i] is None and curve["flux_err"][i] > 0 for i in limits)
    assert curve["mjd"] == sorted(curve["mjd"])


def test_json_has_no_nan(get: Get) -> None:
    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is no JSON")

    body = json.loads(get("/api/v2/alerts?limit=1000").text, parse_constant=refuse)
    assert any(row["rise_rate"] is None for row in body["alerts"])


@pytest.mark.parametrize("question", ["", f"night={NIGHT}", f"topic={TOPICS[0]}", f"object_id={OBJECT}"])
@pytest.mark.parametrize("limit", [1, 4, 7])
def test_pages_join_up(get: Get, question: str, limit: int) -> None:
    whole = get(f"/api/v2/alerts?limit=1000&{question}").json()
    assert whole["next"] is None
    ids, cursor = [], ""
    while cursor is not None:
        page = get(f"/api/v2/alerts?limit={limit}&{question}" + (f"&cursor={cursor}" if cursor else "")).json()
        ids += [row["alert_id"] for row in page["alerts"]]
        cursor = page["next"]
    assert ids == [row["alert_id"] for row in whole["alerts"]]


def test_pages_of_a_cone_join_up_from_near_to_far(get: Get, alert: dict[str, object]) -> None:
    cone = f"/api/v2/alerts?ra={alert['ra']}&dec={alert['dec']}&radius_arcsec=18000"
    whole = get(f"{cone}&limit=1000").json()["alerts"]
    first = get(f"{cone}&limit=5").json()
    second = get(f"{cone}&limit=1000&cursor={first['next']}").json()
    assert [row["alert_id"] for row in first["alerts"] + second["alerts"]] == [row["alert_id"] for row in whole]
    assert [row["separation_arcsec"] for row in whole] == sorted(row["separation_arcsec"] for row in whole)
    assert len(whole) >= 12


@pytest.mark.parametrize("limit", [1, 5, 1000])
def test_conditions_are_joined(get: Get, alert: dict[str, object], limit: int) -> None:
    everything = get("/api/v2/alerts?limit=1000").json()["alerts"]
    cone = f"ra={alert['ra']}&dec={alert['dec']}&radius_arcsec=18000"
    near = {row["alert_id"] for row in get(f"/api/v2/alerts?{cone}&limit=1000").json()["alerts"]}
    where = "mag < 18.5 and lc_mean_g > -1000 or n_detections > 3"
    for question, is_found in {
        f"class=sn&topic={TOPICS[1]}": lambda row: TOPICS[1] in row["topics"] and _is_sn(row),
        f"class=sn&object_id={OBJECT}&night={NIGHT}": lambda row: row["object_id"] == OBJECT and _is_sn(row),
        f"class=sn&{cone}": lambda row: row["alert_id"] in near and _is_sn(row),
        f"survey=ztf&where={quote('mag < 18.5')}&{cone}": lambda row: (
            row["survey"] == "ztf" and row["mag"] is not None and row["mag"] < 18.5 and row["alert_id"] in near
        ),
    }.items():
        found, cursor = [], ""
        while cursor is not None:
            page = get(f"/api/v2/alerts?limit={limit}&{question}" + (f"&cursor={cursor}" if cursor else "")).json()
            found += [row["alert_id"] for row in page["alerts"]]
            cursor = page["next"]
        assert len(found) == len(set(found)) > 0, question
        assert set(found) == {row["alert_id"] for row in everything if is_found(row)}, question
    assert get(f"/api/v2/alerts?class=sn&{cone}&where={quote(where)}").status_code == 200


def _is_sn(row: dict[str, Any]) -> bool:
    return any(found["name"] in ("sn", "sn_ia") for found in row["classes"])


def test_the_link_header_leads_on_in_every_format(get: Get) -> None:
    answer = get("/api/v2/alerts?limit=3&format=arrow")
    following = httpx.URL(answer.links["next"]["url"])
    page = pa.ipc.open_stream(get(following.raw_path.decode()).content).read_all()
    expected = [row["alert_id"] for row in get("/api/v2/alerts?limit=6").json()["alerts"]][3:]
    assert [str(i) for i in page["alert_id"].to_pylist()] == expected


@pytest.mark.parametrize("by", ["format", "accept"])
def test_all_formats_hold_the_same_alerts(get: Get, by: str) -> None:
    def fetch(format: str, media_type: str) -> bytes:
        answer = get(f"/api/v2/alerts?format={format}") if by == "format" else get("/api/v2/alerts", Accept=media_type)
        assert answer.headers["content-type"].split(";")[0] == media_type
        return answer.raise_for_status().content

    rows = json.loads(fetch("json", "application/json"))["alerts"]
    arrow = pa.ipc.open_stream(fetch("arrow", "application/vnd.apache.arrow.stream")).read_all()
    parquet = pq.read_table(io.BytesIO(fetch("parquet", "application/vnd.apache.parquet")))
    csv = pa.csv.read_csv(io.BytesIO(fetch("csv", "text/csv")))
    assert arrow.equals(parquet)
    assert arrow.schema.field("mag").metadata[b"unit"] == b"mag"
    for table in (arrow, csv):
        assert [str(i) for i in table["alert_id"].to_pylist()] == [row["alert_id"] for row in rows]
        expected = np.array([row["mag"] for row in rows], np.float32)
        np.testing.assert_array_equal(table["mag"].to_numpy().astype(np.float32), expected)
    assert csv["topics"].to_pylist()[0] == " ".join(rows[0]["topics"])


def test_a_class_is_searched_for_with_all_its_kinds(get: Get) -> None:
    for name in ("sn_ia", "sn", "extragalactic"):
        found = get(f"/api/v2/alerts?class={name}&night={NIGHT}&limit=5").raise_for_status().json()
        assert [row["object_id"] for row in found["alerts"]] == [OBJECT] * 5
        rest = get(f"/api/v2/alerts?class={name}&night={NIGHT}&limit=100&cursor={found['next']}").json()
        assert len(rest["alerts"]) == 7
    assert get("/api/v2/alerts?class=tde").json()["alerts"] == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("class=sn_la", "near: sn_"),
        ("class_=sn", "class_"),
    ],
)
def test_a_class_that_cannot_be_asked_for_is_refused(get: Get, query: str, message: str) -> None:
    answer = get(f"/api/v2/alerts?{query}")
    assert (answer.status_code // 100, message in answer.text) == (4, True), answer.text


def test_an_object_has_its_classes_with_their_sources(get: Get) -> None:
    agn, sn_ia = get(f"/api/v2/objects/{OBJECT}").json()["classes"]
    assert (agn["name"], agn["by"], agn["n_alerts"], agn["max_probability"]) == ("agn", "milliquas@8", 12, None)
    assert (sn_ia["name"], sn_ia["last_probability"], sn_ia["last_mjd"]) == ("sn_ia", 0.93, MJD)


def test_classes_come_in_every_format(get: Get) -> None:
    ask = f"/api/v2/alerts?object_id={OBJECT}&limit=1&format="
    row = get(ask + "json").json()["alerts"][0]
    assert [assigned["name"] for assigned in row["classes"]] == ["agn", "sn_ia"]
    csv = pa.csv.read_csv(io.BytesIO(get(ask + "csv").content))
    assert csv["classes"].to_pylist() == ["agn::milliquas@8 sn_ia:0.93:early_ia@1"]
    parquet = pq.read_table(io.BytesIO(get(ask + "parquet").content))
    assert parquet["classes"][0].as_py()[1]["probability"] == pytest.approx(0.93)


@pytest.mark.parametrize("format", ["arrow", "parquet", "csv", "json"])
def test_no_alert_is_an_empty_answer_in_every_format(get: Get, format: str) -> None:
    assert get(f"/api/v2/alerts?night=19990101&format={format}").status_code == 200


def test_a_cutout_is_the_survey_s_fits_file(get: Get, alert: dict[str, object]) -> None:
    answer = get(f"/api/v2/alerts/ztf/{alert['alert_id']}/cutouts/science")
    assert answer.headers["content-type"] == "application/fits"
    assert answer.content.startswith(b"SIMPLE  =")
    assert read_cutout(answer.content).shape == (63, 63)


def test_cutouts_for_a_page_are_the_same_pixels(get: Get, alert: dict[str, object]) -> None:
    stem = f"/api/v2/alerts/ztf/{alert['alert_id']}/cutouts"
    answer = get(stem)
    cutouts = TypeAdapter(dict[str, models.CutoutPixels]).validate_json(answer.content)
    assert len(answer.content) < 35_000
    for kind, cutout in cutouts.items():
        pixels = read_cutout(get(f"{stem}/{kind}").content)
        packed = np.frombuffer(base64.b64decode(cutout.pixels), "<u2").reshape(cutout.height, cutout.width)
        drawn = cutout.low + (cutout.high - cutout.low) * packed / 65534
        step = (cutout.high - cutout.low) / 65534
        np.testing.assert_allclose(drawn, np.clip(pixels, cutout.low, cutout.high), atol=step)


def test_a_cutout_is_also_a_picture(get: Get, alert: dict[str, object]) -> None:
    for stretch in ("asinh", "linear"):
        answer = get(f"/api/v2/alerts/ztf/{alert['alert_id']}/cutouts/difference?format=png&stretch={stretch}")
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")


def test_the_ledger_balances(get: Get) -> None:
    rows = get("/api/v2/ledger").json()["ledger"]
    assert {row["night"] for row in rows} == {NIGHT, None}
    for row in rows:
        assert row["received"] == row["stored"] + row["duplicate"] + row["rejected"]


def test_topics_count_what_the_query_finds(get: Get) -> None:
    for topic, n in get(f"/api/v2/topics?night={NIGHT}").json()["topics"].items():
        assert len(get(f"/api/v2/alerts?topic={topic}&night={NIGHT}&limit=1000").json()["alerts"]) == n


def test_an_object_says_what_its_columns_mean(get: Get) -> None:
    answer = get(f"/api/v2/objects/{OBJECT}").json()
    assert answer["columns"]["rise_rate"] == {
        "label": "Rise rate",
        "dtype": "float32",
        "unit": "mag/day",
        "doc": "Slope of the last points; negative is brightening.",
        "ucd": "",
        "by": "rise_rate@2",
    }
    assert answer["object"]["n_alerts"] == 12
    assert answer["object"]["last_mjd"] == pytest.approx(MJD)
    assert set(answer["alerts"][0]) <= set(answer["columns"])


def test_problems_have_their_own_media_type(get: Get) -> None:
    answer = get("/api/v2/objects/nobody")
    assert answer.headers["content-type"] == MEDIA_TYPE
    models.Problem.model_validate_json(answer.content, strict=True)
