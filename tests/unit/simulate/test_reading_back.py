"""What Redpoll itself reads from simulated packets is what was simulated."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from redpoll.ingest.block import Block
from redpoll.ingest.decode import PacketDecoder
from redpoll.ingest.files import open_sources
from redpoll.ingest.schemas import BuiltIn
from redpoll.plugin.polling import all_packets
from redpoll.schema.light_curve import LightCurves


def read(night):
    """The canonical table of a night's packets, without the survey's own struct."""
    packets = [packet.data for source in open_sources([night.report.truth.parent]) for packet in all_packets(source)]
    decoded = PacketDecoder(BuiltIn())(Block.of(packets))
    assert not decoded.errors
    batches = [batch.drop_columns(["packet"]) for batch, _ in decoded.batches]
    return pa.Table.from_batches(batches)


def test_alerts_read_back_as_the_truth_says(night):
    table = read(night)
    truth = {row["alert_id"]: row for row in night.truth}
    rows = table.select(
        ["alert_id", "object_id", "night", "band", "mjd", "flux", "flux_err", "n_detections"]
    ).to_pylist()
    assert len(rows) == len(truth)
    for row in rows:
        expected = truth[row["alert_id"]]
        assert row["object_id"] == expected["object_id"]
        assert (row["night"], row["band"]) == (expected["night"], expected["band"])
        np.testing.assert_allclose(row["mjd"], expected["mjd"], rtol=0, atol=1e-8)
        np.testing.assert_allclose([row["flux"], row["flux_err"]], [expected["flux"], expected["flux_err"]], rtol=1e-4)


def test_light_curves_end_with_the_alert_itself(night):
    table = read(night)
    curves = LightCurves.from_arrow(table["light_curve"])
    last = curves.offsets[1:] - 1
    np.testing.assert_allclose(curves.mjd[last], table["mjd"].to_numpy(), rtol=0, atol=1e-8)
    assert len(curves.mjd) > 10 * len(curves)
