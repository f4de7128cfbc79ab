"""Pytest fixtures for the tests of plugins, available where Redpoll is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pyarrow as pa

    from redpoll.plugin.detections import Detections


@pytest.fixture(scope="session")
def sample_batch() -> pa.RecordBatch:
    """A canonical batch of 64 synthetic alerts of both kinds of history, with nulls where nulls may be."""
    from redpoll.testing import batches

    return batches.sample_batch()


@pytest.fixture(scope="session")
def light_curve() -> Callable[..., Detections]:
    """A factory of one object's detections, as a module with per="object" sees them.

    ``light_curve(band="ggr", mjd=[0, 1, 2], mag=[20, 19, 18])`` has mjd, band, flux, flux_err, mag and mag_err.
    """
    from redpoll.testing import batches

    return batches.light_curve
