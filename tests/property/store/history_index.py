"""An index with histories, alerts whose packets hold what a test wants, and their way through stage and commit."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from redpoll.astro.time import NIGHT_OFFSET, night_of
from redpoll.history.stage import NEWS, HistoryStage
from redpoll.schema.alert import alert_schema
from redpoll.schema.bands import DETECTION
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.merging import one_per_exposure
from redpoll.store import histories
from redpoll.store.objects import KEY_BITS
from redpoll.store.schemas import run_script
from redpoll.testing.histories import add_objects

DAY = 60_000  # 2023-02-25


class Index:
    """An index with histories, the objects of alerts, and what the writer does at a commit."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for script in ("index.sql", "histories.sql"):
            run_script(self.connection, Path(histories.__file__).with_name(script))
        self.n_alerts: Counter[int] = Counter()
        self.stage = HistoryStage(histories.Histories(self.execute))

    def key(self, name: str) -> int:
        sql = "SELECT _id FROM objects WHERE object_id = ?"
        found = self.connection.execute(sql, (name,)).fetchone()
        if found:
            return int(found[0])
        key = int(self.connection.execute("SELECT count(*) + 1 FROM objects").fetchone()[0])
        add_objects(self.connection, [(key, name)])
        return key

    def execute(self, sql: str, parameters: Sequence[object]) -> list[tuple[object, ...]]:
        return self.connection.execute(sql, parameters).fetchall()

    def commit(self, joined: pa.RecordBatch) -> None:
        keys = [self.alert(name) for name in joined["object_id"].to_pylist()]
        self.connection.execute("BEGIN")
        rows = zip(keys, joined["alert_id"].to_pylist(), strict=True)
        self.connection.executemany("INSERT INTO alerts VALUES (?, 1, 0, 1, NULL, NULL, ?, 0, 0, 0, 0, 0)", rows)
        histories.add(self.connection, keys, joined[NEWS].to_pylist())
        self.connection.execute("COMMIT")

    def alert(self, name: str) -> int:
        """A new key for an alert of an object."""
        key = self.key(name)
        self.n_alerts[key] += 1
        return (key << KEY_BITS) + self.n_alerts[key] - 1


Alert = tuple[int, str, float, list[tuple[float, int, float, float, int]]]


def batch_of(alerts: Sequence[Alert]) -> pa.RecordBatch:
    """Alerts (number, object, mjd, earlier points) as a batch."""
    curves = [[*sorted(points), (mjd, 1, 900.0, 1.0, DETECTION)] for _, _, mjd, points in alerts]
    points = [point for curve in curves for point in curve]
    offsets = np.concatenate([[0], np.cumsum([len(c) for c in curves], dtype=np.int64)])
    columns = [np.array([p[i] for p in points], t) for i, t in enumerate(("f8", "i1", "f4", "f4", "i1"))]
    packets = LightCurves(offsets, *columns)
    packets = one_per_exposure(packets, triggering=packets.triggering)
    mjd = np.array([a[2] for a in alerts], float)
    values = {
        "survey": pa.array(["ztf"] * len(alerts)).dictionary_encode().cast(alert_schema().field("survey").type),
        "alert_id": pa.array([a[0] for a in alerts], pa.int64()),
        "object_id": pa.array([a[1] for a in alerts], pa.string()),
        "night": pa.array(night_of(mjd, NIGHT_OFFSET["ztf"]), pa.int32()),
        "mjd": pa.array(mjd), "light_curve": packets.to_arrow(),
    }  # fmt: skip
    arrays = [values.get(f.name, pa.nulls(len(alerts), f.type)) for f in alert_schema()]
    return pa.RecordBatch.from_arrays(arrays, schema=alert_schema())


def night_by_night(index: Index, alerts: Sequence[Alert], cut) -> list[pa.RecordBatch]:
    """Each night's alerts in blocks: all joined before the first is committed, or one after the other."""
    done = []
    for night in sorted({int(a[2]) for a in alerts}):
        blocks = cut([a for a in alerts if int(a[2]) == night])
        for block in blocks:
            done.append(index.stage.join(batch_of(block)))
            index.commit(done[-1])
    return done
