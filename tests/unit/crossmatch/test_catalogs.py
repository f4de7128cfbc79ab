"""From a table to a built catalogue, and from an alert to its values."""

import itertools
import shutil
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import redpoll.catalogs.build as build_module
from redpoll.astro.sky import hpx29
from redpoll.catalogs.build import build_catalog
from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.library import Library
from redpoll.catalogs.positions import sexagesimal
from redpoll.catalogs.recipe import parse_recipe
from redpoll.crossmatch.catalog import open_catalog, open_catalogs
from redpoll.crossmatch.stage import Stage
from redpoll.errors import UsageError
from redpoll.plugin.classes import assigned_classes

NOW = datetime(2026, 3, 1, tzinfo=UTC)
STARS = """
title = "Stars"
[position]
ra = "ra"
dec = "dec"
[match]
radius_arcsec = 2.0
[columns.stars_type]
source = "type"
dtype = "string"
doc = "Type."
null = ["None"]
[columns.stars_mag]
source = "mag"
dtype = "float32"
doc = "Magnitude."
null = [-999]
"""
BLAZARS = 'title = "Blazars"\n[key]\ncolumn = "id"\n[columns.blazars_z]\nsource = "z"\ndtype = "float32"\ndoc = "z."\n'
TABLE = {
    "ra": [10.0, 10.0003, 200.0, None, 30.0],
    "dec": [5.0, 5.0, -60.0, 1.0, 91.0],
    "type": [" EA ", "None", "RRAB", "M", "M"],
    "mag": [15.0, -999.0, np.nan, 1.0, 1.0],
}


def alerts(ra, dec, mjd=60000.0, ids=None):
    ra, dec = np.array(ra, float), np.array(dec, float)
    columns = {"object_id": ids or ["x"] * len(ra), "mjd": np.full(len(ra), mjd), "ra": ra, "dec": dec}
    return pa.record_batch(columns | {"hpx29": hpx29(ra, dec)})


def built(folder, text=STARS, table=TABLE, name="stars"):
    pq.write_table(pa.table(table), folder / "source.parquet")
    facts = build_catalog(parse_recipe(text, name), folder / "source.parquet", folder / "catalogs", now=lambda: NOW)
    return facts, open_catalog(folder / "catalogs" / name)


def test_the_nearest_source_within_the_radius_gives_its_values(tmp_path):
    _, catalog = built(tmp_path)
    found = catalog.match(alerts([10.0, 10.0003, 200.0, 100.0], [5.0, 5.0, -60.0001, 0.0]))
    assert found["stars_type"].to_pylist() == ["EA", None, "RRAB", None]
    assert found["stars_mag"].to_pylist() == [15.0, None, None, None]
    assert found["stars_arcsec"].to_pylist() == [0.0, 0.0, pytest.approx(0.36), None]
    assert {name: str(array.type) for name, array in found.items()} == {
        "stars_type": "string", "stars_mag": "float", "stars_arcsec": "float",
    }  # fmt: skip


def test_all_sources_within_the_radius_come_nearest_first(tmp_path):
    _, catalog = built(tmp_path, STARS.replace("radius_arcsec = 2.0", 'radius_arcsec = 2.0\nwhich = "all"'))
    found = catalog.match(alerts([100.0, 10.0002, 200.0], [0.0, 5.0, -60.0]))
    assert found["stars_type"].to_pylist() == [None, [None, "EA"], ["RRAB"]]
    np.testing.assert_allclose(found["stars_arcsec"][1].as_py(), [0.3586, 0.7172], rtol=1e-3)
    assert all(found[name].type == column.arrow_type for name, column in catalog.columns.items())


def test_rows_that_cannot_be_used_are_counted(tmp_path):
    facts, _ = built(tmp_path, STARS + '[where]\ntype = ["EA", "None", "M"]')
    assert (facts.rows, facts.skipped) == (2, {"not selected by [where]": 1, "without a position": 2})


