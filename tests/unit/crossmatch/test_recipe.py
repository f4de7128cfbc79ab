import pytest

from redpoll.catalogs.errors import RecipeError
from redpoll.catalogs.recipe import Match, builtin_recipes, load_recipe, parse_recipe
from redpoll.schema.alert import COLUMNS

STARS = """
title = "Variable stars"
licence = "CC BY 4.0"
[position]
ra = "RAJ2000"
dec = "DEJ2000"
epoch = 2016.0
pm_ra = "pmRA"
pm_dec = "pmDE"
[match]
radius_arcsec = 2
[columns.stars_type]
source = "VType"
dtype = "string"
doc = "Type of the star."
assigns = "@vsx"
null = ["", "None"]
[columns.stars_period]
source = "P"
dtype = "float32"
unit = "d"
doc = "Period."
scale = 24
indexed = false
[where]
good = true
V = [1, 2]
[fetch]
kind = "vizier"
anything = { goes = 1 }
"""


def test_a_recipe_says_what_it_reads_and_what_it_makes():
    recipe = parse_recipe(STARS, "stars")
    assert recipe.match == Match(2.0, "nearest", None)
    assert recipe.sources == ("RAJ2000", "DEJ2000", "pmRA", "pmDE", "VType", "P", "good", "V")
    assert list(recipe.columns) == ["stars_type", "stars_period", "stars_arcsec"]
    assert recipe.columns["stars_type"].assigns == "@vsx" and not recipe.columns["stars_period"].indexed
    assert recipe.kept[1].scale == 24.0 and recipe.kept[0].null == ("", "None")
    assert recipe.where == {"good": (True,), "V": (1, 2)}
    assert recipe.fetch == {"kind": "vizier", "anything": {"goes": 1}}


def test_all_matches_make_lists():
    recipe = parse_recipe(STARS.replace("radius_arcsec = 2", 'which = "all"'), "stars")
    assert [str(column.arrow_type) for column in recipe.columns.values()] == [
        "list<item: string>", "list<item: float>", "list<item: float>",
    ]  # fmt: skip


def test_objects_may_match_by_their_id():
    recipe = parse_recipe('title = "Blazars"\n[key]\ncolumn = "ZTF_name"', "blazars")
    assert (recipe.key, recipe.position, list(recipe.columns)) == ("ZTF_name", None, [])


def test_every_source_may_be_of_one_class():
    recipe = parse_recipe('title = "Blazars"\nclass = "blazar"\n[key]\ncolumn = "ZTF_name"', "blazars")
    (column,) = recipe.columns.values()
    assert list(recipe.columns) == ["blazars_class"] and (column.assigns, column.indexed) == ("blazar", False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Variable stars"', "", "needs 'title'"),
        ('title = "Variable stars"', "title = 3", "title: expected a string"),
        ("licence", "license", "unknown key 'license'; near: licence"),
        ("licence =", 'class = "variable_stars"\nlicence =', "class: .*variable_star"),
        ("licence =", "class = 3\nlicence =", "class: expected a string"),
        ("[position]", "[postion]", "needs .position. with ra and dec"),
        ('ra = "RAJ2000"', "", "position: needs 'ra'"),
        ('ra = "RAJ2000"', 'raa = "RAJ2000"', "needs 'ra'; near: raa"),
        ('pm_ra = "pmRA"', "", "both pm_ra and pm_dec"),
        ("epoch = 2016.0", 'format = "radians"', "format: expected one of degrees, sexagesimal"),
        ("epoch = 2016.0", "epoch = nan", "epoch: expected a number"),
        ("radius_arcsec = 2", "radius_arcsec = 0", "above 0"),
        ("radius_arcsec = 2", "radius_arcsec = true", "radius_arcsec: expected a number"),
        ("radius_arcsec = 2", 'which = "best"', "which: expected one of nearest, all"),
        ("columns.stars_type", "columns.type", "name it stars_<what>"),
        ("columns.stars_type", "columns.stars_arcsec", "stars_arcsec is the distance"),
        ("columns.stars_type", 'columns."stars_Type"', "lower-case letters"),
        ('dtype = "string"', 'dtype = "str"', "unknown dtype 'str'"),
        ('dtype = "string"', 'dtype = "bytes"', "cannot be bytes"),
        ('dtype = "string"', 'dtype = "bool"', "cannot be bool; use int8 for a boolean with nulls"),
        ('doc = "Type of the star."', "", "needs 'doc'"),
        ("scale = 24", "scale = 24\nfactor = 2", "unknown key 'factor'"),
        ('null = ["", "None"]', "null = [[]]", "null: expected a value or a list"),
        ("[where]", "[[where]]", "where: expected a table"),
        ("[fetch]", "[fetch", "not TOML"),
    ],
)
def test_a_wrong_recipe_is_refused_with_place_and_remedy(old, new, message):
    assert old in STARS
    with pytest.raises(RecipeError, match=message):
        parse_recipe(STARS.replace(old, new, 1), "stars", "stars.toml")


def test_a_class_needs_one_match_and_a_column_of_its_own():
    text = STARS.replace("licence", 'class = "variable_star"\nlicence')
    with pytest.raises(RecipeError, match="nearest match"):
        parse_recipe(text.replace("radius_arcsec = 2", 'which = "all"'), "stars")
    with pytest.raises(RecipeError, match="adds stars_class"):
        parse_recipe(text.replace("stars_type", "stars_class"), "stars")


@pytest.mark.parametrize("name", ["Stars", "2mass", "", "../up", "a b"])
def test_a_catalogue_has_a_plain_name(name):
    with pytest.raises(RecipeError, match="lower-case letters"):
        parse_recipe(STARS, name)


def test_a_recipe_that_cannot_be_read_says_so(tmp_path):
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path / "none.toml", "none")
    (tmp_path / "bad.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(RecipeError, match="UTF-8"):
        load_recipe(tmp_path / "bad.toml", "bad")


def test_the_built_in_recipes_are_whole_and_make_no_column_twice():
    made = [name for recipe in builtin_recipes().values() for name in recipe.columns]
    assert len(made) == len(set(made)) and not set(made) & set(COLUMNS)
    for recipe in builtin_recipes().values():
        assert recipe.title and recipe.licence and recipe.citation and recipe.url, recipe.name
