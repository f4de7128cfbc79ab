"""``redpoll catalog`` as a user types it, in this process."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import redpoll.catalogs.fetch as fetch
from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.recipe import builtin_recipes
from redpoll.cli.main import redpoll
from redpoll.errors import RedpollError, UsageError

STARS = 'RAJ2000 , DEJ2000 , Type , Vmag\n10.0 , 5.0 , EA , 15.5\n11.0 , 5.0 , "" , 16\n , 5.0 , M , 1\n'


@pytest.fixture
def catalog(tmp_path, monkeypatch):
    """Run the command in an empty folder with a table of stars; gives what it printed, or raises."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stars.csv").write_text(STARS)

    def run(*words):
        done = CliRunner().invoke(redpoll, ["catalog", *map(str, words)])
        if isinstance(done.exception, RedpollError):
            raise done.exception
        return done

    return run


def test_a_table_becomes_a_catalogue_that_is_listed_shown_and_removed(catalog):
    done = catalog("add", "mine", "stars.csv", "--radius", 2, "--column", "Type", "--column", "Vmag")
    assert (
        done.exit_code == 0 and "mine: 2 rows" in done.stdout and "1 rows left out: without a position" in done.stderr
    )
    listed = {row["name"]: row for row in json.loads(catalog("list", "--json").stdout)}
    assert listed["mine"]["state"] == "built" and listed["vsx"]["state"] == "not installed"
    shown = json.loads(catalog("info", "mine", "--json").stdout)
    assert (shown["rows"], shown["radius"], shown["left_out"]) == (2, '2"', {"without a position": 1})
    assert {c["column"]: c["dtype"] for c in shown["columns"]} == {
        "mine_type": "string", "mine_vmag": "double", "mine_arcsec": "float",
    }  # fmt: skip
    assert "mine is removed" in catalog("remove", "mine").stdout
    with pytest.raises(UsageError, match="no catalogue 'mine'"):
        catalog("info", "mine")


def test_people_are_told_licence_citation_and_columns(catalog):
    text = catalog("info", "vsx").stdout
    assert "not installed" in text and builtin_recipes()["vsx"].citation[:20] in text and "vsx_type" in text
    assert "vsx" in catalog("list").stdout


def test_a_recipe_of_ones_own_is_followed(catalog, tmp_path):
    (tmp_path / "mine.toml").write_text('title = "Mine"\n[position]\nra = "RAJ2000"\ndec = "DEJ2000"\n')
    shown = json.loads(catalog("add", "mine", "stars.csv", "--recipe", "mine.toml", "--json").stdout)
    assert [c["column"] for c in shown["columns"]] == ["mine_arcsec"] and shown["title"] == "Mine"


def test_a_built_in_recipe_needs_only_the_file(catalog, tmp_path):
    pq.write_table(pa.table({"RAJ2000": [1.0], "DEJ2000": [2.0], "VType": ["EA "]}), tmp_path / "vsx.parquet")
    assert json.loads(catalog("add", "vsx", "vsx.parquet", "--json").stdout)["rows"] == 1


def test_without_a_file_it_is_fetched_as_its_recipe_says(catalog, tmp_path, monkeypatch):
    asked = {}

    def fetched(recipe, folder, *, progress, where):
        asked.update(name=recipe.name, where=where)
        folder.mkdir(parents=True)
        pq.write_table(pa.table({name: ["1.0"] for name in recipe.sources}), folder / "x.parquet")
        return folder / "x.parquet"

    monkeypatch.setattr(fetch, "fetch_table", fetched)
    assert json.loads(catalog("add", "gcvs", "--cone", 10, 5, 1, "--json").stdout)["rows"] == 1
    assert asked == {"name": "gcvs", "where": fetch.ConeArea(10.0, 5.0, 1.0)}
    catalog("add", "gcvs", "--positions", "stars.csv")
    assert asked["where"].ra.tolist() == [10.0, 11.0]
    assert not list(tmp_path.glob("redpoll-catalogs/.downloads/*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add", "nothing"], "no recipe for 'nothing', so give a FILE"),
        (["add", "vsx", "stars.csv", "--radius", "3"], "has a recipe for vsx"),
        (["add", "mine", "stars.csv", "--recipe", "stars.csv", "--radius", "3"], "not both"),
        (["add", "mine", "stars.csv", "--cone", "1", "2", "3"], "without FILE"),
        (["add", "gcvs", "--cone", "1", "2", "3", "--positions", "stars.csv"], "not both"),
        (["add", "mine", "stars.csv", "--radius", "0"], "radius"),
    ],
)
def test_misuse_says_what_to_do(words, message, catalog):
    done = catalog(*words)
    assert done.exit_code == 2 and message in done.stderr


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["add", "mine", "none.csv"], CatalogError, "No such file"),
        (["add", "Mine", "stars.csv"], UsageError, "lower-case letters"),
        (["add", "mine", "stars.csv", "--recipe", "stars.csv"], UsageError, "not TOML"),
        (["add", "mine", "stars.csv", "--column", "Vmga"], CatalogError, "near: Vmag"),
        (["add", "mine", "stars.csv", "--ra", "Type"], CatalogError, "has no usable row"),
        (["add", "mine", "stars.csv", "--column", "RAJ2000", "--column", "raj2000"], CatalogError, "near: RAJ2000"),
        (["remove", "vsx"], CatalogError, "holds no catalogue 'vsx'"),
        (["info", "vsxx"], UsageError, "no catalogue 'vsxx'; known: "),
    ],
)
def test_what_cannot_be_done_says_why(words, error, message, catalog):
    with pytest.raises(error, match=message):
        catalog(*words)


def test_odd_names_of_columns_make_plain_ones(catalog, tmp_path):
    (tmp_path / "odd.csv").write_text('ra,dec,"B-V (mag) \u03b1",7\n01 00 00,-05 00 00,0.5,a"b\n')
    done = catalog("add", "odd", "odd.csv", "--column", "B-V (mag) \u03b1", "--column", "7", "--json")
    assert [c["column"] for c in json.loads(done.stdout)["columns"]] == ["odd_b_v_mag", "odd_7", "odd_arcsec"]


def test_types_follow_the_file_and_yes_and_no_become_numbers(catalog, tmp_path):
    table = {"ra": [1.0], "dec": [2.0], "n": pa.array([3], pa.int16()), "u": pa.array([4], pa.uint8()), "sure": [True]}
    pq.write_table(pa.table(table), tmp_path / "typed.parquet")
    done = catalog("add", "typed", "typed.parquet", "--column", "n", "--column", "u", "--column", "sure", "--json")
    assert [c["dtype"] for c in json.loads(done.stdout)["columns"]] == ["int16", "int64", "int8", "float"]
