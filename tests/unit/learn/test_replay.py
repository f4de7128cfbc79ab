"""Light curves as alerts."""

from __future__ import annotations

import numpy as np
import pytest

from redpoll.learn.curves import LabelledCurve
from redpoll.learn.replay import replayed
from redpoll.schema.bands import DETECTION, FORCED
from redpoll.schema.light_curve import LightCurves


def curve(name="a", n=10, **about):
    kind = np.where(np.arange(n) % 2 == 1, DETECTION, FORCED)
    flux, err = np.linspace(100.0, 1000.0, n), np.full(n, 10.0)
    return LabelledCurve(name, "sn_ia", 60000.0 + np.arange(n) * 2.0, np.full(n, 2), flux, err, kind, about)


def test_alerts_are_detections_with_the_history_before_them():
    ((batch, label, name),) = replayed([curve(ra=1.0, dec=2.0, host_redshift=0.1)], "ztf", 5.0, 3)
    assert batch["mjd"].to_pylist() == [60002.0, 60010.0, 60018.0]
    assert [lc.mjd.tolist() for lc in LightCurves.from_arrow(batch["light_curve"])][1] == [60006.0, 60008.0, 60010.0]
    assert batch["n_detections"].to_pylist() == [1, 3, 5] and set(batch["first_mjd"].to_pylist()) == {60002.0}
    assert (label.tolist(), name.tolist()) == (["sn_ia"] * 3, ["a"] * 3)
    assert batch["host_redshift"].to_pylist() == pytest.approx([0.1] * 3) and batch["ra"].to_pylist() == [1.0] * 3


def test_a_curve_without_detections_gives_no_alert():
    faint = curve("b", 1)
    ((batch, _, name),) = replayed([faint, curve()], "rubin", 100.0, 8)
    assert set(name) == {"a"} and batch.num_rows == 5 and set(batch["survey"].to_pylist()) == {"rubin"}
    assert list(replayed([faint], "ztf", 100.0, 8)) == []
