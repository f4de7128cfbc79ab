"""The stage on a store: what nights before brought is joined, archived is what the packet held."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest

from redpoll.errors import SchemaError, StoreError
from redpoll.history.stage import (
    NEWS,
    HistoryStage,
    open_history,
    open_stored_history,
    split_news,
    with_news,
)
from redpoll.schema.light_curve import LightCurves
from redpoll.store import Commit, indexed_columns, open_store, rebuild_store
from redpoll.testing.batches import sample_batch
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import full_alert

DAYS = (0, 6, 12, 40)


def night(number, day):
    """Ten alerts of five objects, of one night."""
    return store_batch(10, start=10 * number, nights=[day], objects=5)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def joined(folder):
    """Four nights through the stage into a store, as a run does it."""
    batches = []
    with open_store(folder, mode="write") as store:
        store.runs.start("test")
        for number, day in enumerate(DAYS, 1):  # before the tenth alert, times are a few seconds before their night
            batches.append(on_store(folder, night(number, day)))
            store.runs.commit(Commit(indexed_columns(batches[-1]), store.segments.write(batches[-1])))
        store.runs.end("done")
    return batches


def on_store(folder, batch):
    """The batch joined with what is stored; the store is closed again."""
    with open_store(folder) as store:
        return HistoryStage(store.histories).join(batch)


def next_night(folder):
    return on_store(folder, night(9, 60))


def test_light_curves_reach_back_as_far_as_the_store(joined):
    spans = [np.median(batch["history_days"].to_numpy()) for batch in joined]
    assert spans == sorted(spans) and spans[0] < 6 and spans[-1] > 40
    assert all((a["n_points"].to_numpy() > b["n_points"].to_numpy()).all() for a, b in [joined[:0:-1][:2]])


def test_the_packet_alone_stays_at_hand(joined):
    for number, (batch, day) in enumerate(zip(joined, DAYS, strict=True), 1):
        assert batch["packet_light_curve"].equals(night(number, day)["light_curve"])


def test_what_lies_in_the_archive_is_the_packets_own(joined, folder):
    with open_store(folder) as store:
        alert = full_alert(store, joined[-1]["alert_id"][0].as_py(), "ztf")
    assert alert["light_curve"] == joined[-1]["packet_light_curve"][0].as_py()
    assert NEWS not in alert and alert["n_points"] == joined[-1]["n_points"][0].as_py()


def test_a_rebuilt_store_has_the_same_histories(joined, folder):
    before = next_night(folder)
    rebuild_store(folder)
    assert next_night(folder).equals(before)


def test_an_alert_of_an_earlier_night_does_not_see_later_ones(joined, folder):
    late = on_store(folder, night(8, 3))
    assert LightCurves.from_arrow(late["light_curve"]).mjd.max() < 58849 + 4
    assert np.median(late["history_days"].to_numpy()) < 9


def test_a_stored_alert_sees_again_what_it_saw(joined, folder):
    """Whatever the batch: alerts of all nights together, or in another order."""
    archived = []
    with open_store(folder) as store:
        for batch in joined:
            rows = [full_alert(store, i, "ztf", ["light_curve"]) for i in batch["alert_id"].to_pylist()]
            stored = batch.select(["survey", "alert_id", "object_id", "night", "mjd", "light_curve"])
            curves = pa.array([row["light_curve"] for row in rows], stored.schema.field(5).type)
            archived.append(stored.set_column(5, "light_curve", curves))
    names = ["alert_id", "light_curve", "packet_light_curve", "history_days", "n_points"]
    every = pa.Table.from_batches(archived).combine_chunks()
    for order in (range(every.num_rows), range(every.num_rows - 1, -1, -1)):
        (batch,) = every.take(pa.array(order)).combine_chunks().to_batches()
        again = open_stored_history(folder).join(batch)
        expected = pa.Table.from_batches([b.select(names) for b in joined]).take(pa.array(order))
        assert again.select(names).to_pylist() == expected.to_pylist()
    assert open_stored_history(folder).join(batch.slice(0, 0)).num_rows == 0


def test_the_stage_is_opened_on_the_folder_of_a_store(joined, folder):
    assert open_history(folder).join(night(9, 60)).equals(next_night(folder))


def test_damage_is_reported_with_the_object_and_the_remedy(joined, folder):
    with closing(sqlite3.connect(folder / "index.sqlite")) as index, index:
        index.execute("UPDATE histories SET data = substr(data, 1, 20)")
    with pytest.raises(StoreError, match=r"ZTF.*damaged.*rebuild"):
        next_night(folder)


def test_without_stored_histories_the_packet_is_all_there_is():
    batch = sample_batch(20)
    found = open_history(None).join(batch)
    ours, theirs = (LightCurves.from_arrow(b["light_curve"]) for b in (found, batch))
    assert ours.mjd.tolist() == theirs.mjd.tolist() and found["n_points"].equals(batch["n_points"])


def test_news_are_kept_apart_and_put_back():
    joined = open_history(None).join(sample_batch(5))
    plain, news = split_news(joined)
    assert NEWS not in plain.schema.names and with_news(plain, news)[NEWS].equals(joined[NEWS])
    assert split_news(plain)[1] is None and with_news(plain, None) is plain


def test_two_surveys_in_a_batch_are_refused():
    batch = pa.concat_batches([sample_batch(3), sample_batch(3, survey="rubin")])
    with pytest.raises(SchemaError, match="one survey"):
        open_history(None).join(batch)
