"""Pages: what they show, what they never do, and that they live while a run writes."""

from __future__ import annotations

import gzip
import logging
import re
import sqlite3
import threading
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from served import Get, client
from synthetic_night import (
    SyntheticObject,
    batch_of,
    commit,
    long_object,
    make_store,
    night_objects,
    supernova,
)

from redpoll.schema.light_curve import LightCurves
from redpoll.serve.door import StoreDoor
from redpoll.serve.portal import tonight
from redpoll.serve.portal.assets import Assets
from redpoll.serve.portal.groups import groups_of
from redpoll.store import open_store
from redpoll.store.pool import POOL_SIZE
from redpoll.store.records import Commit, LedgerEntry

OBJECT = "/objects/ZTF26aaaaaaa"
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Tags(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


PAGES = [
    "/",
    "/?topic=all",
    "/?topic=fast_risers",
    "/?class=sn_ia",
    "/?night=19990101",
    OBJECT,
    "/objects/nobody",
    "/nothing",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_inline_script_or_style_and_loads_nothing_from_elsewhere(get: Get, path: str) -> None:
    for tag, attributes in Tags(get(path).text).tags:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert tag != "style"
        assert tag != "script" or "src" in attributes or attributes.get("type") == "application/json"
        if tag in ("script", "img", "link", "source", "iframe"):
            assert (attributes.get("src") or attributes.get("href") or "/").startswith("/")


@pytest.mark.parametrize("path", [*PAGES, "/api/v2/alerts", "/healthz", "/static/x/y", "/search?q=nobody"])
def test_every_answer_carries_the_security_headers(get: Get, path: str) -> None:
    headers = get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_tonight_shows_the_books_the_topics_and_the_candidates(get: Get) -> None:
    page = Tags(get("/").text)
    text = " ".join(page.text.split())
    assert "Night of 2026-03-10" in text
    assert re.search(r"75 received = 59 stored \+ 3 duplicate \+ 13 rejected", text)
    assert "9 real_bogus < 0.55" in text
    assert "2 packets without a known night" in text
    assert text.count("fast_risers") > 2
    assert {"class": "spark"}.items() <= next(
        a for t, a in page.tags if t == "svg" and a.get("class") == "spark"
    ).items()
    assert any(a.get("href") == "/objects/ZTF26aaaaaaa" for _, a in page.tags)


def test_a_topic_shows_its_own_alerts_only(get: Get) -> None:
    answer = get("/tonight.json?topic=fast_risers").json()
    assert answer["candidates"]
    assert all("fast_risers" in row["topics"] for row in answer["candidates"])


def test_tonight_counts_classes_and_shows_those_of_one_with_its_kinds(get: Get) -> None:
    counts = get("/tonight.json").json()["classes"]
    assert (counts["agn"], counts["sn_ia"]) == (12, 12) and len(counts) > 12
    page = Tags(get("/?class=sn").text)
    text = " ".join(page.text.split())
    assert "Latest of Supernova" in text and f"{len(counts) - 12} more" in text
    links = {a.get("href"): a.get("aria-current") for t, a in page.tags if t == "a"}
    assert links["/?night=20260310&class=sn_ia#latest-title"] is None and "page" not in links.values()
    for name in ("sn", "sn_ia"):
        rows = get(f"/tonight.json?class={name}").json()["candidates"]
        assert [row["object_id"] for row in rows] == ["ZTF26aaaaaaa"]
    chosen = [a["href"] for t, a in Tags(get("/?class=sn_ia").text).tags if a.get("aria-current") == "true"]
    assert chosen == ["/?night=20260310&class=sn_ia#latest-title"]


def test_tonight_without_alerts_of_a_class_says_so_and_refuses_a_topic_beside_it(get: Get) -> None:
    page = get("/?class=kilonova&night=19990101")
    assert page.status_code == 200 and "No alerts of" in page.text
    for page in ("/", "/tonight.json"):
        assert get(f"{page}?class=sn_ia&topic=fast_risers").status_code == 400


@pytest.mark.parametrize("path", ["/", "/?topic=all", "/?class=agn"])
def test_tonight_is_small(get: Get, path: str) -> None:
    assert len(gzip.compress(get(path).content, 6)) < 30_000


def test_an_object_s_page_can_be_read_without_javascript(get: Get) -> None:
    page = get(OBJECT).text
    text = " ".join(Tags(page).text.split())
    for part in (
        "12 alerts",
        "Light curve",
        "ICRS",
        "Probability: early ia",
        "early_ia@1",
        "Slope of the last points",
        "18.90 ± 0.06",
    ):
        assert part in text
    assert page.count("<noscript><img") == 3
    assert page.count('class="points"') >= 4  # one path for each band and kind of point
    older = " ".join(Tags(get(f"{OBJECT}?points=2").text).text.split())
    assert re.search(r"g > 20\.\d\d – ± [\d,]+ upper limit", older)


def test_contradicting_classes_of_an_object_are_shown_side_by_side(get: Get) -> None:
    page = get(OBJECT).text
    text = " ".join(Tags(page).text.split())
    assert re.search(r"What is it\? .* Active galactic nucleus Galaxy < Extragalactic – milliquas@8 20", text)
    assert re.search(r"Supernova of type Ia .* 0\.93 early_ia@1 \d{4}-\d\d-\d\d 2026-03-10 12 ", text)
    other = next(r for r in get("/api/v2/alerts?topic=fast_risers").json()["alerts"] if r["object_id"] not in OBJECT)
    assert "No classifications" in get(f"/objects/{other['object_id']}").text


def test_groups_without_values_come_last_and_are_closed(get: Get) -> None:
    opened = [("open" in a) for t, a in Tags(get(OBJECT).text).tags if t == "details"]
    groups = groups_of(
        {"mag": 1.0, "a": None, "b": False, "c": 2.0},
        {name: dict.fromkeys(("label", "dtype", "unit", "doc", "by"), name) for name in ("mag", "a", "b", "c")},
        {"a": "first@1", "b": "second@1", "c": "third@1"},
    )
    assert opened[0]
    assert [(g.title, g.is_empty) for g in groups] == [
        ("third@1", False), ("Brightness", False), ("first@1", True), ("second@1", True),
    ]  # fmt: skip


def test_the_cutouts_have_one_box_with_the_address_of_their_pixels(get: Get) -> None:
    boxes = [a for t, a in Tags(get(OBJECT).text).tags if "images" in str(a.get("class")).split()]
    assert [str(a["data-source"]).endswith("/cutouts") for a in boxes] == [True]


def test_a_quantity_has_a_label_and_its_column_in_the_tooltip(get: Get) -> None:
    page = get(OBJECT).text
    assert re.search(r'<th scope="row" title="mag_err">Error of magnitude</th>', page)
    shown = [a["title"] for t, a in Tags(page).tags if t == "th" and a.get("title")]
    assert len(shown) > 10 and not re.search(r'<th scope="row"[^>]*>\w+_\w+</th>', page)


@pytest.mark.parametrize("page", ["/", "/tonight.json"])
def test_an_unknown_class_or_topic_is_an_error_that_names_the_near_ones(get: Get, page: str) -> None:
    class_, topic = get(f"{page}?class=kilonva"), get(f"{page}?topic=fast_riser")
    assert class_.status_code == 400 and "kilonova" in class_.text
    assert topic.status_code == 404 and "fast_risers" in topic.text
    assert get(f"{page}?topic=all").status_code == 200


def test_an_empty_class_explains_where_classes_come_from(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "redpoll catalog list" in get("/?class=comet").text
    monkeypatch.setattr(tonight, "scores_of", lambda reader, class_: [("p_comet", "Probability: Comet")])
    page = get("/?class=comet").text
    assert "until a model is promoted for its module" in page and "<code>p_comet</code>" in page
    assert "until a model" not in get("/?class=sn_ia").text


def test_the_scores_of_a_class_are_those_of_its_subclasses_too() -> None:
    names = ("mag", "p_sn", "p_early_sn_ia", "p_kilonova", "p_", "p_rr_lyrae", "pass_sn")
    schema = pa.schema([pa.field(name, pa.float32()) for name in names])
    reader = SimpleNamespace(alerts=SimpleNamespace(schema=lambda: schema))
    assert [name for name, _ in tonight.scores_of(reader, "sn")] == ["p_sn", "p_early_sn_ia"]
    assert [name for name, _ in tonight.scores_of(reader, "rr_lyrae")] == ["p_rr_lyrae"]


def test_every_night_is_reached_by_links(tmp_path: Path) -> None:
    store, nights = make_store(tmp_path / "store", night_objects(1)), [20260100 + i for i in range(1, 29)]
    with open_store(store, mode="write") as opened:
        opened.runs.start("test")
        opened.runs.commit(Commit(None, None, ledger=[LedgerEntry("ztf", n, "rejected", "test", 1) for n in nights]))
    ask, seen, to_see = client(store), set(), ["/"]
    while to_see:
        path = to_see.pop()
        links = {str(a["href"]) for t, a in Tags(ask(path).text).tags if t == "a" and "?night=" in str(a.get("href"))}
        new = {link.partition("&")[0] for link in links} - seen
        seen |= new
        to_see += sorted(new)
    assert {f"/?night={night}" for night in nights} <= seen


def test_older_points_and_alerts_are_on_further_pages(get: Get) -> None:
    text = " ".join(Tags(get(f"{OBJECT}?points=2").text).text.split())
    assert "Page 2 of 2" in text
    assert " ".join(Tags(get(f"{OBJECT}?points=999").text).text.split()) == text


def test_another_alert_of_the_object_can_be_chosen(get: Get) -> None:
    alerts = get("/api/v2/alerts?object_id=ZTF26aaaaaaa").json()["alerts"]
    page = get(f"{OBJECT}?alert={alerts[-1]['alert_id']}").text
    assert f"/alerts/ztf/{alerts[-1]['alert_id']}/cutouts" in page
    other = get("/api/v2/alerts?topic=solar_system_candidates").json()["alerts"][0]
    assert get(f"{OBJECT}?alert={other['alert_id']}").status_code == 404


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("ZTF26aaaaaaa", OBJECT),
        ("  ztf26AAAAAAA ", OBJECT),
        ("", "/"),
    ],
)
def test_search_leads_to_the_object(get: Get, typed: str, target: str) -> None:
    answer = get(f"/search?q={typed}")
    assert (answer.status_code, answer.headers["location"]) == (303, target)


def test_search_knows_alerts_too(get: Get) -> None:
    alert_id = get("/api/v2/alerts?object_id=ZTF26aaaaaaa").json()["alerts"][3]["alert_id"]
    assert get(f"/search?q={alert_id}").headers["location"] == f"{OBJECT}?alert={alert_id}"


def test_an_unknown_object_gets_a_page_that_suggests(get: Get) -> None:
    for path in ("/objects/ZTF26aaaaaab", "/search?q=ZTF26aaaaaab"):
        answer = get(path)
        assert answer.status_code == 404
        assert f'href="{OBJECT}"' in answer.text


def test_hostile_text_in_every_field_stays_text(tmp_path: Path) -> None:
    curve = supernova(np.random.default_rng(1), 12)
    made = SyntheticObject(XSS + "/../?#%", 10.0, 20.0, curve, 3, topics=["fast_risers"], text={"sso_name": XSS})
    get = client(make_store(tmp_path / "store", [made]))
    with open_store(tmp_path / "store", mode="write") as store:
        store.runs.start(XSS)
    for path in ("/", f"/?topic={XSS}", f"/search?q={XSS}", f"/objects/{XSS}", "/tonight.json"):
        page = get(path)
        if "html" in page.headers["content-type"]:
            assert not [
                a
                for t, a in Tags(page.text).tags
                if "onerror" in a or (t == "script" and not (a.get("src") or a.get("type")))
            ]
    link = next(a["href"] for _, a in Tags(get("/").text).tags if (a.get("href") or "").startswith("/objects/"))
    page = get(link)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert XSS in Tags(page.text).text


def test_an_object_of_one_point_without_cutouts_has_a_page(tmp_path: Path) -> None:
    one = LightCurves(
        np.array([0, 1]),
        np.array([61109.2]),
        np.array([1], np.int8),
        *np.array([[-900.0], [80.0]], np.float32),
        np.zeros(1, np.int8),
    )
    lonely = SyntheticObject("169298433216610349", 0.0, -90.0, one, survey="rubin", cutouts=False)
    get = client(make_store(tmp_path / "store", [lonely]))
    page = get("/objects/169298433216610349")
    assert page.status_code == 200
    assert "has no cutouts" in page.text
    assert get("/").status_code == 200


def test_a_missing_archive_file_is_reported_and_the_indexed_values_stay(tmp_path: Path) -> None:
    get = client(make_store(tmp_path / "store", night_objects(3)))
    for path in (tmp_path / "store/archive/segments").rglob("*.parquet"):
        path.unlink()
    page = get(OBJECT)
    assert page.status_code == 200
    assert "The archive could not be read" in page.text
    assert str(tmp_path) not in page.text
    assert "18.90" in page.text
    assert "The light curve could not be read" not in page.text
    assert get("/").status_code == 200


def test_a_damaged_history_is_reported_and_the_rest_of_the_page_stays(tmp_path: Path) -> None:
    get = client(make_store(tmp_path / "store", night_objects(3)))
    with closing(sqlite3.connect(tmp_path / "store/index.sqlite")) as connection, connection:
        connection.execute("UPDATE histories SET data = zeroblob(48)")
    page = get(OBJECT)
    assert page.status_code == 200
    assert "The light curve could not be read" in page.text
    assert "redpoll store rebuild" in page.text
    assert "18.90" in page.text
    assert get(f"/api/v2{OBJECT}").status_code >= 500


def test_without_a_store_there_is_a_welcome(tmp_path: Path) -> None:
    get = client(tmp_path / "later")
    page = get("/")
    assert page.status_code == 200
    assert "redpoll run PACKETS --store later" in page.text
    assert get("/healthz").json()["store"] == "waiting"
    for path in ("/api/v2/alerts", "/objects/a", "/tonight.json"):
        answer = get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5") if "api" in path else (503,)


def test_an_empty_store_gets_the_welcome_too_and_then_the_night(tmp_path: Path) -> None:
    get = client(tmp_path / "store")
    with open_store(tmp_path / "store", mode="write") as store:
        assert "the store is empty" in get("/").text
        store.runs.start("test")
        commit(store, batch_of(night_objects(4)))
        assert "Night of 2026-03-10" in get("/").text


def test_something_else_in_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"no database" * 100)
    get = client(tmp_path)
    assert "cannot be read" in get("/").text
    assert get("/api/v2/alerts").status_code == 503


