"""The map of a run: sources, blocks, chain (decode, quality, cross-match, science, filters), sinks, store, ledger."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

from redpoll.config import Config
from redpoll.engine.local import run_here, run_in_workers
from redpoll.errors import SourceError
from redpoll.pipeline.assemble import chain_maker, open_sinks
from redpoll.pipeline.blocks import BLOCK_BYTES, blocks
from redpoll.pipeline.contexts import missing_contexts
from redpoll.pipeline.report import RunReport
from redpoll.pipeline.settle import OnSettled, Settler, nobody
from redpoll.pipeline.stop import stop_on_interrupt
from redpoll.plugin.ports import Source
from redpoll.store import open_store

log = logging.getLogger(__name__)


def run_night(
    sources: Sequence[Source],
    store_path: Path,
    config: Config,
    *,
    command: str = "run",
    on_settled: OnSettled = nobody,
) -> RunReport:
    """Take every packet of `sources` to the store; returns what became of them.

    A second run of the same packets stores nothing new. Ctrl-C finishes the batches at work; whatever ends a run, what
    it committed stays, the rest is taken by the next run.

    Parameters
    ----------
    sources
        Read in order. One that breaks gives what it had; the others are still read.
    store_path
        Folder of the store, made if it is new.
    config
        Everything that can be set.
    command
        Kept with the run in the ledger.
    on_settled
        Told of every block after its commit.

    Raises
    ------
    RedpollError
        If the configuration does not fit, or the store cannot be written.
    """
    start = time.monotonic()
    report = RunReport(missing=missing_contexts(config))
    limit = config.dead_letters.max_bytes
    with open_store(store_path, mode="write", dead_letter_bytes=limit) as store, stop_on_interrupt() as stop:
        make_chain = chain_maker(config, store_path)
        report.run, report.status = store.start_run(command), "failed"
        try:
            packets = blocks(sources, lambda error: _source_broke(error, report), batch_size=config.run.batch_size)
            settle = Settler(store, report, open_sinks(config), on_settled)
            if n_workers := _workers(config, sources):
                run_in_workers(packets, make_chain, settle, stop, n_workers)
            else:
                run_here(packets, make_chain, settle, stop)
            report.status = "interrupted" if stop() else "done"
        finally:
            store.end_run(report.status)
            report.elapsed = time.monotonic() - start
    log.info("run %d %s", report.run, report.status, extra={"n": report.received, "stored": report.stored})
    return report


def _source_broke(error: SourceError, report: RunReport) -> None:
    log.error("%s", error)
    report.source_errors.append(str(error))


def _workers(config: Config, sources: Sequence[Source]) -> int:
    """Processes to use: what the configuration says, else one a core, or none if one block holds all."""
    if config.run.workers is not None:
        return config.run.workers
    sizes = [source.n_bytes for source in sources]
    is_small = None not in sizes and sum(size or 0 for size in sizes) < BLOCK_BYTES
    return 0 if is_small else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
