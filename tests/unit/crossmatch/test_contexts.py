"""What the configuration names becomes one stage, whose columns are known before anything is opened."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from redpoll.catalogs.build import build_catalog
from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.recipe import builtin_recipes
from redpoll.cli.main import redpoll
from redpoll.config import Config, CrossmatchConfig
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.known_columns import known_columns
from redpoll.pipeline.contexts import context_columns, missing_contexts, open_stage
from redpoll.plugin.expression_filter import expression_filter
from redpoll.plugin.graph import Graph
from redpoll.schema.alert import COLUMNS
from redpoll.testing.batches import sample_batch

GALAXIES = {"HyperLEDA_name": ["NGC 1"], "2MASS_name": ["None"], "ra": [1.816], "dec": [27.708], "lum_dist": [65.0],
            "ang_dist": [63.1]}  # fmt: skip


@pytest.fixture
def config(tmp_path):
    """A folder for catalogues with Mangrove in it, and a watchlist."""
    pq.write_table(pa.table(GALAXIES), tmp_path / "galaxies.parquet")
    build_catalog(builtin_recipes()["mangrove"], tmp_path / "galaxies.parquet", tmp_path / "catalogs")
    (tmp_path / "mine.csv").write_text("name,ra,dec,radius\nNGC 1,1.816,27.708,5\n")
    return Config(crossmatch=CrossmatchConfig(str(tmp_path / "catalogs"), {"mine": str(tmp_path / "mine.csv")}))


def test_the_columns_are_those_that_were_announced(config):
    stage = open_stage(config)
    assert stage.columns == context_columns(config)
    assert {"mangrove_name", "host_name", "in_mine", "ebv", "vsx_type"} <= set(stage.columns)


def test_nothing_built_still_makes_every_known_column(tmp_path):
    config = Config(crossmatch=CrossmatchConfig(str(tmp_path / "none")))
    stage = open_stage(config)
    assert stage.columns == context_columns(config) == known_columns()
    found = stage.run(sample_batch(5)).batch
    assert all(found[name].null_count == 5 for name in known_columns())
    assert (
        set(missing_contexts(config))
        == {missing.name for missing in stage.missing}
        == {*builtin_recipes(), "hosts", "ebv"}
    )


def test_what_is_there_is_not_missing(config):
    missing = missing_contexts(config)
    assert not {"mangrove", "hosts", "mine"} & set(missing) and {"vsx", "ebv"} <= set(missing)


def test_filters_may_name_catalogues_that_are_not_built(tmp_path):
    stage = open_stage(Config(crossmatch=CrossmatchConfig(str(tmp_path))))
    topic = expression_filter("near_variable", "vsx_arcsec < 1.0")
    graph = Graph.build([], [topic], columns=COLUMNS | stage.columns)
    found = graph.run(stage.run(sample_batch(5)).batch).batch
    assert found["pass_near_variable"].to_pylist() == [False] * 5


def test_a_dust_map_is_added_listed_used_and_removed(tmp_path, config):
    cells = 12 * 4**3
    dust = {"order": np.full(cells, 3), "ipix": np.arange(cells), "ebv": np.full(cells, 0.25, np.float32)}
    pq.write_table(pa.table(dust), tmp_path / "dust.parquet")
    words = ["--catalogs", config.crossmatch.catalogs]

    def run(*more):
        done = CliRunner().invoke(redpoll, ["catalog", *map(str, more), *words], catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    assert "order 3, icrs" in run("add", "ebv", tmp_path / "dust.parquet", "--frame", "icrs")
    assert open_stage(config).run(sample_batch(3)).batch["ebv"].to_pylist() == [0.25] * 3
    assert "ebv" not in missing_contexts(config)
    run("remove", "ebv")
    assert missing_contexts(config)["ebv"] == "not installed"


def test_a_file_that_is_not_there_stops_at_the_start(config):
    config.crossmatch.watchlists["other"] = "none.csv"
    with pytest.raises((SkyFileError, CatalogError), match=r"none\.csv"):
        open_stage(config)
