"""The rules on whole nights: simulated ones, whose truth is known, and real packets where those are at hand."""

from __future__ import annotations

import tarfile
from importlib import import_module

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redpoll.crossmatch.context import Missing
from redpoll.crossmatch.known_columns import known_columns
from redpoll.crossmatch.stage import Stage
from redpoll.ingest.decode import Block, PacketDecoder
from redpoll.ingest.schemas import BuiltIn
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS
from redpoll.simulate import simulate_night

MODULES = [
    getattr(import_module(f"redpoll.science.{name}"), name)
    for name in (
        "age", "brightness_history", "colour", "is_good", "rise_rate", "roid", "fast_transient", "kilonova",
        "kilonova_score", "cataclysmic", "flare_star", "orphan_afterglow", "artefact", "satellite_glint", "hostless",
        "solar_system", "interstellar_candidate", "dipper", "no_longer_varying",
    )
]  # fmt: skip


def scored(archive):
    """What the rules say of the packets of an archive: one array a column."""
    with tarfile.open(archive) as tar:
        files = [tar.extractfile(member).read() for member in tar]
    graph, tables = Graph.build(MODULES, [], columns=COLUMNS | known_columns()), []
    no_catalogues = Stage((), [Missing("catalogues", known_columns())])
    for batch, _ in PacketDecoder(BuiltIn())(Block.of(files)).batches:
        found = graph.run(no_catalogues.run(batch).batch)
        assert found.failures == {}
        tables.append(pa.table(found.batch).drop_columns(["packet", "cutout_science", "cutout_template"]))
    table = pa.concat_tables([t.cast(tables[0].schema) for t in tables])
    return {name: table[name].to_numpy() for name in table.column_names if table[name].type != pa.binary_view()}


@pytest.fixture(scope="module", params=["ztf", "rubin"])
def large(request, tmp_path_factory):
    """Columns and classes of a simulated night of 1,000 alerts: three false alarms of 300 prove no rate of 1 %."""
    folder = tmp_path_factory.mktemp("large")
    simulate_night(folder, survey=request.param, n_alerts=1000, seed=1, workers=1)
    return columns_and_classes(folder)


def columns_and_classes(folder):
    """A simulated night's columns and the class of each alert."""
    truth = pq.read_table(folder / "truth.parquet", columns=["alert_id", "class"])
    kinds = dict(zip(truth["alert_id"].to_pylist(), truth["class"].to_pylist(), strict=True))
    columns = scored(next(folder.glob("*.tar.gz")))
    return columns, np.array([kinds[i] for i in columns["alert_id"]])


def test_simulated_artefacts_are_told_from_the_rest(large):
    columns, kind = large
    is_artefact = columns["is_artefact"].astype(bool)
    assert is_artefact[kind == "bogus"].mean() > 0.5 and is_artefact[kind != "bogus"].mean() < 0.05


@pytest.mark.parametrize(
    "flag, meant",
    [
        ("is_fast_transient", ("kilonova",)), ("is_kilonova_candidate", ("kilonova",)),
        ("is_dwarf_nova", ("cataclysmic_variable",)), ("is_flare", ("m_dwarf_flare",)),
        ("is_orphan_afterglow", ("orphan_afterglow",)),
        ("is_satellite_glint", ("satellite_glint",)), ("is_solar_system_known", ("asteroid",)),
        ("is_interstellar", ()), ("is_dipper", ("dipper", "agn", "eclipsing_binary")), ("is_no_longer_varying", ()),
        ("is_hostless", ("sn_ia", "sn_ibc", "slsn", "pisn", "orphan_afterglow")),
    ],
)  # fmt: skip
def test_false_alarms_of_a_simulated_night_are_rare(flag, meant, large):
    columns, kind = large
    assert columns[flag].astype(bool)[~np.isin(kind, meant)].mean() < 0.01


@pytest.mark.parametrize(
    ("flag", "meant", "fraction"),
    [("is_dwarf_nova", "cataclysmic_variable", 0.5), ("is_solar_system_known", "asteroid", 0.7)],
)
def test_what_a_rule_means_is_found_in_a_simulated_night(flag, meant, fraction, large):
    """A rule that never applies raises no false alarm; the flags left out have too few cases in so short a night."""
    columns, kind = large
    assert columns[flag].astype(bool)[kind == meant].mean() >= fraction


@pytest.fixture(scope="module")
def real(data_dir):
    """Columns of the real ZTF packets."""
    parts = [scored(data_dir / "ztf" / f"ztf_{name}.tar.gz") for name in ("originals", "sequences", "sample")]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def test_real_artefacts_are_those_that_the_survey_doubts(real):
    """A third of the alerts that ZTF's own classifiers call bogus, one in two hundred of those they call real."""
    score = np.where(np.isnan(real["deep_real_bogus"]), real["real_bogus"], real["deep_real_bogus"])
    is_artefact = real["is_artefact"].astype(bool)
    assert is_artefact[score < 0.3].mean() > 0.2 and is_artefact[score > 0.95].mean() < 0.01


def test_a_supernova_is_fast_when_it_is_young_and_nothing_else_later(real):
    """SN 2020oi, in a galaxy."""
    is_it = real["object_id"] == "ZTF20aaelulu"
    order = np.argsort(real["mjd"][is_it])
    fast = real["is_fast_transient"][is_it][order].astype(bool)
    assert is_it.sum() == 47 and fast[:2].any() and not fast[5:].any()
    for flag in ("is_dwarf_nova", "is_flare", "is_dipper", "is_artefact", "is_hostless", "is_orphan_afterglow"):
        assert not real[flag][is_it].any(), flag


def test_a_dwarf_nova_on_a_faint_star_is_seen_to_be_one(real):
    flagged = set(real["object_id"][real["is_dwarf_nova"].astype(bool)])
    assert "ZTF18abcsatf" in flagged and len(flagged) <= 8


def test_a_supernova_on_half_a_star_is_no_dwarf_nova(real):
    """SN 2021rhu, on its first night as later: it brightened by 1.4 mag/d and more, blue, on a source of score 0.5."""
    is_it = real["object_id"] == "ZTF21abiuvdk"
    assert is_it.sum() == 34 and not real["is_dwarf_nova"][is_it].any()


def test_most_real_alerts_have_complete_cutouts(real):
    assert np.isfinite(real["cutout_snr"]).mean() > 0.98 and np.isfinite(real["cutout_masked_fraction"]).mean() > 0.98
