"""The map of a run. Read it with `redpoll.pipeline.enrich`: together they name every stage, in order."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from redpoll.config import Config
from redpoll.engine.local import run_here, run_in_workers
from redpoll.errors import SourceError
from redpoll.pipeline.assemble import night_finder, open_deliveries, open_sinks, task_maker
from redpoll.pipeline.commits import Committer, OnCommitted, ignore
from redpoll.pipeline.contexts import missing_contexts
from redpoll.pipeline.delivery import retry_parked
from redpoll.pipeline.intake import Intake
from redpoll.pipeline.models import Generation
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.stop import stop_on_interrupt
from redpoll.pipeline.store_access import served_models, writing_run
from redpoll.plugin.ports import Sink, Source

log = logging.getLogger(__name__)
_SMALL_BYTES = 48_000_000


def run_night(
    sources: Sequence[Source],
    store_path: Path,
    config: Config,
    *,
    command: str = "run",
    sinks: Sequence[Sink] | None = None,
    on_committed: OnCommitted = ignore,
) -> RunReport:
    """Take every packet of `sources` to the store; returns what became of them.

    ::

        sources -> intake -> worker: decode -> enrich -> archive, encode    (block_task.py)
                             enrich: quality -> history -> crossmatch -> science -> filters    (enrich.py)
                          -> sinks: send, flush; store: commit; sources: commit    (commits.py)

    A second run of the same packets stores nothing new. Ctrl-C finishes the batches at work; whatever ends a run, what
    it committed stays, the rest is taken by the next run.

    Parameters
    ----------
    sources
        Finite ones are read in order, streams in turn, until Ctrl-C. One that breaks gives what it had; the others are
        still read.
    store_path
        Folder of the store, made if it is new.
    config
        Everything that can be set.
    command
        Kept with the run in the ledger.
    sinks
        What gets messages; by default the sinks that `config` names.
    on_committed
        Called for every block after its commit.

    Raises
    ------
    RedpollError
        If the configuration does not fit, the store cannot be written, or the spool of a parked sink is full.
    """
    start = time.monotonic()
    report = RunReport(missing=missing_contexts(config))
    n_workers = _workers(config, sources)
    sinks = open_sinks(config) if sinks is None else sinks
    make_task = task_maker(config, store_path, sinks)
    with writing_run(store_path, command, config) as store, stop_on_interrupt() as stop:
        report.run, report.status = store.run, "failed"
        intake = Intake(
            sources, lambda error: _source_broke(error, report), batch_size=config.run.batch_size,
            block_seconds=config.run.block_seconds, find_nights=night_finder(config), n_workers=n_workers, stop=stop,
        )  # fmt: skip
        try:
            with (
                open_deliveries(sinks, store_path, config, report, paused=intake.paused, stop=stop) as deliveries,
                served_models(store_path) as models,
            ):
                generation = Generation(models)
                intake.on_idle = partial(retry_parked, deliveries)
                commit = Committer(store, report, deliveries, lambda packets, _: intake.stored(packets), on_committed)
                if n_workers:
                    report.worker_deaths = run_in_workers(iter(intake), make_task, commit, stop, n_workers, generation)
                else:
                    run_here(iter(intake), make_task, commit, stop, generation)
            report.status, report.signal = ("interrupted", stop.signal) if stop() else ("done", None)
        finally:
            intake.close()
            store.end(report.run_note)
            report.read, report.elapsed = intake.n_read, time.monotonic() - start
    log.info("run %d %s", report.run, report.status, extra={"n": report.received, "stored": report.stored})
    return report


def _source_broke(error: SourceError, report: RunReport) -> None:
    log.error("%s", error)
    report.source_errors.append(str(error))


def _workers(config: Config, sources: Sequence[Source]) -> int:
    """Processes to use: as configured, else one a core, or none if there is little to read."""
    if config.run.workers is not None:
        return config.run.workers
    sizes = [source.n_bytes for source in sources]
    is_small = None not in sizes and sum(size or 0 for size in sizes) < _SMALL_BYTES
    return 0 if is_small else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
