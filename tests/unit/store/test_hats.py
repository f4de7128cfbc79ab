from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from redpoll.store.hats import ROW_GROUP, Pixel, catalogue_schema, describe, parquet_leaves, pixels_of, write_pixel
from redpoll.store.hats import parquet_settings as settings


def test_alerts_at_one_place_stay_in_one_pixel_of_the_finest_order() -> None:
    (pixel,) = pixels_of(np.full(100, 12345), 10)
    assert (pixel.norder, pixel.rows) == (15, 100)


def test_no_alerts_make_no_pixels() -> None:
    assert pixels_of(np.array([], np.int64), 10) == []


def test_a_pixel_is_recognised_by_its_path() -> None:
    pixel = Pixel(5 << 52, 6 << 52, 3, 5, 7)
    assert Pixel.at(Path("x") / pixel.path, 7) == pixel


def test_leaves_are_those_of_the_file() -> None:
    point = pa.struct([("a", pa.int64()), ("b", pa.list_(pa.float32()))])
    schema = pa.schema([("x", pa.string()), ("s", point), ("l", pa.list_(point))])
    assert len(parquet_leaves(schema)) == len(settings(schema)["use_dictionary"]) + 4


def test_the_summary_of_a_huge_catalogue_is_left_out(tmp_path: Path) -> None:
    schema = catalogue_schema(
        [pa.schema([("_healpix_29", pa.int64()), ("mjd", pa.float64()), ("alert_id", pa.int64())])]
    )
    pixel = Pixel(0, 1 << 58, 0, 0, 1)
    row = pa.table({"_healpix_29": [1], "mjd": [0.0], "alert_id": [1]}, schema=schema)
    write_pixel(tmp_path / pixel.path, row, settings(schema))
    describe(tmp_path, "ztf", [pixel], schema)
    assert (tmp_path / "dataset" / "_metadata").exists()
    (tmp_path / "dataset" / "_metadata").unlink()
    describe(tmp_path, "ztf", [Pixel(0, 1 << 58, 0, 0, 100_000 * ROW_GROUP)], schema)
    assert not (tmp_path / "dataset" / "_metadata").exists()
