"""The table of light curves: what it may hold, and how it refuses the rest."""

from __future__ import annotations

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redpoll.learn.curve_table import read_curves
from redpoll.learn.errors import DatasetError
from redpoll.schema.bands import DETECTION, FORCED, UPPER_LIMIT


def columns(**changed):
    """Two objects, four points; `None` removes a column."""
    made = {
        "object_id": ["a", "b", "a", "b"], "mjd": [60001.0, 60000.0, 60000.0, 60002.5], "band": ["g", "r", "r", "u"],
        "flux": [1000.0, 50.0, 2000.0, -900.0], "flux_err": [100.0, 20.0, 100.0, 100.0],
    }  # fmt: skip
    return {name: values for name, values in (made | changed).items() if values is not None}


def mags(**changed):
    return columns(**{"flux": None, "flux_err": None, "mag": [20.0] * 4, "mag_err": [0.1] * 4} | changed)


def parquet(folder, made):
    pq.write_table(pa.table(made), folder / "curves.parquet")
    return folder / "curves.parquet"


def csv(folder, made):
    rows = zip(*made.values(), strict=True)
    lines = [",".join(made), *(",".join("" if v is None else str(v) for v in row) for row in rows)]
    (folder / "curves.csv").write_text("\n".join(lines) + "\n")
    return folder / "curves.csv"


@pytest.mark.parametrize("write", [parquet, csv])
def test_points_are_sorted_by_object_and_time(write, tmp_path):
    a, b = read_curves(write(tmp_path, columns()))
    assert (a.name, a.mjd.tolist(), a.band.tolist(), a.flux.tolist()) == ("a", [60000.0, 60001.0], [2, 1], [2000, 1000])
    assert (b.name, b.kind.tolist(), b.flux_err.tolist()) == ("b", [FORCED, DETECTION], [20.0, 100.0])
    assert (a.label, a.survey, a.about) == ("", "", {})


def test_gzipped_text_is_read(tmp_path):
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(csv(tmp_path, columns()).read_bytes()))
    assert [c.name for c in read_curves(tmp_path / "x.csv.gz")] == ["a", "b"]


def test_magnitudes_become_fluxes(tmp_path):
    a, _ = read_curves(parquet(tmp_path, mags(mag=[31.4 - 2.5 * 4, 20.0, 31.4 - 2.5 * 4, 20.0])))
    assert a.flux == pytest.approx([1e4, 1e4]) and a.flux_err == pytest.approx([921.0, 921.0], rel=1e-3)


def test_an_upper_limit_has_its_depth_and_no_flux(tmp_path):
    kinds = ["upper limit", None, "detection", "upper_limit"]
    a, b = read_curves(parquet(tmp_path, mags(kind=kinds, mag_err=[None, 0.1, 0.1, -1.0], mag=[31.4 - 2.5 * 4] * 4)))
    assert a.kind.tolist() == [DETECTION, UPPER_LIMIT] and b.kind.tolist() == [DETECTION, UPPER_LIMIT]
    assert np.isnan(a.flux[1]) and a.flux_err[1] == pytest.approx(2000.0)


def test_constants_of_an_object_are_kept(tmp_path):
    made = columns(
        label=["sn_ia", None, None, "tde"], survey=["ztf", "rubin", "ztf", "rubin"], ra=[0.0, 10.0, 359.9999, 10.0],
        dec=[5.0, -5.0, 5.0, -5.0], redshift=[0.1, 0.0, 0.1, None],
    )  # fmt: skip
    a, b = read_curves(parquet(tmp_path, made))
    assert (a.label, a.survey, b.label, b.survey) == ("sn_ia", "ztf", "tde", "rubin")
    assert a.about == {
        "ra": 0.0, "dec": 5.0, "host_redshift": 0.1, "host_distance_modulus": pytest.approx(38.39, abs=0.01)
    }  # fmt: skip
    assert b.about == {"ra": 10.0, "dec": -5.0}


def test_integers_are_exact_identifiers(tmp_path):
    big = 2**62 + 1
    found = read_curves(parquet(tmp_path, columns(object_id=pa.array([big, big + 1, big, big + 1]))))
    assert [c.name for c in found] == [str(big), str(big + 1)]


def test_dictionaries_decimals_and_float32_are_read(tmp_path):
    made = columns(
        object_id=pa.array(["a", "b", "a", "b"]).dictionary_encode(),
        band=pa.array(["g", "r", "r", "u"]).dictionary_encode(),
        flux_err=pa.array([1, 2, 3, 4], pa.decimal128(5, 2)), flux=pa.array([1.0] * 4, pa.float32()),
    )  # fmt: skip
    assert read_curves(parquet(tmp_path, made))[0].flux_err.tolist() == [3.0, 1.0]


def test_one_point_an_exposure_is_kept_the_detection_first(tmp_path):
    made = columns(object_id=["a"] * 4, mjd=[60000.0] * 4, band=["g", "g", "g", "r"], flux=[10.0, 900.0, 800.0, 7.0])
    (a,) = read_curves(parquet(tmp_path, made))
    assert a.flux.tolist() == [900.0, 7.0]


def test_other_columns_and_their_nulls_are_ignored(tmp_path):
    assert len(read_curves(parquet(tmp_path, columns(note=[None, "x", None, "y"])))) == 2


