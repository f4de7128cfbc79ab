"""Files that the configuration names, from TOML to the columns of alerts."""

from __future__ import annotations

import pyarrow as pa
import pytest
from sky_files import batch, multi_order

from redpoll.config import parse_config
from redpoll.crossmatch.errors import SkyFileError
from redpoll.crossmatch.sky_maps.context import SkyMapContext
from redpoll.crossmatch.sky_maps.read import parse_sky_map
from redpoll.crossmatch.stage import Stage
from redpoll.pipeline.contexts import context_columns, open_stage
from redpoll.schema.column import Column


@pytest.fixture
def config(tmp_path):
    (tmp_path / "list.csv").write_text("ra,dec,name\n45,30,here\n")
    (tmp_path / "field.txt").write_text("0/0")
    (tmp_path / "map.fits").write_bytes(multi_order([100.0] + [1.0] * 11))
    return parse_config(f"""
        [crossmatch]
        catalogs = "{tmp_path}/none"
        [crossmatch.watchlists]
        mine = "{tmp_path}/list.csv"
        [crossmatch.regions]
        field = "{tmp_path}/field.txt"
        [crossmatch.sky_maps]
        gw = "{tmp_path}/map.fits"
        """)


def test_alerts_get_the_columns_of_every_file(config):
    result = open_stage(config).run(batch([45.0, 45.0], [30.0, -30.0]))
    rows = result.batch.select(["in_mine", "mine_source", "in_field", "gw_credible_level"]).to_pylist()
    assert not result.failures
    assert rows[0] == {
        "in_mine": True,
        "mine_source": "here",
        "in_field": True,
        "gw_credible_level": pytest.approx(100 / 111),
    }
    assert (rows[1]["in_mine"], rows[1]["in_field"], rows[1]["gw_credible_level"] > 0.91) == (False, False, True)
    assert set(rows[0]) <= set(context_columns(config))


def test_the_maker_of_a_column_changes_with_its_file(config, tmp_path):
    before = open_stage(config).run(batch([45.0], [30.0])).batch.schema.field("in_field").metadata[b"by"]
    (tmp_path / "field.txt").write_text("0/1")
    after = open_stage(config).run(batch([45.0], [30.0])).batch.schema.field("in_field").metadata[b"by"]
    assert before.startswith(b"field@") and before != after


def test_a_file_that_is_missing_stops_the_run_before_it_starts(config, tmp_path):
    (tmp_path / "map.fits").unlink()
    with pytest.raises(SkyFileError, match=r"map\.fits: cannot be read"):
        open_stage(config)


def test_a_map_uses_the_distance_that_another_context_found():
    distances = {"DISTMU": [100.0] * 12, "DISTSIGMA": [10.0] * 12}
    event = SkyMapContext("gw", parse_sky_map(multi_order(**{k: _doubles(v) for k, v in distances.items()}), "map"))
    found = Stage([Hosts(), event]).run(batch([45.0], [30.0])).batch
    assert 0 < found["gw_3d_credible_level"][0].as_py() < 1


class Hosts:
    """A context that knows every host's distance."""

    name = version = "hosts"

    @property
    def columns(self):
        return {"host_distance_modulus": Column("float32", "mag", doc="Distance modulus.")}

    def match(self, alerts: pa.RecordBatch) -> dict[str, pa.Array]:
        return {"host_distance_modulus": pa.array([35.0] * alerts.num_rows, pa.float32())}


def _doubles(values):
    return pa.array(values).to_numpy()
