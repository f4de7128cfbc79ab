"""What people and learning add to a store, through the ports of the store itself."""

from __future__ import annotations

from pathlib import Path

from redpoll.store import open_store
from redpoll.store.app import Label


def test_a_reader_adds_labels_while_a_writer_holds_the_lock(tmp_path: Path) -> None:
    with open_store(tmp_path, mode="write") as writer, open_store(tmp_path) as reader:
        writer.runs.start("test")
        reader.labels.add([Label("ztf", "ZTF20aaaaaaa", "sn_ia", "expert", "ada")])
        assert writer.labels.table()["label"].to_pylist() == ["sn_ia"]
        writer.runs.end("done")


def test_a_new_store_serves_no_model_and_has_no_filter(tmp_path: Path) -> None:
    open_store(tmp_path, mode="write").close()
    with open_store(tmp_path) as store:
        assert store.served_models.generation() == 0 and store.filters.table().num_rows == 0
