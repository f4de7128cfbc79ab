from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from redpoll.errors import NotFound, UsageError
from redpoll.store import open_store
from redpoll.store.app import App, open_app

M31 = pa.table({"ra": [10.6847, 0.0], "dec": [41.2687, -90.0], "radius_arcsec": [5.0, 3600.0], "label": ["M31", None]})


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """The labels, models, filters and watchlists of an empty store."""
    open_store(tmp_path / "store", mode="write").close()
    with open_app(tmp_path / "store") as app:
        yield app


def test_every_version_of_a_filter_is_kept_and_the_newest_counts(app: App) -> None:
    assert [app.filters.save("bright", text, by=by) for text, by in (("mag < 17", "ada"), ("mag < 16", "bob"))] == [
        1,
        2,
    ]
    (row,) = app.filters.table().to_pylist()
    assert (row["expression"], row["version"], row["owner"], row["by"], row["active"]) == (
        "mag < 16", 2, "ada", "bob", True,
    )  # fmt: skip
    assert app.filters.versions("bright")["expression"].to_pylist() == ["mag < 17", "mag < 16"]


def test_a_filter_is_switched_off_and_on(app: App) -> None:
    app.filters.save("bright", "mag < 17", by="ada")
    app.filters.set_active("bright", False)
    assert app.filters.table(active=True).num_rows == 0
    assert app.filters.table(active=False)["topic"].to_pylist() == ["bright"]
    app.filters.save("bright", "mag < 16", by="ada")
    assert app.filters.table(active=True).num_rows == 1


@pytest.mark.parametrize("topic", ["", "Bright", "a b", "x" * 64, "'; drop table filters; --"])
def test_a_topic_that_is_no_name_is_refused(app: App, topic: str) -> None:
    with pytest.raises(UsageError, match="topic"):
        app.filters.save(topic, "mag < 17", by="ada")


@pytest.mark.parametrize("text", ["", "   ", "m" * 10_001, "mag\x00"])
def test_an_expression_that_is_no_text_is_refused(app: App, text: str) -> None:
    with pytest.raises(UsageError, match="expression"):
        app.filters.save("bright", text, by="ada")
    assert app.filters.table().num_rows == 0


def test_what_is_not_there_is_not_found(app: App) -> None:
    for ask in (app.filters.versions, app.watchlists.read, app.watchlists.remove):
        with pytest.raises(NotFound):
            ask("nosuch")
    with pytest.raises(NotFound):
        app.filters.set_active("nosuch", True)


def test_a_watchlist_comes_back_in_its_order_and_is_replaced_whole(app: App) -> None:
    app.watchlists.save("m31 novae", M31, by="ada")
    assert app.watchlists.read("m31 novae").to_pylist() == [
        {"label": "M31", "ra": 10.6847, "dec": 41.2687, "radius_arcsec": 5.0},
        {"label": "", "ra": 0.0, "dec": -90.0, "radius_arcsec": 3600.0},
    ]
    app.watchlists.save("m31 novae", M31.slice(1), by="bob")
    (row,) = app.watchlists.table().to_pylist()
    assert (row["name"], row["owner"], row["n_positions"]) == ("m31 novae", "ada", 1)
    assert app.watchlists.read("m31 novae").schema.field("ra").metadata[b"unit"] == b"deg"
    app.watchlists.remove("m31 novae")
    assert app.watchlists.table().num_rows == 0


@pytest.mark.parametrize(
    "change",
    [{"ra": [361.0]}, {"dec": [float("nan")]}, {"dec": [None]}, {"radius_arcsec": [0.0]}, {"ra": ["x"]}, {"ra": None}],
    ids=str,
)
def test_a_position_that_cannot_be_is_refused_and_the_old_list_stays(app: App, change: dict) -> None:
    app.watchlists.save("mine", M31, by="ada")
    bad = {"ra": [1.0], "dec": [1.0], "radius_arcsec": [1.0]} | change
    with pytest.raises(UsageError):
        app.watchlists.save("mine", pa.table({k: v for k, v in bad.items() if v is not None}), by="ada")
    assert app.watchlists.read("mine").num_rows == 2
