"""Simulated nights with their truth: alerts from the survey's own packets, and the source of each alert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.schemas import BuiltIn
from redpoll.learn.context_columns import with_hosts
from redpoll.learn.replay import Labelled, spread
from redpoll.schema.rows import take_rows
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.distance import distance_modulus
from redpoll.simulate.night import draw_night
from redpoll.simulate.recipe import SimulationRecipe
from redpoll.simulate.segment import Segment
from redpoll.simulate.surveys import HABITS

HOSTS_TO = 19.0
"""Magnitude in r of the faintest host that a catalogue of galaxies knows."""
_R = 2
_TAXONOMY = {"bogus": "artefact", "pisn": "pair_instability_sn", "young_star": "yso"}
"""Class of the taxonomy for those simulated classes that have another name."""


def simulated_alerts(recipe: SimulationRecipe, per_object: int, hosts_to: float = HOSTS_TO) -> Iterator[Labelled]:
    """Batches of simulated alerts with the true class of the taxonomy and the simulated source of each.

    At most `per_object` alerts of a source, spread over its alerts by time. Hosts are known to `hosts_to` mag in r. The
    alerts of a moving source have one source, though each has an object of its own in the packets.
    """
    labels = np.array([_TAXONOMY.get(name, name) for name in CLASSES])
    n_before = 0
    chosen = _chosen(recipe, per_object)
    for segment, batch, who in segments(recipe):
        rows = np.flatnonzero(chosen[n_before : n_before + len(who)])
        n_before += len(who)
        hosted = with_hosts(batch, **{k: v[who] for k, v in known_hosts(segment, hosts_to).items()})
        units = np.array([f"{recipe.survey}-{recipe.seed}-{unit}" for unit in segment.sources.unit[who]])
        if len(rows):
            yield take_rows(hosted, rows), labels[segment.sources.kind[who]][rows], units[rows]


def _chosen(recipe: SimulationRecipe, per_object: int) -> NDArray[np.bool_]:
    """Which alerts are taken, in their order."""
    _, sources, points, _ = draw_night(recipe)
    unit = sources.unit[sources.index[points]]
    order = np.argsort(unit, kind="stable")
    chosen = np.zeros(len(points), bool)
    for rows in np.split(order, np.flatnonzero(np.diff(unit[order])) + 1):
        chosen[rows[spread(len(rows), per_object)]] = True
    return chosen


def segments(recipe: SimulationRecipe) -> Iterator[tuple[Segment, pa.RecordBatch, NDArray[np.int64]]]:
    """The segments of a simulated night, the alerts of each, and the number of each alert's source."""
    setting, _, _, found = draw_night(recipe)
    for segment in found:
        made = HABITS[recipe.survey].packets(setting, segment)
        place = {alert_id: i for i, (alert_id, _, _) in enumerate(made)}
        batch = decoded([packet for _, _, packet in made])
        order = np.array([place[i] for i in batch["alert_id"].to_pylist()])
        yield segment, batch, segment.sources.index[segment.points][order]


def decoded(packets: Sequence[bytes]) -> pa.RecordBatch:
    """Packets of one survey as one canonical batch."""
    batches = [b.drop_columns(["packet"]) for b, _ in PacketDecoder(BuiltIn())(Block.of(packets)).batches]
    return pa.concat_batches([pa.RecordBatch.from_arrays(b.columns, schema=batches[0].schema) for b in batches])


def known_hosts(segment: Segment, hosts_to: float) -> dict[str, NDArray[np.float64]]:
    """Offset, redshift, distance and offset over the size of each source's host; NaN without one."""
    around, z = segment.surroundings, segment.sources.parameters.get("redshift", np.full(len(segment.sources), np.nan))
    is_known = around.host_mag[:, _R] < hosts_to
    arcsec = np.where(is_known, np.hypot(around.host_east, around.host_north), np.nan)
    z = np.where(np.isfinite(arcsec), z, np.nan)
    modulus = np.where(np.isfinite(z), distance_modulus(np.nan_to_num(z, nan=0.1)), np.nan)
    return {
        "host_arcsec": arcsec, "host_redshift": z, "host_distance_modulus": modulus,
        "host_d_dlr": arcsec / around.host_radius,
    }  # fmt: skip
