"""Missing quality flags default to true."""

from __future__ import annotations

import pyarrow as pa
import pytest

from redpoll.quality.flags import FLAGS, fill_flags
from redpoll.schema.alert import COLUMNS
from redpoll.testing.batches import sample_batch


@pytest.mark.parametrize("name", FLAGS)
def test_missing_counts_as_set(name):
    batch = sample_batch(3)
    place = batch.schema.get_field_index(name)
    batch = batch.set_column(place, batch.schema.field(place), pa.array([None, False, True], pa.bool_()))
    assert fill_flags(batch)[name].to_pylist() == [True, False, True]
    assert fill_flags(batch).schema.equals(batch.schema, check_metadata=True)


def test_every_flag_of_the_model_is_filled():
    promised = {name for name, column in COLUMNS.items() if "True if not reported" in column.doc}
    assert set(FLAGS) == promised


def test_alerts_that_tell_everything_are_left_alone():
    batch = sample_batch(5)
    assert fill_flags(batch) is batch


def test_no_alerts_have_no_flags():
    assert fill_flags(sample_batch(3).slice(0, 0)).num_rows == 0