def test_pages_live_while_a_run_writes(tmp_path: Path) -> None:
    path = make_store(tmp_path / "store", night_objects(6))
    get = client(path)
    stop, written, failures = threading.Event(), [6 + 11], []

    def write() -> None:
        with open_store(path, mode="write") as store:
            store.runs.start("writer")
            for k in range(200):
                if stop.is_set():
                    break
                objects = night_objects(5, seed=100 + k)[1:]
                commit(store, batch_of(objects, seed=k, first_id=10**15 + 100 * k))
                written.append(written[-1] + len(objects))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = []
        for _ in range(12):
            for page in ("/", OBJECT, "/api/v2/alerts?limit=50"):
                answer = get(page)
                if answer.status_code != 200:
                    failures.append((page, answer.status_code, answer.text))
            seen.append(sum(row["stored"] for row in get("/api/v2/ledger").json()["ledger"]))
    finally:
        stop.set()
        writer.join()
    assert not failures
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]
    assert set(seen) <= set(written)  # only whole batches are ever seen
    assert get("/api/v2/ledger").json()["ledger"][0]["stored"] == written[-1]


def test_threads_that_come_and_go_leave_no_connection_open(store: Path) -> None:
    def n_open() -> int:
        return sum("index.sqlite" in str(file.resolve()) for file in Path("/proc/self/fd").iterdir())

    reader = StoreDoor(store).reader()
    counts = []
    for _ in range(12):
        visitor = threading.Thread(target=reader.ledger.topics)
        visitor.start()
        visitor.join()
        counts.append(n_open())
    assert counts[-1] == counts[POOL_SIZE - 1]


