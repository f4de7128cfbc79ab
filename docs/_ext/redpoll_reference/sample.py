"""A small simulated night, processed by all installed modules, with its true classes: the source of the examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from redpoll.config import Config, CrossmatchConfig
from redpoll.ingest.files import open_sources
from redpoll.pipeline.assemble import open_enrichment
from redpoll.pipeline.timing import answered, sample_batches
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.schema.bands import DETECTION
from redpoll.schema.column import Column
from redpoll.schema.taxonomy import taxonomy
from redpoll.serve.curve import Curve
from redpoll.serve.portal.plot import drawn
from redpoll.simulate import simulate_night

NIGHTS = {"ztf": 1200, "rubin": 100}
SEED = 1
MAX_POINTS = 120
"""A picture of more points would be larger than it need be."""


@dataclass(frozen=True)
class Alert:
    """One simulated alert: its row, its light curve, and its true class."""

    row: Mapping[str, Any]
    curve: Curve
    truth: str

    @property
    def n_shown(self) -> int:
        """Detections in its picture; none if that had too many points."""
        return self.curve.n_of(DETECTION) if drawn(self.curve).sum() <= MAX_POINTS else 0

    @property
    def name(self) -> str | None:
        """Its true class, by its name in the taxonomy."""
        tree = taxonomy()
        return tree.of("redpoll", self.truth) or (self.truth if self.truth in tree.classes else None)

    @property
    def title(self) -> str:
        """Title of its true class."""
        title = taxonomy().classes[self.name].title if self.name else self.truth.replace("_", " ")
        return f"{title}, as {'ZTF' if self.row['survey'] == 'ztf' else 'Rubin'} would see it"

    def is_any(self, classes: frozenset[str]) -> bool:
        """Whether its true class is one of these, or an ancestor or descendant of one."""
        tree, name = taxonomy(), self.name
        return name is not None and any(tree.is_a(name, c) or tree.is_a(c, name) for c in classes)


@dataclass(frozen=True)
class Sample:
    """All simulated alerts, and the catalogue of each column that was not installed.

    ``answers`` has the indices of the alerts for which each module or filter has values.
    """

    alerts: tuple[Alert, ...]
    absent: Mapping[str, str]
    answers: Mapping[str, frozenset[int]]

    def example(self, name: str, outputs: Mapping[str, Column], classes: frozenset[str]) -> tuple[Alert, bool]:
        """The alert with the highest score or the most values of part `name`, and whether it has any value.

        An alert of a class that the part assigns is preferred.
        """

        def rank(i: int) -> tuple[Any, ...]:
            alert, strong = self.alerts[i], strength(self.alerts[i].row, outputs)
            known = sum(alert.row[o] not in (None, False) for o in outputs if o in alert.row)
            is_right = alert.is_any(classes)
            return (i in self.answers.get(name, ()), alert.n_shown > 0, is_right and strong >= 0.5, is_right,
                    strong, known, alert.n_shown, -i)  # fmt: skip

        best = max(range(len(self.alerts)), key=rank)
        return self.alerts[best], best in self.answers.get(name, ())


def strength(row: Mapping[str, Any], outputs: Mapping[str, Column]) -> float:
    """The highest probability that a row has for a class, true counting as 1; 0 where no class is assigned."""
    scores = [
        row.get(name) for name, column in outputs.items() if column.assigns and not column.assigns.startswith("@")
    ]
    return max((float(value) for value in scores if value is not None), default=0.0)


@cache
def sample() -> Sample:
    """The sample, made once a build, without catalogues and models: what a new installation has."""
    with TemporaryDirectory() as empty:
        config = replace(Config(), crossmatch=CrossmatchConfig(empty))
        enrich = open_enrichment(config)
    alerts: list[Alert] = []
    answers: dict[str, set[int]] = {node.name: set() for node in enrich.nodes}
    for batch, truth in _nights():
        done = enrich(batch).batch
        for node in enrich.nodes:
            answers[node.name] |= {len(alerts) + int(i) for i in np.flatnonzero(answered(node.outputs, done))}
        alerts += _alerts(done, truth)
    absent = {column: context.name for context in enrich.crossmatch.missing for column in context.columns}
    return Sample(tuple(alerts), absent, {name: frozenset(rows) for name, rows in answers.items()})


def _nights() -> Iterator[tuple[pa.RecordBatch, dict[int, str]]]:
    for survey, n in NIGHTS.items():
        with TemporaryDirectory() as folder:
            report = simulate_night(Path(folder), survey=survey, n_alerts=n, seed=SEED, workers=1)
            table = pq.read_table(report.truth, columns=["alert_id", "class"]).to_pydict()
            truth = dict(zip(table["alert_id"], table["class"], strict=True))
            for batch in sample_batches(open_sources(report.files), Config(), limit=n):
                yield batch, truth


def _alerts(batch: pa.RecordBatch, truth: Mapping[int, str]) -> Iterator[Alert]:
    made = [name for node in (*installed_modules(), *installed_filters()) for name in node.outputs]
    names = ["survey", "alert_id", "object_id", "band", "mag", *(n for n in made if n in batch.schema.names)]
    for i, row in enumerate(batch.select(names).to_pylist()):
        points = pa.Table.from_struct_array(batch["light_curve"][i].values)
        yield Alert(row, Curve.from_table(points), truth[row["alert_id"]])
