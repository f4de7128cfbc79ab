"""The features of anomaly models, and their rows from the alerts of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.errors import NotFound
from redpoll.learn.anomaly_base import Rows
from redpoll.learn.errors import DatasetError
from redpoll.learn.model_inputs import column_values
from redpoll.plugin.anomaly_score import has_curve
from redpoll.science.anomaly_features import OUTPUTS
from redpoll.store import Selection, Store

FEATURES = (
    *OUTPUTS, "real_bogus", "mag", "age", "n_detections", "mag_rate", "mag_slope", "colour_g_r", "star_score",
    "star_distance_arcsec", "reference_distance_arcsec",
)  # fmt: skip
"""Statistics of the light curve, the survey's real-bogus score, brightness, rate, colour and surroundings.

None depends on how long a store has run.
"""
KEYS = ("survey", "object_id", "alert_id", "night", "mjd", "ra", "dec")
Step = Callable[[int, int | None], object]


@dataclass(frozen=True)
class AnomalyRows:
    """Alerts of a store that an anomaly model can score: the columns `KEYS` of each, and features of shape (n, k)."""

    keys: list[dict[str, object]]
    features: Rows

    def __len__(self) -> int:
        return len(self.keys)


def stored_rows(
    store: Store, features: Sequence[str], selection: Selection, *, limit: int | None = None,
    without: Iterable[tuple[str, str]] = (), step: Step = lambda done, total: None,
) -> AnomalyRows:  # fmt: skip
    """The newest alert of each object in a selection that has a score, newest first.

    Parameters
    ----------
    store, features, selection
        Where from, which columns, and which alerts.
    limit
        Maximum number of objects.
    without
        Objects to leave out, by survey and object_id.
    step
        Called with the number of alerts read.

    Raises
    ------
    DatasetError
        If the store has no such column: no alert was processed by the module that makes it.
    """
    if missing := sorted(set(features) - set(store.alerts.schema().names)):
        raise DatasetError(
            f"{store.url}: has no values of {', '.join(missing[:5])}; `redpoll reprocess` computes those of new modules"
        )
    seen, keys, found, n_read = set(without), [], [], 0
    for batch in store.alerts.scan([*KEYS, *features], selection, order_by="newest"):
        n_read += batch.num_rows
        step(n_read, None)
        X = feature_matrix(batch, features)
        rows = batch.select(KEYS).to_pylist()
        for i in np.flatnonzero(has_curve(features, X)).tolist():
            key = (str(rows[i]["survey"]), str(rows[i]["object_id"]))
            if key not in seen:
                seen.add(key)
                keys.append(rows[i])
                found.append(X[i])
        if limit is not None and len(keys) >= limit:
            break
    matrix = np.array(found, np.float32).reshape(-1, len(features))
    return AnomalyRows(keys[:limit], matrix[:limit])


def stored_row(store: Store, features: Sequence[str], identifier: str, survey: str | None = None) -> AnomalyRows:
    """The alert with this identifier, or the newest alert of the object with it, with its features.

    Raises
    ------
    NotFound
        If the store has neither, or the alert has no score.
    """
    found = stored_rows(store, features, Selection(object_ids=[identifier], survey=survey), limit=1)
    if not found and identifier.isascii() and identifier.lstrip("-").isdigit() and len(identifier) < 20:
        wanted = Selection(alert_ids=[int(identifier)], survey=survey)
        found = stored_rows(store, features, wanted, limit=1)
    if not found:
        raise NotFound(f"no alert or object {ascii(identifier)[:80]} in the store has the features of an anomaly model")
    return found


def joined_rows(parts: Sequence[AnomalyRows]) -> AnomalyRows:
    """The rows of several parts, one after the other."""
    return AnomalyRows([key for part in parts for key in part.keys], np.concatenate([part.features for part in parts]))


def feature_matrix(batch: pa.RecordBatch, features: Sequence[str]) -> NDArray[np.float32]:
    """The columns of a batch as float32 of shape (n, k); NaN where a value is missing or not finite."""
    with np.errstate(all="ignore"):
        X = np.column_stack([column_values(batch[name]) for name in features]).astype(np.float32)
    X[~np.isfinite(X)] = np.nan
    return X
