"""Whole nights of simulated alerts, in the survey's own packets, with the truth."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version as package_version
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from redpoll.errors import UsageError
from redpoll.simulate.archive import PacketFile, packet_folder, tar_archive
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.contract import Window
from redpoll.simulate.population import Sources, draw_sources
from redpoll.simulate.recipe import SimulationRecipe, make_recipe
from redpoll.simulate.segment import Segment, Setting
from redpoll.simulate.surroundings import Surroundings, draw_surroundings
from redpoll.simulate.surveys import HABITS
from redpoll.simulate.truth import truth_table

Progress = Callable[[int, int], None]
_SEGMENT = 100
"""Alerts of a segment; part of the recipe, because the noise of the cutouts is drawn per segment."""
_WORTH_A_PROCESS = 500
_MJD_UNIX = 40587


@dataclass(frozen=True)
class SimulationReport:
    """Files written: packets, truth and recipe, with the numbers of alerts, objects and bytes."""

    survey: str
    n_alerts: int
    n_objects: int
    n_bytes: int
    seconds: float
    files: tuple[Path, ...]
    truth: Path
    recipe: Path
    alerts_per_class: dict[str, int]


def simulate_night(
    out: Path,
    *,
    survey: str,
    n_alerts: int,
    seed: int,
    progress: Progress | None = None,
    night: str | None = None,
    nights: int = 1,
    schema_version: str | None = None,
    layout: str = "archive",
    workers: int | None = None,
    fractions: Mapping[str, float] | None = None,
) -> SimulationReport:
    """Write a night of alerts into folder `out`: packets, `truth.parquet` and `simulation.json`.

    The bytes depend on the arguments and the version of Redpoll and numpy alone, not on the number of processes.

    Parameters
    ----------
    out
        Folder, created if needed; files of the same names are replaced.
    survey
        ``"ztf"`` or ``"rubin"``.
    n_alerts
        Alerts in all, over all nights.
    seed
        Seed of the random generator.
    progress
        Called with (packets written, packets in all), from zero to all.
    night, nights
        Date YYYYMMDD of the first night, and how many follow one another; objects alert again with their history.
    schema_version
        One of `known_versions(survey)`; default ZTF 4.02, Rubin 10.0.
    layout
        ``"archive"``: one gzipped tar a night, as ZTF publishes; ``"files"``: a folder a night, one file a packet.
    workers
        Number of processes; default: as many as processors for large nights, else one.
    fractions
        Fraction of each class among the alerts; they need not add up to 1. Other classes do not occur. Default: a night
        with every class.

    Raises
    ------
    UsageError
        If an argument is invalid.
    """
    began = time.monotonic()
    recipe = make_recipe(survey, n_alerts, seed, night, nights, schema_version, layout, fractions)
    _make_folder(out, workers)
    setting, sources, points, segments = draw_night(recipe)
    ids, names, files, size = _write(out, recipe, setting, segments, points, sources, progress, workers)
    truth = truth_table(sources, setting.exposures, points, ids, names)
    pq.write_table(truth, out / "truth.parquet", compression="zstd")
    counts = _counts(sources, points)
    (out / "simulation.json").write_text(_sidecar(recipe, counts))
    return SimulationReport(
        survey=survey,
        n_alerts=len(points),
        n_objects=len(set(names)),
        n_bytes=size,
        seconds=time.monotonic() - began,
        files=files,
        truth=out / "truth.parquet",
        recipe=out / "simulation.json",
        alerts_per_class=counts,
    )


def _make_folder(out: Path, workers: int | None) -> None:
    """Make the folder that a night is written into; UsageError if it cannot be made or `workers` is below 1."""
    if workers is not None and workers < 1:
        raise UsageError(f"cannot simulate: {workers} workers; use at least 1")
    if out.exists() and not out.is_dir():
        raise UsageError(f"cannot simulate into {out}: it is not a folder")
    out.mkdir(parents=True, exist_ok=True)


def _counts(sources: Sources, points: NDArray[np.int64]) -> dict[str, int]:
    """Alerts of each class."""
    kinds = Counter(np.array(list(CLASSES))[sources.kind[sources.index[points]]].tolist())
    return {name: kinds[name] for name in CLASSES}


def draw_night(recipe: SimulationRecipe) -> tuple[Setting, Sources, NDArray[np.int64], Iterator[Segment]]:
    """Sky and sources of a recipe, the points that are alerts, by time, and the segments that packets are made of."""
    setting, sources, surroundings = _draw(recipe)
    points = _alerts_in_order(sources, setting)
    return setting, sources, points, _segments(sources, surroundings, points)


def _draw(recipe: SimulationRecipe) -> tuple[Setting, Sources, Surroundings]:
    """Sky, sources and surroundings, each from a random stream of its own."""
    sky, people, around = np.random.default_rng(recipe.seed).spawn(3)
    habits, camera, day = HABITS[recipe.survey], recipe.camera, recipe.first_day
    fields = habits.draw_fields(sky, habits.n_fields(recipe.n_alerts), day)
    exposures = habits.draw_exposures(sky, fields, day, recipe.nights)
    start = day + camera.noon
    window = Window(start, start + recipe.nights, camera.depth, camera.bright)
    sources = draw_sources(people, recipe.n_alerts, window, fields, exposures, camera, recipe.fractions)
    setting = Setting(recipe.seed, day, recipe.schema_version, camera, fields, exposures)
    return setting, sources, draw_surroundings(around, sources)


def _alerts_in_order(sources: Sources, setting: Setting) -> NDArray[np.int64]:
    """Points that are alerts, by time."""
    points = np.flatnonzero(sources.alert)
    return np.asarray(points[np.argsort(setting.exposures.mjd[sources.row[points]], kind="stable")])


def _segments(sources: Sources, surroundings: Surroundings, points: NDArray[np.int64]) -> Iterator[Segment]:
    """Slices of the alerts with the objects they need."""
    owner = sources.index
    for number, first in enumerate(range(0, len(points), _SEGMENT)):
        mine = points[first : first + _SEGMENT]
        objects, index = np.unique(owner[mine], return_inverse=True)
        some = sources.take(objects)
        at = mine - sources.offsets[objects][index] + some.offsets[:-1][index]
        yield Segment(number, some, surroundings.take(objects), at)


def _write(
    out: Path,
    recipe: SimulationRecipe,
    setting: Setting,
    segments: Iterator[Segment],
    points: NDArray[np.int64],
    sources: Sources,
    progress: Progress | None,
    workers: int | None,
) -> tuple[NDArray[np.int64], list[str], tuple[Path, ...], int]:
    """Write every packet; alert ids, object ids, files and bytes in the order of `points`."""
    night = setting.exposures.night[sources.row[points]].tolist()
    ids, names, size = [], [], 0
    files: dict[int, tuple[Path, PacketFile]] = {}
    done, total = 0, len(points)
    report = progress or (lambda done, total: None)
    report(0, total)
    with ExitStack() as stack:
        for packets in _made(setting, recipe.survey, segments, total, workers, stack):
            for alert_id, name, packet in packets:
                if night[done] not in files:
                    files[night[done]] = _open(stack, out, recipe, night[done])
                files[night[done]][1].add(f"{alert_id}.avro", packet)
                ids.append(alert_id)
                names.append(name)
                size += len(packet)
                done += 1
            report(done, total)
    return np.array(ids, np.int64), names, tuple(path for path, _ in files.values()), size


def _open(stack: ExitStack, out: Path, recipe: SimulationRecipe, night: int) -> tuple[Path, PacketFile]:
    stem = f"{HABITS[recipe.survey].file_stem}_{night}"
    mtime = (recipe.first_day - _MJD_UNIX) * 86400
    if recipe.layout == "files":
        return out / stem, stack.enter_context(packet_folder(out / stem, mtime))
    path = out / f"{stem}.tar.gz"
    return path, stack.enter_context(tar_archive(path, mtime))


def _made(
    setting: Setting, survey: str, segments: Iterator[Segment], total: int, workers: int | None, stack: ExitStack
) -> Iterator[list[tuple[int, str, bytes]]]:
    """The packets of each segment, in order, made here or by worker processes."""
    n = workers or (1 if total < _WORTH_A_PROCESS else os.cpu_count() or 1)
    if n == 1:
        for segment in segments:
            yield HABITS[survey].packets(setting, segment)
        return
    pool = stack.enter_context(
        ProcessPoolExecutor(n, multiprocessing.get_context("spawn"), _start_worker, (setting, survey))
    )
    waiting = []
    for segment in segments:
        waiting.append(pool.submit(_work, segment))
        if len(waiting) > 3 * n:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


_worker: list[tuple[Setting, str]] = []


def _start_worker(setting: Setting, survey: str) -> None:
    _worker[:] = [(setting, survey)]


def _work(segment: Segment) -> list[tuple[int, str, bytes]]:
    (setting, survey) = _worker[0]
    return HABITS[survey].packets(setting, segment)


def _sidecar(recipe: SimulationRecipe, counts: dict[str, int]) -> str:
    facts = {
        "redpoll": package_version("redpoll"),
        "numpy": np.__version__,
        **asdict(recipe),
        "alerts_per_class": counts,
    }
    return json.dumps(facts, indent=2) + "\n"
