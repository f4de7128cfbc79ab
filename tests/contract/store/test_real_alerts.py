"""Real alerts of all schema versions: what the archive gives back before and after compaction."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from redpoll.config import parse_config
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night
from redpoll.store import Store, open_store
from redpoll.testing.store_rows import alert_rows, full_alert


def known(value: Any) -> Any:
    """A value as text, without fields that are null: a catalogue has the fields of all versions, most of them null."""
    if isinstance(value, dict):
        return {name: known(inner) for name, inner in value.items() if inner is not None}
    return [known(inner) for inner in value] if isinstance(value, list) else repr(value)


def everything(store: Store) -> dict[int, Any]:
    """All there is of every tenth alert."""
    rows = alert_rows(store, limit=100_000)[::10]
    return {row["alert_id"]: known(full_alert(store, row["alert_id"], row["survey"])) for row in rows}


@pytest.fixture
def inputs(data_dir: Path, tmp_path: Path) -> list[Path]:
    """All that are as the survey sent them, some of one star's many alerts and of those of one version, and Rubin's."""
    for name, step in [("ztf_originals", 1), ("ztf_sequences", 5), ("ztf_sample", 5)]:
        with tarfile.open(data_dir / "ztf" / f"{name}.tar.gz") as archive:
            for member in [member for member in archive if member.isfile()][::step]:
                archive.extract(member, tmp_path / name, filter="data")
    return [tmp_path / "ztf_originals", tmp_path / "ztf_sequences", tmp_path / "ztf_sample", data_dir / "rubin"]


@pytest.mark.slow
def test_real_alerts_of_all_versions_share_a_catalogue_unchanged(inputs: list[Path], tmp_path: Path) -> None:
    run_night(open_sources(inputs), tmp_path / "store", parse_config("[run]\nworkers = 0"))
    with open_store(tmp_path / "store", mode="write") as store:
        before = everything(store)
        assert store.maintenance.check().problems == ()
        store.maintenance.compact(rows_per_pixel=100)
        assert store.maintenance.check().problems == ()
        assert everything(store) == before
        assert len(before) > 30