def test_the_facts_say_where_it_comes_from(tmp_path):
    facts, catalog = built(tmp_path)
    assert facts == catalog.facts and facts.built == "2026-03-01T00:00:00+00:00"
    assert (facts.rows, facts.source, len(facts.sha256), len(facts.version)) == (3, "source.parquet", 64, 8)
    assert 0 < facts.sky_fraction < 0.001


def test_another_recipe_or_another_file_is_another_version(tmp_path):
    first, _ = built(tmp_path)
    again, _ = built(tmp_path)
    recipe, _ = built(tmp_path, STARS.replace("2.0", "3.0"))
    source, _ = built(tmp_path, table=TABLE | {"mag": [1.0] * 5})
    assert first.version == again.version and len({first.version, recipe.version, source.version}) == 3


def test_objects_match_by_their_id(tmp_path):
    table = {"id": ["ZTF18b", "ZTF18a ", "", None, "ZTF18a"], "z": [0.1, 0.2, 0.3, 0.4, 0.5]}
    facts, catalog = built(tmp_path, BLAZARS, table, "blazars")
    batch = alerts([1.0] * 4, [1.0] * 4, ids=["ZTF18a", "ZTF18b", "ZTF18", ""])
    assert catalog.match(batch)["blazars_z"].to_pylist() == [pytest.approx(0.2), pytest.approx(0.1), None, None]
    assert (facts.rows, facts.skipped, facts.sky_fraction) == (3, {"without a key": 2}, None)
    _, every = built(tmp_path, BLAZARS + '[match]\nwhich = "all"', table, "blazars")
    assert [v and len(v) for v in every.match(batch)["blazars_z"].to_pylist()] == [2, 1, None, None]


@pytest.mark.parametrize("text", [BLAZARS, STARS.replace("stars_", "blazars_")])
def test_every_match_is_of_the_class_of_the_catalogue_and_says_so(tmp_path, text):
    table = TABLE | {"id": ["ZTF18a", "ZTF18b", "c", "d", "e"], "z": [0.1] * 5}
    _, catalog = built(tmp_path, 'class = "blazar"\n' + text.lstrip(), table, "blazars")
    batch = alerts([10.0, 120.0], [5.0, 5.0], ids=["ZTF18a", "other"])
    result = Stage([catalog]).run(batch).batch
    assert result["blazars_class"].to_pylist() == ["blazar", None]
    classes, unknown = assigned_classes(result.schema, lambda name: result[name], 2)
    by = f"blazars@{catalog.version}"
    assert classes.to_pylist() == [[{"name": "blazar", "probability": None, "by": by}], []] and not unknown


def test_each_source_may_have_its_own_radius(tmp_path):
    text = STARS.replace("radius_arcsec = 2.0", 'radius_arcsec = 2.0\nradius_column = "mag"')
    _, catalog = built(tmp_path, text)
    found = catalog.match(alerts([10.0, 200.0], [5.0 + 10 / 3600, -60.0 + 3 / 3600]))
    assert found["stars_type"].to_pylist() == ["EA", None]


def test_stars_are_sought_where_they_are_at_the_time_of_the_alert(tmp_path):
    text = STARS.replace('dec = "dec"', 'dec = "dec"\nepoch = 2016.0\npm_ra = "pm"\npm_dec = "pm"')
    table = TABLE | {"pm": [0.0, np.nan, 1000.0, 0.0, 0.0]}
    _, catalog = built(tmp_path, text, table)
    year_2026, year_2016 = 61041.0, 57388.5
    position = [200.0 + 10 / 3600 / np.cos(np.radians(60))], [-60.0 + 10 / 3600]
    assert catalog.match(alerts(*position, year_2026))["stars_type"].to_pylist() == ["RRAB"]
    assert catalog.match(alerts(*position, year_2016))["stars_type"].to_pylist() == [None]