HOSTILE = [
    ({"band": ["g", "R", "r", "u"]}, "row 2, column 'band': 'R' is unknown"),
    ({"band": ["g", None, "r", "u"]}, "row 2, column 'band'"),
    ({"band": [1, 2, 3, 4]}, "column 'band' is of type int64"),
    ({"mjd": [60000.0, np.nan, 1.0, 2.0]}, "row 2, column 'mjd'"),
    ({"mjd": [60000.0, np.inf, 1.0, 2.0]}, "row 2, column 'mjd'"),
    ({"mjd": [60000.0, 60000.0, 60000.0, 2460000.5]}, "row 4, column 'mjd': '2460000.5' is no MJD; subtract 2400000.5"),
    ({"mjd": ["60000", "today", "60000", "60000"]}, "row 2, column 'mjd': 'today' is no number"),
    ({"mjd": [[60000.0]] * 4}, "column 'mjd' is of type list"),
    ({"mjd": [True] * 4}, "column 'mjd' is of type bool"),
    ({"flux": [1.0, 2.0, np.nan, 1.0]}, "row 3, column 'flux'"),
    ({"flux": [1.0, 2.0, 1e30, 1.0]}, "row 3, column 'flux'.*nJy"),
    ({"flux_err": [1.0, 0.0, 1.0, 1.0]}, "row 2, column 'flux_err'"),
    ({"flux_err": [1.0, 1.0, None, 1.0]}, "row 3, column 'flux_err': 'None' is no error"),
    ({"flux_err": None}, "no column 'flux_err'"),
    ({"object_id": None}, "no column 'object_id'"),
    ({"object_id": [1.0, 2.0, 1.0, 2.0]}, "column 'object_id' is of type double"),
    ({"object_id": ["1", "1.7e+18", "1", "1"]}, "row 2, column 'object_id': '1.7e\\+18'"),
    ({"object_id": ["1", "", "1", "1"]}, "row 2, column 'object_id'"),
    ({"object_id": ["1", None, "1", "1"]}, "row 2, column 'object_id'"),
    ({"label": ["sn_ia", "tde", "sn_ii", "tde"]}, "row 3, column 'label': object 'a' has 'sn_ii' here and 'sn_ia'"),
    ({"label": ["sn_ia", "SN Ia", None, None]}, "row 2, column 'label': 'SN Ia' is no class.*write sn_ia"),
    ({"survey": ["ztf", "sdss", "ztf", "sdss"]}, "row 2, column 'survey'"),
    ({"redshift": [0.1, 0.1, 0.2, 0.1]}, "row 3, column 'redshift'"),
    ({"redshift": [0.1, -1.0, 0.1, -1.0]}, "row 2, column 'redshift'.*empty"),
    ({"ra": [1.0, 2.0, 1.0, 400.0], "dec": [0.0] * 4}, "row 4, column 'ra'"),
    ({"ra": [1.0, 2.0, 1.0, 3.0], "dec": [0.0] * 4}, "row 4, column 'ra': object 'b'"),
    ({"ra": [1.0, 2.0, 1.0, 2.0]}, "only one of ra and dec"),
    ({"kind": ["detection", "limit", None, None]}, "row 2, column 'kind'"),
    ({"mag": [20.0] * 4, "mag_err": [0.1] * 4}, "both flux and mag"),
    ({"flux": None, "flux_err": None}, "neither flux nor mag"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), HOSTILE, ids=[f"{i}-{m[:30]}" for i, (_, m) in enumerate(HOSTILE)])
def test_a_hostile_value_is_named(changed, message, tmp_path):
    with pytest.raises(DatasetError, match=f"curves.parquet.*{message}"):
        read_curves(parquet(tmp_path, columns(**changed)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mag": [99.0, 20.0, 20.0, 20.0]}, "row 1, column 'mag'"),
        ({"mag_err": [0.1, None, 0.1, 0.1]}, "row 2, column 'mag_err'.*upper_limit"),
        ({"mag_err": [0.1, -1.0, 0.1, 0.1]}, "row 2, column 'mag_err'"),
    ],
)
def test_a_hostile_magnitude_is_named(changed, message, tmp_path):
    with pytest.raises(DatasetError, match=message):
        read_curves(csv(tmp_path, mags(**changed)))


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"\x1f\x8bbroken", b"\0\1\2", b"one\ntwo\n"])
def test_what_is_no_table_is_refused(content, tmp_path):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"x\.csv"):
        read_curves(tmp_path / "x.csv")


def test_a_missing_file_and_a_table_without_rows_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read"):
        read_curves(tmp_path / "none.parquet")
    with pytest.raises(DatasetError, match="no rows"):
        read_curves(parquet(tmp_path, {n: pa.array(v)[:0] for n, v in columns().items()}))


def test_a_row_with_too_few_values_is_refused(tmp_path):
    path = csv(tmp_path, columns())
    path.write_text(path.read_text() + "a,60000\n")
    with pytest.raises(DatasetError, match="1 rows have too many or too few values"):
        read_curves(path)


@given(order=st.permutations(range(12)))
def test_the_order_of_rows_changes_nothing(order, tmp_path_factory):
    rng, folder = np.random.default_rng(1), tmp_path_factory.mktemp("order")
    made = {
        "object_id": np.repeat(["a", "b", "c"], 4), "mjd": 60000 + rng.permutation(12) / 3, "band": ["g", "r"] * 6,
        "flux": rng.normal(500, 100, 12), "flux_err": np.full(12, 60.0),
    }  # fmt: skip
    expected = {c.name: c.flux.tolist() for c in read_curves(parquet(folder, made))}
    shuffled = {name: np.asarray(values)[order] for name, values in made.items()}
    assert {c.name: c.flux.tolist() for c in read_curves(parquet(folder, shuffled))} == expected
