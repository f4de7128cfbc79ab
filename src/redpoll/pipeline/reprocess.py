"""The map of a reprocessing: new modules, filters, catalogues and sky maps over alerts that are stored already."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from redpoll.config import Config
from redpoll.engine.local import run_here, run_in_workers
from redpoll.history.stage import UnreadHistory, open_stored_history
from redpoll.pipeline.assemble import open_enrichment, store_graph
from redpoll.pipeline.contexts import open_stage
from redpoll.pipeline.reprocess_plan import ReprocessPlan, Wanted, job_key, plan_reprocessing
from redpoll.pipeline.reprocess_report import ReprocessReport, Status
from redpoll.pipeline.reprocess_task import ReprocessTask
from redpoll.pipeline.revision_order import RevisionCommitter, StoredAlerts, blocks
from redpoll.pipeline.stop import StopRequest, stop_on_interrupt
from redpoll.pipeline.store_access import RevisionWriter, answer_cache, reprocessed_store, served_models
from redpoll.plugin.graph import Graph
from redpoll.quality.stage import CheckedBefore
from redpoll.schema.alert import CUTOUTS
from redpoll.store import Selection, Store, open_store
from redpoll.store.records import Revision

log = logging.getLogger(__name__)
CHUNK = 2_000
"""Alerts a chunk, and a transaction."""
CHUNK_WITH_CUTOUTS = 200
Watch = Callable[[int], None]
"""Called with the number of alerts that are done."""


def ignore(n_alerts: int) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class PreparedReprocessing:
    """What runs, the graph of all modules and filters, the key of the job, and the generation of the models."""

    plan: ReprocessPlan
    graph: Graph
    job: str
    generation: int


def reprocess(
    store_path: Path,
    config: Config,
    wanted: Wanted,
    selection: Selection,
    *,
    command: str = "reprocess",
    again: bool = False,
    watch: Watch = ignore,
) -> ReprocessReport:
    """Run nodes again over stored alerts, and commit the new values; the values before are kept.

    ::

        scan of keys -> worker: read columns -> enrich (the nodes of the plan) -> write new values   (reprocess_task.py)
                     -> store: commit in the order of the scan, with the position                    (revision_order.py)

    Quality is not asked again, and nothing is sent to sinks. What is committed stays, whatever ends a reprocessing; the
    next call with the same arguments goes on after it.

    Parameters
    ----------
    store_path
        Folder of the store.
    config
        As for a run; ``config.run.batch_size`` is the number of alerts of a chunk.
    wanted
        What is run again, besides what depends on it.
    selection
        Which alerts.
    command
        Kept with the job.
    again
        Do again what was done before.
    watch
        Called after each commit.

    Raises
    ------
    RedpollError
        If a name is unknown, the configuration does not fit, or the store cannot be read or written.
    """
    start = time.monotonic()
    prepared = prepare(store_path, config, wanted, selection)
    report = ReprocessReport(prepared.job, left_out=dict(prepared.plan.left_out))
    with reprocessed_store(store_path, config) as store, stop_on_interrupt() as stop:
        former = former_job(store, prepared.job)
        if former is not None and former["status"] == "done" and not again:
            report.status, report.finished = "done before", str(former["updated"])
            return report
        report.is_resumed = former is not None and former["status"] not in ("done", "superseded")
        report.before = int(former["n_alerts"]) if former is not None and report.is_resumed else 0
        size = config.run.batch_size or (CHUNK_WITH_CUTOUTS if _reads_cutouts(prepared.plan) else CHUNK)
        alerts = StoredAlerts(store, selection, size)
        report.status = "failed"
        try:
            report.status = _run(store, store_path, alerts, prepared, config, report, stop, command, watch)
            report.signal = stop.signal if report.status == "interrupted" else None
        finally:
            report.elapsed = time.monotonic() - start
    log.info("reprocessing %s", report.status, extra={"job": report.job, "n": report.alerts})
    return report


def prepare(store_path: Path, config: Config, wanted: Wanted, selection: Selection) -> PreparedReprocessing:
    """What a reprocessing would run; nothing is written.

    Raises
    ------
    RedpollError
        As `reprocess`.
    """
    with open_store(store_path) as store:
        stored = frozenset(store.alerts.schema().names)
    enrich = open_enrichment(config, graph=store_graph(config, store_path, wanted.own), store=store_path)
    with served_models(store_path) as models:
        generation = models.generation()
    enrich.change_to(generation)
    plan = plan_reprocessing(enrich, wanted, stored)
    return PreparedReprocessing(plan, enrich.graph, job_key(plan, enrich, selection), generation)


def former_job(store: Store, job: str) -> dict[str, Any] | None:
    """The job of this key, if there was one: command, started, updated, status, n_alerts, after."""
    return next((row for row in store.revisions.jobs().to_pylist() if row["job"] == job), None)


def n_selected(store: Store, selection: Selection) -> int:
    """How many alerts are selected; all of them are walked over."""
    return sum(batch.num_rows for batch in store.alerts.scan(["alert_id"], selection, order_by="oldest"))


def _run(
    store: Store,
    store_path: Path,
    alerts: StoredAlerts,
    prepared: PreparedReprocessing,
    config: Config,
    report: ReprocessReport,
    stop: StopRequest,
    command: str,
    watch: Watch,
) -> Status:
    """Every chunk to its commit; returns how it ended."""
    if not report.is_resumed and next(alerts.chunks(), None) is None:
        return "nothing selected"
    after = store.revisions.start(prepared.job, command)
    chunks = alerts.chunks(after)
    first = list(islice(chunks, 2))
    if not first:  # what was left is not selected any more
        store.revisions.commit(Revision(None, prepared.job, None))
        return "done"
    commit = RevisionCommitter(store.revisions, prepared.job, report, watch)
    make_task = partial(_make_task, config, store_path, prepared)
    found = blocks(chain(first, chunks), stop)
    n_workers = _workers(config) if len(first) > 1 or config.run.workers is not None else 0
    if n_workers:
        report.worker_deaths = run_in_workers(found, make_task, commit, stop, n_workers, lambda: prepared.generation)
    else:
        run_here(found, make_task, commit, stop, lambda: prepared.generation)
    return "interrupted" if stop() and not commit.is_finished else "done"


def _make_task(config: Config, store: Path, prepared: PreparedReprocessing) -> ReprocessTask:
    plan = prepared.plan
    enrich = open_enrichment(
        config, graph=prepared.graph.only(plan.names(of_contexts=False)), quality=CheckedBefore(),
        history=open_stored_history(store) if plan.joins_history else UnreadHistory(),
        crossmatch=open_stage(config).only(plan.names(of_contexts=True)), store=store,
        answers=answer_cache(store, config),
    )  # fmt: skip
    return ReprocessTask(enrich, RevisionWriter(store), plan)


def _reads_cutouts(plan: ReprocessPlan) -> bool:
    return any(name in plan.stored for name in CUTOUTS)


def _workers(config: Config) -> int:
    """Number of processes: that of the configuration, else one a core."""
    if config.run.workers is not None:
        return config.run.workers
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
