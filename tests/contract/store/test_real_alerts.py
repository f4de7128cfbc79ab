"""Real alerts of all schema versions: what the archive gives back before and after compaction."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from redpoll.store import Store, open_store
from redpoll.testing.store_rows import alert_rows, full_alert


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and text of every value that is not null: a catalogue has the fields of all versions, most of them null."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{i}]")
    elif value is not None:
        yield path, repr(value)


def everything(store: Store) -> dict[int, dict[str, str]]:
    """All there is of every sixteenth alert."""
    rows = alert_rows(store, limit=100_000)[::16]
    return {row["alert_id"]: dict(leaves(full_alert(store, row["alert_id"], row["survey"]))) for row in rows}


@pytest.mark.slow
def test_real_alerts_of_all_versions_share_a_catalogue_unchanged(data_dir: Path, tmp_path: Path) -> None:
    inputs = [*map(str, sorted((data_dir / "ztf").glob("*.tar.gz"))), str(data_dir / "rubin")]
    command = [sys.executable, "-c", "from redpoll.cli.main import main; main()", "run", *inputs]
    subprocess.run([*command, "--store", str(tmp_path / "store")], check=True, capture_output=True)
    with open_store(tmp_path / "store", mode="write") as store:
        before = everything(store)
        assert store.maintenance.check().problems == ()
        store.maintenance.compact(rows_per_pixel=100)
        assert store.maintenance.check().problems == ()
        assert everything(store) == before
        assert len(before) > 30
