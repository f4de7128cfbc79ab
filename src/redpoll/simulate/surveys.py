"""Cadence and packet writer of each survey."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import redpoll.simulate.rubin_cadence as rubin_cadence
import redpoll.simulate.ztf_cadence as ztf_cadence
from redpoll.simulate.exposures import Exposures, Fields
from redpoll.simulate.rubin_packets import rubin_packets
from redpoll.simulate.segment import Segment, Setting
from redpoll.simulate.ztf_packets import ztf_packets


@dataclass(frozen=True)
class SurveyHabits:
    """Functions of a survey: number of fields by alerts, fields and exposures of a night, packets of a segment."""

    n_fields: Callable[[int], int]
    draw_fields: Callable[[np.random.Generator, int, float], Fields]
    draw_exposures: Callable[[np.random.Generator, Fields, int, int], Exposures]
    packets: Callable[[Setting, Segment], list[tuple[int, str, bytes]]]
    file_stem: str


HABITS: dict[str, SurveyHabits] = {
    "ztf": SurveyHabits(
        ztf_cadence.n_fields, ztf_cadence.draw_fields, ztf_cadence.draw_exposures, ztf_packets, "ztf_public"
    ),
    "rubin": SurveyHabits(
        rubin_cadence.n_fields, rubin_cadence.draw_fields, rubin_cadence.draw_exposures, rubin_packets, "rubin"
    ),
}
