"""An alert that comes twice is processed once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from redpoll.quality.duplicates import duplicates


def batch(*ids, survey="ztf"):
    return pa.record_batch(
        {"survey": pa.array([survey] * len(ids)).dictionary_encode(), "alert_id": pa.array(ids, pa.int64())}
    )


def nothing(survey, ids):
    return np.zeros(len(ids), bool)


@pytest.mark.parametrize(
    ("ids", "rows"), [((1, 2, 3), []), ((1, 1, 1), [1, 2]), ((3, 1, 3, 2, 1), [2, 4]), ((-5, 5, -5), [2]), ((), [])]
)
def test_the_first_in_a_batch_stays(ids, rows):
    assert duplicates(batch(*ids), nothing) == dict.fromkeys(rows, "already stored")


def test_what_is_stored_already_is_told_so():
    asked = []

    def known(survey, ids):
        asked.append((survey, ids.tolist()))
        return np.isin(ids, [2])

    assert duplicates(batch(1, 2, 3, survey="rubin"), known) == {1: "already stored"}
    assert asked == [("rubin", [1, 2, 3])]


def test_what_is_stored_and_stands_twice_is_stored():
    assert duplicates(batch(7, 7), lambda survey, ids: np.ones(2, bool)) == {0: "already stored", 1: "already stored"}


def test_ids_of_64_bits_stay_apart():
    assert duplicates(batch(2**62, 2**62 + 1), nothing) == {}


def test_no_alerts_ask_nobody():
    assert duplicates(batch(), lambda survey, ids: pytest.fail("asked")) == {}
