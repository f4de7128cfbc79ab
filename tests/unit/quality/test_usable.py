"""What an alert must have."""

from __future__ import annotations

import pyarrow as pa
import pytest

from redpoll.quality.usable import unusable
from redpoll.schema.alert import COLUMNS
from redpoll.testing.batches import sample_batch


def blanked(batch, name, rows):
    place = batch.schema.get_field_index(name)
    mask = pa.array([i in rows for i in range(batch.num_rows)])
    column = pa.array(batch[name].to_pylist(), batch[name].type)
    values = pa.array(
        [None if m else v for m, v in zip(mask.to_pylist(), column.to_pylist(), strict=True)], column.type
    )
    return batch.set_column(place, batch.schema.field(place), values)


@pytest.mark.parametrize("name", ["alert_id", "object_id", "night", "mjd", "ra", "dec", "hpx29", "is_positive"])
def test_an_alert_without_it_is_unusable(name):
    reasons = unusable(blanked(sample_batch(4), name, {1, 3}))
    assert list(reasons) == [1, 3]
    assert all(reasons.values())


@pytest.mark.parametrize("name", ["band", "flux", "mag", "real_bogus", "sso_name", "first_mjd", "cutout_science"])
def test_an_alert_may_lack_the_rest(name):
    assert unusable(blanked(sample_batch(4), name, {0, 1, 2, 3})) == {}


def test_the_first_thing_missing_is_the_reason():
    batch = blanked(blanked(sample_batch(2), "hpx29", {0}), "ra", {0})
    assert unusable(batch) == {0: "ra is missing or not finite"}


def test_all_that_the_model_promises_is_asked_for():
    filled = {name for name, column in COLUMNS.items() if "True if not reported" in column.doc}
    promised = {name for name, column in COLUMNS.items() if "Never null" in column.doc} - filled - {"survey"}
    batch = sample_batch(1)
    assert {name for name in COLUMNS if unusable(blanked(batch, name, {0}))} == promised
