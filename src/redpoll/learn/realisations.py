"""Many realisations of an experiment in several processes, each as it is done."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event

from redpoll.errors import ModelError
from redpoll.learn.active_loop import CurvePoint, learning_curve
from redpoll.learn.loop_options import LoopOptions, check_options
from redpoll.learn.query_table import QueryTable

_state: tuple[QueryTable, LoopOptions, Event] | None = None


def realisations(
    table: QueryTable, options: LoopOptions, strategies: Iterable[str], seeds: Iterable[int], *, workers: int = 1
) -> Iterator[list[CurvePoint]]:
    """The curve of every strategy and seed, in the order in which they are done.

    Each curve is the same whatever the number of workers. When the caller stops (Ctrl-C, or closing the iterator) the
    workers end after their present fit, and their unfinished curves are dropped.

    Raises
    ------
    UsageError
        If the options do not fit the table; at once, before anything runs.
    ModelError
        If scikit-learn is missing, or a worker died.
    """
    names, seeds = list(strategies), list(seeds)
    for name in names:
        check_options(table, options, name)
    if workers <= 1:
        return (_limited(table, options, name, seed) for seed in seeds for name in names)
    return _in_processes(table, options, names, seeds, workers)


def _in_processes(
    table: QueryTable, options: LoopOptions, names: list[str], seeds: list[int], workers: int
) -> Iterator[list[CurvePoint]]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(workers, context, _start_worker, (table, options, stop)) as pool:
        tasks = [pool.submit(_run, name, seed) for seed in seeds for name in names]
        try:
            for task in as_completed(tasks):
                yield task.result()
        except BrokenProcessPool as error:
            raise ModelError(
                "a process of the experiment died, most often for want of memory: use --workers 1"
            ) from error
        finally:
            stop.set()
            for task in tasks:
                task.cancel()


def _start_worker(table: QueryTable, options: LoopOptions, stop: Event) -> None:
    global _state
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to stop
    _state = table, options, stop


def _run(name: str, seed: int) -> list[CurvePoint]:
    assert _state is not None
    table, options, stop = _state
    return _limited(table, options, name, seed, stop)


def _limited(
    table: QueryTable, options: LoopOptions, name: str, seed: int, stop: Event | None = None
) -> list[CurvePoint]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # threads of boosted trees wait for each other where processors are busy
        return learning_curve(table, options, name, seed, stop=stop.is_set if stop is not None else lambda: False)
