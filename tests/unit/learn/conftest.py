"""Labelled light curves that the tests draw themselves."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def rising(rng, name, label, survey, n=16):
    """A source that rises and falls in two bands, with a limit before."""
    mjd = 60000.0 + np.sort(rng.uniform(0, 40, n))
    peak = {"sn_ia": 20_000.0, "sn_ii": 8_000.0}[label]
    flux = peak * np.exp(-(((mjd - 60018.0) / (10.0 if label == "sn_ia" else 20.0)) ** 2)) + rng.normal(0, 200, n)
    return [
        {"object_id": name, "mjd": t, "band": "gr"[i % 2], "flux": f, "flux_err": 200.0, "label": label,
         "survey": survey} for i, (t, f) in enumerate(zip(mjd, flux, strict=True))
    ]  # fmt: skip


@pytest.fixture(scope="session")
def curve_file(tmp_path_factory):
    """A table of 40 light curves of two classes, every fourth of them of Rubin."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(40):
        label, survey = ("sn_ia", "sn_ii")[number % 2], "rubin" if number % 4 == 0 else "ztf"
        rows += rising(rng, f"object {number}", label, survey)
    path = tmp_path_factory.mktemp("learn") / "curves.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path
