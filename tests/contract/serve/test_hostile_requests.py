"""Whatever is asked, the answer is 2xx, 3xx, 400, 404, 405 or 422: a problem document from the API, a page else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import Get, client

from redpoll.serve.api import models
from redpoll.serve.problems import MEDIA_TYPE

ALERTS = "/api/v2/alerts"


def problem_of(get: Get, path: str, status: int) -> models.Problem:
    answer = get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    found = models.Problem.model_validate_json(answer.content, strict=True)
    assert found.status == status
    return found


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("limmit=5", "near: limit"),
        ("radius=5", "near: radius_arcsec"),
        ("zzz=1", "unknown parameter"),
        ("limit=1000000000", "less than or equal to 1000"),
        ("limit=0", "greater than or equal to 1"),
        ("limit=ten", "valid integer"),
        ("limit=" + "9" * 5000, ""),
        ("ra=nan&dec=0&radius_arcsec=5", "finite"),
        ("ra=1&dec=0&radius_arcsec=nan", "finite"),
        ("ra=1&dec=0&radius_arcsec=inf", "finite"),
        ("ra=1&dec=91&radius_arcsec=5", "less than or equal to 90"),
        ("ra=361&dec=0&radius_arcsec=5", "less than or equal to 360"),
        ("ra=1&dec=0&radius_arcsec=-1", "greater than 0"),
        ("ra=1&dec=0&radius_arcsec=1e9", "less than or equal to"),
        ("format=xml", "'json', 'arrow', 'parquet', 'csv' or 'votable'"),
        ("night=20260310'%20OR%201=1--", "valid integer"),
        ("night=99999999999999999999999", "less than or equal to"),
        ("night=20261345", "a night is a date"),
        ("night=0", "a night is a date"),
        ("survey=nope", "'ztf', 'rubin' or 'elasticc'"),
        ("class_=sn_ia", "unknown parameter; near: class"),
        ("nonsense=1", "known: class, cursor, dec"),
        ("object_id=" + "a" * 500, "at most 200"),
        ("where=" + "a" * 3000, "at most 2000"),
        ("survey=" + "a" * 500, "'ztf', 'rubin' or 'elasticc'"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_name(get: Get, query: str, hint: str) -> None:
    found = problem_of(get, f"{ALERTS}?{query}", 422)
    assert hint in found.detail
    assert found.errors[0]["name"] in query


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("ra=1&dec=2", "missing: radius_arcsec"),
        ("class=sn&dec=2", "missing: ra, radius_arcsec"),
        ("where=mag%20%3C", "where:"),
        ("where=no_such_column%20%3E%201", "no_such_column"),
        ("where=mag%20%2B%201", "where:"),
        ("where=__import__('os')", "where:"),
        ("where=" + "(" * 900 + "1", "where:"),
        ("cursor=AAAA", "cursor"),
        ("cursor=%ff%fe", "cursor"),
        ("cursor=" + quote("eyJhIjoxfQ=="), "cursor"),
    ],
)
def test_conditions_that_cannot_be_answered_are_refused(get: Get, query: str, hint: str) -> None:
    assert hint in problem_of(get, f"{ALERTS}?{query}", 400).detail


def test_a_cursor_of_another_query_is_refused(get: Get) -> None:
    cursor = get(f"{ALERTS}?limit=2").json()["next"]
    problem_of(get, f"{ALERTS}?limit=2&night=20260310&cursor={cursor}", 400)


def test_a_type_that_is_not_offered_is_refused(get: Get) -> None:
    answer = get(ALERTS, Accept="application/pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (400, MEDIA_TYPE)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/objects/nobody",
        "/api/v2/objects/' OR '1'='1",
        "/api/v2/objects/1; DROP TABLE alerts",
        "/api/v2/objects/%00",
        "/api/v2/objects/%ff%fe",
        "/api/v2/objects/%ED%A0%80",
        "/api/v2/objects/..%2f..%2fetc%2fpasswd",
        "/api/v2/objects/",
        "/api/v2/alerts/ztf/1",
        "/api/v2/alerts/ztf/-9223372036854775808",
        "/api/v2/alerts/rubin/1",
        "/api/v2/alerts/ztf/1/cutouts",
        "/api/v2/alerts/ztf/1/cutouts/science",
        "/api/v2/nothing",
        "/api/v3",
        "/static/../app.py",
        "/static/x/..%2f..%2f..%2fapp.py",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/objects/nobody.json",
    ],
)
def test_what_is_not_there_is_not_found(get: Get, path: str) -> None:
    if path.startswith("/static/.."):
        assert get(path).status_code == 404  # a page: the client has resolved the dots
        return
    problem_of(get, path, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/alerts/lsst/1",
        "/api/v2/alerts/ztf/9223372036854775808",
        "/api/v2/alerts/ztf/1e5",
        "/api/v2/alerts/ztf/1?x=1",
        "/api/v2/alerts/ztf/1/cutouts/mask",
        "/api/v2/alerts/ztf/1/cutouts/science?format=jpeg",
        "/api/v2/alerts/ztf/1/cutouts/science?stretch=log",
        "/api/v2/ledger?by=year",
        "/api/v2/topics?nigth=20260310",
        "/api/v2/objects/ZTF26aaaaaaa?limit=-1",
        "/api/v2/objects/" + "a" * 300,
    ],
)
def test_what_cannot_be_understood_is_unprocessable(get: Get, path: str) -> None:
    problem_of(get, path, 422)


def test_writing_is_not_allowed(get: Get) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = get(ALERTS, method)
        assert (answer.status_code, answer.headers["content-type"]) == (405, MEDIA_TYPE)


def test_no_answer_tells_where_the_store_lies(get: Get, store: object) -> None:
    for path in ("/api/v2/objects/nobody", "/objects/nobody", "/api/v2/alerts/ztf/1", "/search?q=nobody"):
        assert str(store) not in get(path).text


def test_other_origins_are_not_let_in(get: Get) -> None:
    answer = get(ALERTS, Origin="https://elsewhere.example")
    assert not [name for name in answer.headers if name.startswith("access-control")]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["/objects/{}", "/api/v2/objects/{}", "/search?q={}", "/?topic={}", "/?night={}", "/static/{}/{}"])
    | st.sampled_from([f"{ALERTS}?{name}={{}}" for name in ("topic", "object_id", "cursor", "ra", "night", "format")])
    | st.sampled_from([f"{ALERTS}/ztf/{{}}", f"{ALERTS}/{{}}/1/cutouts/science", "/objects/ZTF26aaaaaaa?points={}"]),
    st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")),
)
def test_no_request_breaks_the_server(get: Get, path: str, text: bytes) -> None:
    answer = get(path.replace("{}", quote(text, safe="")))
    assert answer.status_code in {200, 303, 307, 400, 404, 422}
    if path.startswith("/api/") and answer.status_code >= 400:
        models.Problem.model_validate_json(answer.content, strict=True)


def test_a_query_that_takes_too_long_is_refused_and_the_next_is_answered(store: Path) -> None:
    hasty, get = client(store, query_seconds=0.0), client(store)
    found = problem_of(hasty, f"{ALERTS}?where=mag%20%3C%2018", 503)
    assert "takes too long" in found.detail
    assert str(store) not in found.detail
    assert get(f"{ALERTS}?limit=1").status_code == 200
