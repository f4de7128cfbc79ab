"""Labelled data sets: tables, simulated nights, stores."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from redpoll.errors import SourceError, UsageError
from redpoll.learn.dataset import open_dataset
from redpoll.learn.errors import DatasetError
from redpoll.learn.features import feature_rows
from redpoll.learn.stored_labels import stored_labels
from redpoll.schema.light_curve import LightCurves
from redpoll.schema.taxonomy import taxonomy
from redpoll.simulate.classes import CLASSES
from redpoll.store import open_store
from redpoll.store.app import Label, open_app

NIGHTS = "simulate://ztf?alerts=120&nights=2"
INVALID = ({"per_object": 0}, {"history_days": 0.0}, {"history_days": np.nan}, {"survey": "lsst"})


def test_a_table_gives_alerts_of_its_surveys(curve_file):
    batches = list(open_dataset(curve_file, per_object=3, history_days=10.0))
    assert [set(batch["survey"].to_pylist()) for batch, _, _ in batches] == [{"ztf"}, {"rubin"}]
    for batch, labels, objects in batches:
        assert max(Counter(objects.tolist()).values()) <= 3 and set(labels) <= {"sn_ia", "sn_ii"}
        assert batch["object_id"].to_pylist() == objects.tolist()
        curves = LightCurves.from_arrow(batch["light_curve"])
        assert all(curve.mjd[-1] - curve.mjd[0] <= 10.0 for curve in curves)


def test_a_data_set_can_be_read_twice(curve_file):
    some = open_dataset(curve_file)
    first, second = ([batch for batch, _, _ in some] for _ in range(2))
    assert all(a.equals(b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("survey", ["ztf", "rubin"])
def test_a_simulated_night_has_classes_of_the_taxonomy(survey):
    batches = list(open_dataset(f"simulate://{survey}?alerts=150&seed=3&nights=2", per_object=1))
    objects = np.concatenate([objects for _, _, objects in batches])
    assert len(set(objects)) == len(objects) > 50
    assert all(taxonomy().check(label) for _, labels, _ in batches for label in labels)
    assert any(batch["host_redshift"].null_count < batch.num_rows for batch, _, _ in batches)


def test_every_simulated_class_is_in_the_taxonomy():
    from redpoll.learn.simulated import _TAXONOMY

    assert all(taxonomy().check(_TAXONOMY.get(name, name)) for name in CLASSES)


def test_the_same_night_in_smaller_parts_has_the_same_alerts():
    full = [
        i
        for batch, _, _ in open_dataset("simulate://ztf?alerts=120&nights=2", per_object=99)
        for i in batch["alert_id"].to_pylist()
    ]
    some = [
        i
        for batch, _, _ in open_dataset("simulate://ztf?alerts=120&nights=2", per_object=1)
        for i in batch["alert_id"].to_pylist()
    ]
    assert set(some) <= set(full) and len(full) == 120


@pytest.mark.parametrize(
    "options", [{"per_object": 0}, {"history_days": 0.0}, {"history_days": np.nan}, {"survey": "lsst"}]
)
def test_invalid_options_are_refused(options, curve_file):
    with pytest.raises(UsageError, match=next(iter(options))):
        open_dataset(curve_file, **options)


def test_what_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(SourceError, match="unknown class"):
        open_dataset("simulate://ztf?class=agn")
    with pytest.raises(DatasetError, match="none"):
        open_dataset(tmp_path / "none.parquet")


@pytest.fixture(scope="module")
def store(ztf_night, tmp_path_factory):
    from redpoll.config import Config
    from redpoll.ingest.files import file_source
    from redpoll.pipeline.run import run_night

    folder = tmp_path_factory.mktemp("labelled") / "store"
    run_night([file_source(str(next(ztf_night.glob("*.tar.gz"))))], folder, Config())
    return folder


def test_a_store_gives_the_alerts_of_its_labelled_objects(store):
    with open_store(store) as opened:
        names = sorted({row["object_id"] for row in opened.alerts.scan(["object_id"]).to_rows()})[:4]
    with pytest.raises(DatasetError, match="no labelled objects"):
        next(iter(open_dataset(store)))
    with open_app(store) as app:
        app.labels.add([
            Label("ztf", names[0], "sn_ia", "expert", "ada"), Label("ztf", names[0], "sn_ii", "bot", "b"),
            Label("ztf", names[1], "SN", "TNS", "t"), Label("ztf", names[1], "SN IIP", "TNS", "t"),
            Label("ztf", names[2], "not a class", "expert", "ada"),
            Label("ztf", names[2], "agn", "expert", "ada", alert_id=1),
            Label("ztf", names[3], "AGN", "TNS", "t"), Label("ztf", names[3], "TDE", "TNS", "another list"),
            Label("ztf", names[3], "tde", "bot", "b"),
        ])  # fmt: skip
    assert stored_labels(store) == {("ztf", names[0]): "sn_ia", ("ztf", names[1]): "sn_iip"}
    ((batch, labels, objects),) = open_dataset(store)
    assert set(zip(objects.tolist(), labels.tolist(), strict=True)) == {(names[0], "sn_ia"), (names[1], "sn_iip")}
    assert batch["packet_light_curve"].null_count == 0
    assert len(feature_rows(open_dataset(store), "kilonova")) == batch.num_rows
