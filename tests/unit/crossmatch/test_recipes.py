"""The recipes that come with Redpoll: each can be followed, speaks in known words, and fits its real file."""

from __future__ import annotations

import pytest

from redpoll.catalogs.fetch.plan import TapPlan, XmatchPlan, parse_fetch
from redpoll.catalogs.fetch.tap import adql
from redpoll.catalogs.recipe import builtin_recipes
from redpoll.plugin.classes import check_assigns

RECIPES = builtin_recipes()
PROMISED = """ctao_blazars fermi_4lac fermi_4lac_low gaia gaia_variability gcvs glade hsp mangrove milliquas ned simbad
spicy symbiotic_cv tns vsx"""
FETCHED_ELSEWHERE = {"ctao_blazars", "hsp", "mangrove", "symbiotic_cv"}


def test_every_catalogue_that_was_promised_has_a_recipe():
    assert set(PROMISED.split()) <= set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_where_it_is_from_and_under_what_terms(name):
    recipe = RECIPES[name]
    assert recipe.title
    assert recipe.url.startswith("http")
    assert recipe.licence
    assert any(year in recipe.citation for year in map(str, range(1990, 2027)))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_speaks_in_words_of_the_taxonomy(name):
    for column, declared in RECIPES[name].columns.items():
        check_assigns(column, declared)


@pytest.mark.parametrize("name", RECIPES)
def test_few_columns_of_a_recipe_are_indexed(name):
    assert sum(column.indexed for column in RECIPES[name].columns.values()) <= 4


@pytest.mark.parametrize("name", sorted(set(RECIPES) - FETCHED_ELSEWHERE))
def test_a_recipe_can_be_fetched(name):
    plan = parse_fetch(RECIPES[name])
    assert plan.url.startswith("http")
    if isinstance(plan, XmatchPlan):
        assert plan.radius_arcsec >= RECIPES[name].match.radius_arcsec


def test_queries_name_every_column_once():
    plan = parse_fetch(RECIPES["simbad"])
    assert isinstance(plan, TapPlan)
    assert adql(plan) == (
        "SELECT ra, dec, pmra, pmdec, otypedef.label, rvz_redshift, main_id"
        " FROM basic JOIN otypedef ON basic.otype = otypedef.otype WHERE ra IS NOT NULL"
    )
