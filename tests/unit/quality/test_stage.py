"""The quality stage: what goes on, what is left out, and as which row of the given batch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from redpoll.config import Cuts
from redpoll.quality.flags import FLAGS
from redpoll.quality.stage import Quality
from redpoll.testing.batches import sample_batch


def with_column(batch, name, values):
    place = batch.schema.get_field_index(name)
    return batch.set_column(place, batch.schema.field(place), pa.array(values, batch.schema.field(place).type))


def test_rows_left_out_are_numbered_as_in_the_given_batch():
    batch = sample_batch(6)
    ids = batch["alert_id"].to_pylist()
    batch = with_column(batch, "mjd", [None, *batch["mjd"].to_pylist()[1:]])
    batch = with_column(batch, "alert_id", [ids[0], ids[1], ids[1], ids[3], ids[4], ids[5]])
    batch = with_column(batch, "real_bogus", [0.9, 0.9, 0.9, 0.9, 0.1, 0.9])
    quality = Quality(lambda survey, asked: np.isin(asked, [ids[3]]), {"ztf": Cuts(min_real_bogus=0.5)})
    result = quality.run(batch)
    assert result.rows.tolist() == [1, 5]
    assert {row: (left.outcome, left.reason, left.is_dead_letter) for row, left in result.left_out.items()} == {
        0: ("rejected", "mjd is missing, not finite or out of range", True),
        2: ("duplicate", "already stored", False),
        3: ("duplicate", "already stored", False),
        4: ("rejected", "cut: real_bogus < 0.5", False),
    }


def test_without_store_and_cuts_every_usable_alert_goes_on_with_its_flags_filled():
    result = Quality().run(sample_batch(20))
    assert (result.batch.num_rows, result.left_out) == (20, {})
    assert sum(result.batch[name].null_count for name in FLAGS) == 0


@given(st.lists(st.sampled_from(["good", "bad", "again", "faint"]), max_size=12))
def test_every_row_goes_on_or_is_left_out_once(kinds):
    batch = sample_batch(len(kinds)) if kinds else sample_batch(1).slice(0, 0)
    ids = batch["alert_id"].to_pylist()
    batch = with_column(batch, "ra", [None if k == "bad" else 10.0 for k in kinds])
    batch = with_column(batch, "real_bogus", [0.1 if k == "faint" else 0.9 for k in kinds])
    stored = [i for i, k in zip(ids, kinds, strict=True) if k == "again"]
    result = Quality(lambda _, asked: np.isin(asked, stored), {"ztf": Cuts(min_real_bogus=0.5)}).run(batch)
    assert result.rows.tolist() == [i for i, k in enumerate(kinds) if k == "good"]
    assert sorted([*result.rows.tolist(), *result.left_out]) == list(range(len(kinds)))
    assert result.batch["alert_id"].to_pylist() == [ids[i] for i in result.rows]
