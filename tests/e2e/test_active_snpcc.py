"""The experiment of Ishida et al. 2019 on the real reference's splits and features, in small."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from active_snpcc import snpcc_table

from redpoll.learn.active_loop import learning_curve
from redpoll.learn.loop_options import LoopOptions

FOLDER = Path(os.environ.get("REDPOLL_DATA", "../shared/data")) / "snpcc"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the shared data: set REDPOLL_DATA")


def test_uncertainty_sampling_starts_where_the_reference_does_and_rises_as_fast() -> None:
    table = snpcc_table(FOLDER, "reference")
    options = LoopOptions("sn_ia", queries=120, batch=60, every=60, trees=30)
    points = learning_curve(table, options, "uncertainty", 0)
    assert [int((table.split == part).sum()) for part in ("train", "pool", "test")] == [1014, 12904, 6355]
    assert points[0].figure_of_merit == pytest.approx(0.122, abs=0.04)  # the reference's first point
    assert points[-1].figure_of_merit > 0.2
    assert points[-1].accuracy > points[0].accuracy + 0.1