def test_a_batch_without_alerts_gives_empty_columns(tmp_path):
    _, catalog = built(tmp_path)
    assert [len(array) for array in catalog.match(alerts([], [])).values()] == [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("00 01 16.37", 1 / 60 + 16.37 / 3600),
        ("-00:30:00", -0.5),
        ("+59 18 45.900", 59 + 18 / 60 + 45.9 / 3600),
        ("12h30m00s", 12.5),
        ("12 30.5", 12 + 30.5 / 60),
        ("−10d30m", -10.5),
        ("12 60 00", np.nan),
        ("12", np.nan),
        ("noon", np.nan),
        ("", np.nan),
    ],
)
def test_sexagesimal_numbers_are_read(text, degrees):
    np.testing.assert_allclose(sexagesimal(pa.array([text, None]))[0], degrees)


def test_sexagesimal_positions_give_degrees(tmp_path):
    table = {"ra": ["01 00 00", "25 00 00", "23 59 59.9"], "dec": ["-00 30 00", "01 00 00", "+89 00 00"],
             "type": ["a", "b", "c"], "mag": [1.0] * 3}  # fmt: skip
    facts, catalog = built(tmp_path, STARS.replace('dec = "dec"', 'dec = "dec"\nformat = "sexagesimal"'), table)
    assert facts.rows == 2
    assert catalog.match(alerts([15.0, 359.99958], [-0.5, 89.0]))["stars_type"].to_pylist() == ["a", "c"]


RNG = np.random.default_rng(1)
MANY = {"type": ["a"] * 300, "mag": [1.0] * 300}
BAD = {
    "hours": (MANY | {"ra": RNG.uniform(0, 24, 300), "dec": RNG.uniform(-80, 80, 300)}, "in hours"),
    "radians": (MANY | {"ra": RNG.uniform(0, 6.28, 300), "dec": RNG.uniform(-1.5, 1.5, 300)}, "radians"),
    "no valid row": (TABLE | {"ra": [np.nan] * 5}, "has no usable row: 5 without a position"),
    "no rows": ({name: pa.array([], type="float64") for name in TABLE}, "it is empty"),
    "no column": ({"ra": [1.0], "dec": [1.0], "Type": ["a"], "mag": [1.0]}, "no column 'type'; near: Type"),
    "text for numbers": (TABLE | {"mag": ["faint"] * 5}, "'mag' is declared float.*faint"),
    "text for positions": (TABLE | {"ra": ["10 00 00"] * 5}, "ra: is not a column of numbers"),
    "lists": (TABLE | {"mag": [[1.0]] * 5}, "'mag' is declared float"),
}


@pytest.mark.parametrize(("table", "message"), BAD.values(), ids=BAD)
def test_a_table_that_does_not_fit_is_refused_and_leaves_nothing(table, message, tmp_path):
    with pytest.raises(CatalogError, match=message):
        built(tmp_path, table=table)
    assert not list(tmp_path.glob("catalogs/*"))


def test_degrees_of_a_small_field_are_not_taken_for_hours(tmp_path):
    cloud = MANY | {"ra": RNG.uniform(5, 20, 300), "dec": RNG.uniform(-75, -70, 300)}
    assert built(tmp_path, table=cloud)[0].rows == 300


