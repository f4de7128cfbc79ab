"""A few simulated packets of each survey, made once, for tests that real packets may be absent from."""

from __future__ import annotations

import tarfile
import tempfile
from functools import cache
from pathlib import Path

from redpoll.simulate import simulate_night


@cache
def simulated(survey: str, version: str | None = None, n: int = 40) -> tuple[bytes, ...]:
    """Packets of a simulated night, framed as the survey frames them."""
    with tempfile.TemporaryDirectory() as folder:
        report = simulate_night(
            Path(folder), survey=survey, n_alerts=n, seed=7, nights=2, schema_version=version, workers=1
        )
        found = []
        for path in report.files:
            with tarfile.open(path) as archive:
                found += [archive.extractfile(member).read() for member in archive if member.name.endswith(".avro")]
    return tuple(found)
