"""Every recipe that asks a service fetches a table that its catalogue can be built from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from redpoll.astro.sky import hpx29
from redpoll.catalogs.build import build_catalog
from redpoll.catalogs.fetch import Positions, fetch_table
from redpoll.catalogs.fetch.plan import TapPlan, VizierPlan, XmatchPlan, name_in_answer, parse_fetch
from redpoll.catalogs.recipe import Recipe, builtin_recipes
from redpoll.crossmatch.catalog import open_catalog
from redpoll.testing.catalogue_server import CatalogueServer, catalogue_server

RECIPES = builtin_recipes()
PATHS = {"vizier": "/viz-bin/votable", "tap": "/tap", "xmatch": "/xmatch/api/v1/sync"}
ASKING = [name for name, recipe in RECIPES.items() if recipe.fetch.get("kind") in PATHS]
N = 30
RNG = np.random.default_rng(7)
RA, DEC = RNG.uniform(0, 360, N), RNG.uniform(-85, 85, N)


def fake(recipe: Recipe) -> CatalogueServer:
    """A service that has the recipe's table: words where it keeps words, small numbers elsewhere."""
    plan = parse_fetch(recipe)
    assert isinstance(plan, VizierPlan | TapPlan | XmatchPlan)
    place = recipe.position
    assert place is not None
    words = {kept.source for kept in recipe.kept if pa.types.is_string(kept.column.arrow_type)}
    columns = {
        name_in_answer(there): [f"w{i}" if here in words else str(i + 1) for i in range(N)]
        for here, there in plan.columns.items()
    }
    ra, dec = (name_in_answer(plan.columns[name]) for name in (place.ra, place.dec))
    columns |= {ra: [f"{x:.7f}" for x in RA], dec: [f"{x:.7f}" for x in DEC]}
    if recipe.fetch.get("where"):
        columns |= {name: ["1"] * N for name in recipe.fetch["where"]}
    table = {VizierPlan: "source", TapPlan: "table", XmatchPlan: "catalogue"}[type(plan)]
    return CatalogueServer(columns, name=getattr(plan, table), ra=ra, dec=dec)


@pytest.mark.parametrize("name", ASKING)
def test_a_recipe_fetches_what_it_builds(tmp_path, name):
    recipe = RECIPES[name]
    where = Positions(RA, DEC) if recipe.fetch["kind"] == "xmatch" else None
    with catalogue_server(fake(recipe)) as server:
        here = replace(recipe, fetch={**recipe.fetch, "url": server.url + PATHS[recipe.fetch["kind"]]})
        path = fetch_table(here, tmp_path, where=where, sleep=lambda seconds: None)
    build_catalog(recipe, path, tmp_path / "built", now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    catalog = open_catalog(tmp_path / "built" / name)
    year_2000 = np.full(N, 51_544.5 + 365.25 * ((recipe.position.epoch if recipe.position else 2000.0) - 2000.0))
    batch = pa.RecordBatch.from_pydict(
        {"ra": pa.array(RA), "dec": pa.array(DEC), "hpx29": pa.array(hpx29(RA, DEC)), "mjd": pa.array(year_2000)}
    )
    found = catalog.match(batch)
    assert all(values.null_count == 0 for values in found.values())
    assert max(found[f"{name}_arcsec"].to_pylist()) < 0.01