def test_a_build_that_fails_keeps_the_old_catalogue(tmp_path, monkeypatch):
    old, _ = built(tmp_path)
    monkeypatch.setattr(build_module, "write_facts", lambda facts, folder: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        built(tmp_path, STARS.replace("2.0", "3.0"))
    assert open_catalog(tmp_path / "catalogs" / "stars").facts == old
    assert [p.name for p in (tmp_path / "catalogs").iterdir()] == ["stars"]


FILES = ["facts.json", "hpx.npy", "xyz.npy", "buckets.npy", "values.arrow"]


@pytest.mark.parametrize(
    ("file", "damage"), [*itertools.product(FILES, ["gone", "cut", "other"]), ("recipe.toml", "gone")]
)
def test_a_damaged_catalogue_is_refused_with_the_remedy(file, damage, tmp_path):
    built(tmp_path)
    path = tmp_path / "catalogs" / "stars" / file
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    else:
        built(tmp_path / "catalogs", table={name: values[:2] for name, values in TABLE.items()})
        shutil.copy(tmp_path / "catalogs" / "catalogs" / "stars" / file, path)
    with pytest.raises((CatalogError, UsageError), match=r"stars"):
        open_catalog(path.parent).match(alerts([10.0], [5.0]))


def test_row_numbers_out_of_range_are_refused(tmp_path):
    built(tmp_path)
    path = tmp_path / "catalogs" / "stars" / "buckets.npy"
    np.save(path, np.load(path) * 1000)
    with pytest.raises(CatalogError, match="do not fit together"):
        open_catalog(path.parent)


def test_a_catalogue_of_several_parts_is_taken_from_all(tmp_path, monkeypatch):
    monkeypatch.setattr(build_module, "_BATCH", 100)
    table = MANY | {"ra": RNG.uniform(0, 360, 300), "dec": RNG.uniform(-80, 80, 300), "mag": np.arange(300.0)}
    _, catalog = built(tmp_path, table=table)
    found = catalog.match(alerts(table["ra"], table["dec"]))
    assert found["stars_mag"].to_pylist() == list(range(300)) and catalog.values["stars_mag"].num_chunks == 3


def test_the_library_lists_what_is_built_and_what_is_not(tmp_path):
    built(tmp_path, name="stars")
    recipes = {"other": parse_recipe(STARS.replace("stars_", "other_"), "other")}
    library = Library(tmp_path / "catalogs", recipes)
    assert [(entry.name, entry.state) for entry in library.entries()] == [
        ("other", "not installed"),
        ("stars", "built"),
    ]
    contexts, missing = open_catalogs(library)
    assert [context.name for context in contexts] == ["stars"] and [m.name for m in missing] == ["other"]
    assert set(library.columns()) == {f"{c}_{w}" for c in ("other", "stars") for w in ("type", "mag", "arcsec")}


def test_columns_that_came_after_the_build_are_missing_and_say_so(tmp_path):
    built(tmp_path)
    newer = STARS + '[columns.stars_period]\nsource = "P"\ndtype = "float32"\ndoc = "Period."\n'
    _, missing = open_catalogs(Library(tmp_path / "catalogs", {"stars": parse_recipe(newer, "stars")}))
    assert [(list(m.columns), m.why) for m in missing] == [(["stars_period"], "built by an older recipe")]


def test_a_damaged_catalogue_stops_a_run_and_can_be_removed(tmp_path):
    built(tmp_path)
    library = Library(tmp_path / "catalogs", {})
    (tmp_path / "catalogs" / "stars" / "facts.json").write_text("{}")
    assert library.entries()[0].state == "damaged"
    with pytest.raises(CatalogError, match="catalog remove stars"):
        open_catalogs(library)
    library.remove("stars")
    assert library.entries() == [] and open_catalogs(library) == ([], [])
    with pytest.raises(CatalogError, match="no catalogue 'stars'"):
        library.remove("stars")
    with pytest.raises(UsageError, match="no catalogue 'stars'"):
        library.entry("stars")


def test_the_folder_need_not_exist_and_foreign_files_are_passed_over(tmp_path):
    assert Library(tmp_path / "none", {}).entries() == []
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "x.txt").write_text("x")
    assert Library(tmp_path, {}).entries() == []


def test_numbers_written_as_text_become_null_where_the_recipe_says(tmp_path):
    _, catalog = built(tmp_path, table=TABLE | {"mag": [" 15.0", "-999.0", "", "1", "1"]})
    assert catalog.values["stars_mag"].null_count == 2 and pc.max(catalog.values["stars_mag"]).as_py() == 15.0


def test_values_are_scaled_and_integers_kept(tmp_path):
    text = STARS.replace('dtype = "float32"\ndoc = "Magnitude."', 'dtype = "int16"\nscale = 10.0\ndoc = "M."')
    _, catalog = built(tmp_path, text, TABLE | {"mag": [1, -999, 3, 4, 5]})
    assert pc.sum(catalog.values["stars_mag"]).as_py() == 40
