"""Questions about an object while a writer commits."""

from __future__ import annotations

from pathlib import Path

import pytest

from redpoll.store import Store, object_reader, open_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows
from redpoll.testing.store_suite import add


@pytest.mark.parametrize("commits", ["before", "after"])
def test_an_alert_that_is_committed_between_two_looks_does_no_harm(
    store: Store, folder: Path, commits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, store_batch(20))
    (name, *_) = {row["object_id"] for row in alert_rows(store)}
    find = object_reader.find_locations

    def find_beside_a_commit(*args, **options):
        locations = find(*args, **options) if commits == "after" else None
        add(store, store_batch(20, start=20))
        return locations or find(*args, **options)

    with open_store(folder) as reader:
        monkeypatch.setattr(object_reader, "find_locations", find_beside_a_commit)
        assert reader.objects.light_curve(name).num_rows > 0