def test_values_by_band_are_one_row_and_the_unknown_are_named(get: Get) -> None:
    page = Tags(get(OBJECT).text)
    text = " ".join(page.text.split())
    assert "Statistic 'amplitude' in each band." in text
    assert 'title="lc_amplitude_g|r|i">Lc amplitude</th>' in get(OBJECT).text
    assert re.search(r"No value: .*Lc amplitude \(u\) , .*Lc amplitude \(z\)", text)


def test_static_files_are_named_by_content_and_kept_for_ever(get: Get) -> None:
    url = next(a["href"] for t, a in Tags(get("/").text).tags if t == "link" and a.get("rel") == "stylesheet")
    answer = get(url, **{"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert get(url, **{"Accept-Encoding": "identity"}).text == answer.text
    assert get(re.sub("static/[0-9a-f]+", "static/000000000000", url)).status_code == 404


def test_missing_front_end_packages_are_reported_and_pages_still_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, store: Path
) -> None:
    with caplog.at_level(logging.WARNING):
        assert not Assets(tmp_path).has_vendor
    assert "make setup" in caplog.text


def test_a_long_object_s_page_is_small(tmp_path: Path) -> None:
    page = client(make_store(tmp_path / "store", [long_object(200)]))("/objects/ZTF26zzzzzzz")
    assert len(gzip.compress(page.content, 6)) < 30_000
    assert len(Tags(page.text).tags) < 1500
