"""Simulated nights in the survey's own packets; catalogues of galaxies and young stars hold what the simulator made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.crossmatch.known_columns import known_columns
from redpoll.ingest.files import file_source
from redpoll.learn.context_columns import with_hosts
from redpoll.learn.replay import Labelled
from redpoll.learn.simulated import HOSTS_TO, decoded, known_hosts, segments
from redpoll.plugin.polling import all_packets
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.recipe import SimulationRecipe, make_recipe

MIX = {
    "bogus": 0.11, "rr_lyrae": 0.08, "long_period_variable": 0.09, "agn": 0.10, "asteroid": 0.06,
    "eclipsing_binary": 0.075, "sn_ia": 0.05, "cataclysmic_variable": 0.04, "sn_ii": 0.035, "satellite_glint": 0.025,
    "m_dwarf_flare": 0.02, "sn_ibc": 0.03, "microlensing": 0.045, "tde": 0.04, "kilonova": 0.03,
    "slsn": 0.035, "pisn": 0.03, "orphan_afterglow": 0.025, "dipper": 0.04, "young_star": 0.04,
}  # fmt: skip
"""Fraction of each class: enough of the rare ones, and every other class for the false alarms."""
EXTRAGALACTIC = {
    "slsn": 0.25, "pisn": 0.15, "sn_ia": 0.2, "sn_ii": 0.1, "sn_ibc": 0.1, "tde": 0.1, "agn": 0.1
}  # fmt: skip
"""Fraction of each class on nights for rules that need the distance of the host."""
_KINDS = np.array(list(CLASSES))


def nights(
    survey: str,
    n_alerts: int,
    seed: int,
    n_nights: int,
    mix: Mapping[str, float] = MIX,
    hosts_to: float = HOSTS_TO,
) -> Iterator[Labelled]:
    """Batches of alerts, with the true class and the object of each; hosts are catalogued to `hosts_to` mag in r.

    A dipper with a disc, which dims every few days, is a "young_dipper".
    """
    for segment, batch, who in segments(_night(survey, n_alerts, seed, n_nights, mix)):
        is_young = segment.sources.parameters.get("is_young", np.zeros(len(segment.sources)))[who] > 0
        kind = np.where(is_young, "young_dipper", _KINDS[segment.sources.kind[who]])
        unit = np.char.add(np.char.add(kind, " "), segment.sources.unit[who].astype(str))
        hosted = with_hosts(batch, **{k: v[who] for k, v in known_hosts(segment, hosts_to).items()})
        yield _with_young_stars(hosted, is_young | (kind == "young_star")), kind, unit


def periodic_nights(
    survey: str, n_alerts: int, seed: int, n_nights: int, mix: Mapping[str, float]
) -> Iterator[tuple[pa.RecordBatch, NDArray[np.str_], NDArray[np.float64]]]:
    """Batches of alerts, with the true class and the period [d] of each, NaN for what has none."""
    for segment, batch, who in segments(_night(survey, n_alerts, seed, n_nights, mix)):
        unknown = np.full(len(segment.sources), np.nan)
        yield batch, _KINDS[segment.sources.kind[who]], segment.sources.parameters.get("period", unknown)[who]


def _night(survey: str, n_alerts: int, seed: int, n_nights: int, mix: Mapping[str, float]) -> SimulationRecipe:
    recipe = make_recipe(survey, n_alerts, seed, None, 1, None, "archive", mix)
    return replace(recipe, nights=n_nights)  # more than the command lets users ask for


def decoded_files(paths: Iterable[Path]) -> pa.RecordBatch:
    """All packets of files of one survey as one canonical batch."""
    return decoded([packet.data for path in paths for packet in all_packets(file_source(str(path)))])


def _with_young_stars(batch: pa.RecordBatch, is_young: NDArray[np.bool_]) -> pa.RecordBatch:
    """The batch with the column of a catalogue of young stars that lists every simulated one, and no other star."""
    field = known_columns()["spicy_class"].field("spicy_class", by="the truth")
    listed = pa.array(np.where(is_young, "ClassII", None)).cast(field.type)
    return pa.RecordBatch.from_arrays([*batch.columns, listed], schema=pa.schema([*batch.schema, field]))
