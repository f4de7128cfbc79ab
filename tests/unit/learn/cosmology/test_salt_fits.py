"""SALT3 fits of simulated light curves; without sncosmo or its files, an error that says how to get them."""

from __future__ import annotations

import csv
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from redpoll.astro.wcdm import wcdm_distance_modulus
from redpoll.cli import cosmology
from redpoll.errors import RedpollError
from redpoll.learn.cosmology.salt_fits import salt_fits, salt_model
from redpoll.learn.cosmology.standardised import light_curves
from redpoll.learn.curves import LabelledCurve
from redpoll.schema.bands import BANDS
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.contract import Window

HAS_SALT = find_spec("sncosmo") is not None and find_spec("jax_supernovae") is not None
needs_salt = pytest.mark.skipif(not HAS_SALT, reason="needs sncosmo and jax-bandflux")


def curves(kind: str, n: int) -> list[LabelledCurve]:
    """Light curves in g, r, i and z every fourth day, with little noise."""
    rng = np.random.default_rng(1)
    parameters = CLASSES[kind].draw(rng, n, Window(0.0, 1.0, 23.0, 10.0))
    times = np.arange(-200.0, 300.0, 4.0)
    mjd, band, each = np.tile(times, 4), np.repeat([1, 2, 3, 4], len(times)), 4 * len(times)
    flux = light_curves(kind, parameters, times, rng).reshape(n, each) + 100 * rng.standard_normal((n, each))
    return [
        LabelledCurve(f"{kind} {i}", kind, mjd + 60_000, band, flux[i], np.full(each, 100.0), np.zeros(each, int),
                      {"host_redshift": float(parameters["redshift"][i])}) for i in range(n)
    ]  # fmt: skip


def test_without_sncosmo_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sncosmo", None)
    with pytest.raises(RedpollError, match=r"pip install 'redpoll\[salt\]'"):
        salt_model()


@needs_salt
def test_sne_ia_get_their_distances_and_others_do_not() -> None:
    model, offset = salt_model(), {}
    for kind in ("sn_ia", "sn_ibc"):
        found, failed = salt_fits(curves(kind, 8), model)
        assert len(found) + len(failed) == 8
        z = np.array([each.redshift for each in found])
        offset[kind] = np.array([each.mu for each in found]) - wcdm_distance_modulus(z, 0.3, -1.0)
        assert all(0.1 <= each.mu_err < 0.4 for each in found)
    assert abs(np.median(offset["sn_ia"])) < 0.1 and np.median(offset["sn_ibc"]) > 0.5


@needs_salt
def test_what_cannot_be_fitted_has_a_reason(tmp_path: Path) -> None:
    (one,) = curves("sn_ia", 1)
    few = LabelledCurve("few", "sn_ia", *(getattr(one, n)[:3] for n in ("mjd", "band", "flux", "flux_err", "kind")),
                        one.about)  # fmt: skip
    bare = LabelledCurve("bare", "sn_ia", one.mjd, one.band, one.flux, one.flux_err, one.kind)
    assert salt_fits([few, bare], salt_model()) == ([], {"few": "too few points", "bare": "no redshift"})
    with pytest.raises(RedpollError, match="cannot be read as a SALT3 model"):
        salt_model(tmp_path)


@needs_salt
def test_a_table_of_light_curves_becomes_a_sample(tmp_path: Path) -> None:
    rows = [
        {"object_id": c.name, "mjd": t, "band": BANDS[b], "flux": f, "flux_err": e, "label": c.label,
         "redshift": c.about["host_redshift"]}
        for c in curves("sn_ia", 3) for t, b, f, e in zip(c.mjd, c.band, c.flux, c.flux_err, strict=True)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "curves.parquet")
    words = ["fit", str(tmp_path / "curves.parquet"), "--out", str(tmp_path / "sample.csv"), "--all"]
    assert CliRunner().invoke(cosmology.command, words).exit_code == 0
    sample = list(csv.DictReader((tmp_path / "sample.csv").read_text().splitlines()))
    assert [row["class"] for row in sample] == ["sn_ia"] * 3 and all(float(row["mu"]) > 30 for row in sample)
