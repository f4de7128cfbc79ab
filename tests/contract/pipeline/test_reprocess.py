"""Reprocessing with a node gives the store that a run with the node from the start gives, bit for bit."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from redpoll.catalogs.build import build_catalog
from redpoll.catalogs.recipe import parse_recipe
from redpoll.config import Config, Cuts, RunConfig
from redpoll.errors import StoreError, UsageError
from redpoll.ingest.files import open_sources
from redpoll.pipeline.reprocess import prepare, reprocess
from redpoll.pipeline.reprocess_plan import Wanted
from redpoll.pipeline.run import run_night
from redpoll.plugin.discovery import installed_filters, installed_modules
from redpoll.plugin.expression_filter import expression_filter
from redpoll.plugin.files import Loaded, load_file
from redpoll.simulate import simulate_night
from redpoll.store import Selection, open_store
from redpoll.testing.store_contents import contents

ON = ("rise_rate", "brightness_history", "is_good")
"""The installed modules of these tests: they run fast and read light curves and other modules' columns."""
ALL = Selection()
BASE = """
from redpoll import Column, alert_filter, science_module

@science_module(version="{version}", outputs={{"level": Column("float64", "mag", "A magnitude.", aggregate="max")}})
def level(mag):
    "A magnitude."
    return mag * {factor}

@science_module(version="1", outputs={{"p_even": Column("float32", doc="A score.", assigns="agn"),
                                      "is_far": Column("bool", doc="Far from the last.", assigns="tde")}})
def even(level, n_points):
    "A score, and whether it is large."
    p = (level * 100 % 10) / 10
    return p, p > 0.3

@alert_filter(topic="low")
def low(level, is_far):
    "Bright, or far."
    return (level < 18.5) & is_far
"""
MORE = """
import hashlib
import numpy as np
from redpoll import Column, alert_filter, science_module

@science_module(version="3", outputs={"seen": Column("string", doc="Digest of the light curve as it is seen."),
                                      "n_seen": Column("int32", doc="Points.", indexed=False)}, per="object")
def seen(light_curve, packet_light_curve):
    "What is seen of an object."
    curve = light_curve
    text = b"".join(np.asarray(v).tobytes() for v in (curve.mjd, curve.flux, curve.flux_err, curve.band, curve.kind))
    return hashlib.sha256(text).hexdigest()[:16], len(curve.mjd) - len(packet_light_curve.mjd)

@science_module(version="1", outputs={"p_late": Column("float32", doc="A score.", assigns="sn_ia", aggregate="max")})
def late(n_seen, level):
    "A score."
    return (n_seen % 5) / 5 + 0 * level

@alert_filter(topic="rather_late")
def rather_late(p_late):
    "Late."
    return p_late > 0.4
"""
SHAKY = """
from redpoll import Column, science_module

@science_module(version="1", outputs={"shaky": Column("int64", doc="The identifier.")}, per="object")
def shaky(alert_id):
    "The identifier, if it can be divided."
    if alert_id % 3 == 0:
        raise ValueError("three")
    return alert_id

@science_module(version="1", outputs={"on_shaky": Column("float32", doc="On it.")})
def on_shaky(shaky):
    "On it."
    return shaky % 10
"""
FLAG = """
from redpoll import Column, science_module

@science_module(version="1", outputs={"is_new": Column("bool", doc="Always true.")})
def new(mag):
    "Always true."
    return mag > 0
"""


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Packets of the same stars in four nights."""
    folder = tmp_path_factory.mktemp("nights")
    simulate_night(folder, survey="ztf", n_alerts=48, seed=3, nights=4, fractions={"rr_lyrae": 0.7, "sn_ia": 0.3})
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A configuration with a few modules and those of a file; no cuts."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "base.py").write_text(BASE.format(version="1", factor="1.0"))
    off = [tuple(n.name for n in nodes if n.name not in ON) for nodes in (installed_modules(), installed_filters())]
    config = Config()
    return replace(
        config, plugins=(str(folder / "base.py"),), quality=replace(config.quality, ztf=Cuts(), rubin=Cuts()),
        modules=replace(config.modules, off=off[0]), filters=replace(config.filters, off=off[1]),
        run=RunConfig(workers=0, batch_size=17),
        crossmatch=replace(config.crossmatch, catalogs=str(folder / "catalogs")),
    )  # fmt: skip


def run(packets, path, config):
    """Run packets into a store, and return what it has then."""
    report = run_night(open_sources([packets]), path, config)
    assert report.is_complete
    return report


def everything(path):
    with open_store(path) as store:
        assert store.maintenance.check().problems == ()
        return contents(store)


@pytest.fixture(scope="module")
def stored(nights, base, tmp_path_factory):
    """A store of the packets without anything new, to be copied by `store`."""
    path = tmp_path_factory.mktemp("stored") / "store"
    run(nights, path, base)
    return path


@pytest.fixture
def store(stored, tmp_path):
    """A copy of a store without anything new."""
    import shutil

    shutil.copytree(stored, tmp_path / "store")
    return tmp_path / "store"


def with_plugin(config, tmp_path, text, name="more.py"):
    (tmp_path / name).write_text(text)
    return replace(config, plugins=(*config.plugins, str(tmp_path / name)))


def with_watchlist(config, tmp_path, nights):
    ra, dec = positions(config, tmp_path, nights)
    lines = [f"{a},{d},3,star {i}" for i, (a, d) in enumerate(zip(ra, dec, strict=True)) if i % 2]
    (tmp_path / "list.csv").write_text("\n".join(["ra,dec,radius_arcsec,name", *lines]))
    lists = {"mine": str(tmp_path / "list.csv")}
    return replace(config, crossmatch=replace(config.crossmatch, watchlists=lists))


def positions(config, tmp_path, nights):
    """Positions of the objects of the packets."""
    run(nights, tmp_path / "positions", config)
    with open_store(tmp_path / "positions") as store:
        table = store.alerts.scan(["object_id", "ra", "dec"], order_by="oldest").to_table()
    chosen = {row["object_id"]: (row["ra"], row["dec"]) for row in table.to_pylist()}
    return np.array(list(chosen.values())).T


def with_vsx(config, tmp_path, nights):
    """The configuration with a catalogue of variables, under the objects; its types are classes."""
    ra, dec = positions(config, tmp_path, nights)
    recipe = (
        'title = "V"\n[position]\nra = "ra"\ndec = "dec"\n[match]\nradius_arcsec = 2.0\n[columns.stars_type]\n'
        'source = "type"\ndtype = "string"\ndoc = "T."\nassigns = "@vsx"\n'
    )
    kinds = np.array(["EA", "RRAB", "M"])[np.arange(len(ra)) % 3]
    pq.write_table(pa.table({"ra": ra, "dec": dec, "type": kinds}), tmp_path / "stars.parquet")
    folder = tmp_path / "catalogs"
    build_catalog(parse_recipe(recipe, "stars"), tmp_path / "stars.parquet", folder)
    return replace(config, crossmatch=replace(config.crossmatch, catalogs=str(folder)))


def with_sky_map(config, tmp_path, nights):
    cells = np.arange(12 * 4**3)
    columns = {"UNIQ": 4 * 4**3 + cells, "PROBDENSITY": np.exp(-(((cells - 300) / 200.0) ** 2)),
               "DISTMU": np.full(len(cells), 120.0), "DISTSIGMA": np.full(len(cells), 30.0)}  # fmt: skip
    table = fits.BinTableHDU.from_columns(
        [fits.Column(n, "K" if n == "UNIQ" else "D", array=v) for n, v in columns.items()]
    )
    table.header.update({"ORDERING": "NUNIQ", "OBJECT": "GW1", "DATE-OBS": "2025-09-10T21:10:39"})
    table.writeto(tmp_path / "gw1.fits")
    maps = {"gw1": str(tmp_path / "gw1.fits")}
    return replace(config, crossmatch=replace(config.crossmatch, sky_maps=maps))


CHANGES = {
    "modules and a filter": (
        lambda c, f, n: with_plugin(c, f, MORE), Wanted(modules=("seen", "late"), filters=("rather_late",))
    ),
    "a module, and what depends on it": (lambda c, f, n: with_plugin(c, f, MORE), Wanted(modules=("seen",))),
    "a filter, and what it needs": (lambda c, f, n: with_plugin(c, f, MORE), Wanted(filters=("rather_late",))),
    "a new version of a module that others read": (
        lambda c, f, n: replace(with_plugin(c, f, BASE.format(version="2", factor="1.01"), "base.py"),
                                plugins=(str(f / "base.py"),)),
        Wanted(modules=("level",)),
    ),
    "a module that fails on some alerts": (
        lambda c, f, n: with_plugin(c, f, SHAKY), Wanted(modules=("shaky", "on_shaky"))
    ),
    "an expression": (
        lambda c, f, n: replace(c, filters=replace(c.filters, expressions={"ours": "level < 19 and is_far"})),
        Wanted(filters=("ours",)),
    ),
    "a watchlist": (with_watchlist, Wanted(contexts=("mine",))),
    "a catalogue": (with_vsx, Wanted(contexts=("stars",))),
    "a sky map": (with_sky_map, Wanted(contexts=("gw1",))),
    "everything": (
        lambda c, f, n: with_sky_map(with_plugin(with_vsx(c, f, n), f, MORE), f, n), Wanted()
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "workers"), [*((name, 0) for name in CHANGES), ("everything", 2)])
def test_the_store_is_that_of_a_run_with_the_node_from_the_start(name, workers, store, nights, base, tmp_path):
    change, wanted = CHANGES[name]
    config = change(base, tmp_path, nights)
    report = run(nights, tmp_path / "from-the-start", config)
    found = reprocess(store, replace(config, run=RunConfig(workers, 13)), wanted, ALL)
    assert (found.status, found.alerts, found.kept) == ("done", report.stored, {})
    assert everything(store) == everything(tmp_path / "from-the-start")
    assert sorted(found.lost) == sorted(report.failures)


@pytest.mark.parametrize("moment", ["before", "after", "before and after", "between"])
def test_compaction_changes_nothing(moment, store, nights, base, tmp_path):
    config = with_plugin(base, tmp_path, MORE)
    run(nights, tmp_path / "from-the-start", config)

    def compact():
        with open_store(store, mode="write") as opened:
            opened.maintenance.compact()

    if "before" in moment:
        compact()
    if moment == "between":
        reprocess(store, config, Wanted(modules=("seen",)), Selection(night=first_night(store)))
        compact()
    reprocess(store, config, Wanted(modules=("seen",)), ALL)
    if "after" in moment:
        compact()
    assert everything(store) == everything(tmp_path / "from-the-start")


def first_night(path):
    with open_store(path) as store:
        return int(store.alerts.scan(["night"], order_by="oldest", limit=1).to_table()["night"][0].as_py())


def test_only_selected_alerts_have_new_values(store, base, tmp_path):
    before = everything(store)
    night = first_night(store)
    config = with_plugin(base, tmp_path, MORE)
    reprocess(store, config, Wanted(modules=("seen",)), Selection(night=night))
    with open_store(store) as opened:
        rows = opened.alerts.scan(["night", "seen", "alert_id", "survey"]).to_table().to_pylist()
    assert {row["seen"] is not None for row in rows if row["night"] == night} == {True}
    assert {row["seen"] for row in rows if row["night"] != night} == {None}
    after = everything(store)["alerts"]
    others = [(row["survey"], row["alert_id"]) for row in rows if row["night"] != night]
    assert others
    assert all(after[key] == before["alerts"][key] for key in others)


def test_a_failure_keeps_the_values_before_and_is_reported(store, base, tmp_path):
    before = everything(store)
    broken = BASE.format(version="2", factor="1.0").replace("return mag * 1.0", 'raise ValueError("no luck")')
    config = replace(with_plugin(base, tmp_path, broken, "base.py"), plugins=(str(tmp_path / "base.py"),))
    report = reprocess(store, config, Wanted(modules=("level",)), ALL)
    assert everything(store) == before
    assert report.exit_code == 1
    assert report.lost["level"] == report.kept["level"] == report.kept["even"] == report.kept["low"] == report.alerts
    assert "no luck" in report.reasons["level"]


def test_where_a_module_fails_on_some_alerts_the_others_have_new_values(store, base, tmp_path):
    config = with_plugin(base, tmp_path, SHAKY.replace("alert_id % 3 == 0", "False"))
    reprocess(store, config, Wanted(modules=("shaky",)), ALL)
    worse = SHAKY.replace('version="1", outputs={"shaky"', 'version="2", outputs={"shaky"')
    config = with_plugin(base, tmp_path, worse.replace("return alert_id", "return -alert_id"))
    report = reprocess(store, config, Wanted(modules=("shaky",)), ALL)
    with open_store(store) as opened:
        rows = opened.alerts.scan(["survey", "alert_id", "shaky", "on_shaky"]).to_table().to_pylist()
        makers = [opened.alerts.provenance(row["alert_id"], row["survey"])["shaky"] for row in rows]
    kept = [row["alert_id"] % 3 == 0 for row in rows]
    assert any(kept) and not all(kept)
    assert [row["shaky"] for row in rows] == [r["alert_id"] * (1 if k else -1) for r, k in zip(rows, kept, strict=True)]
    assert makers == ["shaky@1" if k else "shaky@2" for k in kept]
    assert report.lost["shaky"] == report.kept["shaky"] == report.kept["on_shaky"] == sum(kept)


def test_the_values_before_are_in_the_history_of_the_alert(store, base, tmp_path):
    config = CHANGES["a new version of a module that others read"][0](base, tmp_path, None)
    reprocess(store, config, Wanted(modules=("level",)), ALL)
    with open_store(store) as opened:
        row = opened.alerts.scan(["survey", "alert_id", "mag"], limit=1).to_table().to_pylist()[0]
        history = opened.revisions.of_alert(row["alert_id"], row["survey"]).to_pylist()
    entry = next(entry for entry in history if entry["column"] == "level")
    assert (entry["by_before"], entry["by_after"]) == ("level@1", "level@2")
    assert float(entry["value_before"]) == pytest.approx(row["mag"])
    assert float(entry["value_after"]) == pytest.approx(1.01 * row["mag"])


def test_an_alert_whose_input_flag_is_unknown_is_left_as_it_is(store, nights, base, tmp_path):
    """Of a module that was installed later, the alerts before have no values."""
    config = with_plugin(base, tmp_path, FLAG)
    night = first_night(store)
    reprocess(store, config, Wanted(modules=("new",)), Selection(night=night))
    with_filter = replace(config, filters=replace(config.filters, expressions={"on_new": "is_new"}))
    report = reprocess(store, with_filter, Wanted(filters=("on_new",)), ALL)
    with open_store(store) as opened:
        nights = set(opened.alerts.scan(["night"], Selection(topic="on_new")).to_table()["night"].to_pylist())
    assert nights == {night}
    assert report.unknown["is_new"] > 0 and report.exit_code == 1
    assert reprocess(store, with_filter, Wanted(modules=("new",)), ALL).exit_code == 0


def test_a_finished_reprocessing_is_not_done_again_unless_asked(store, base, tmp_path):
    config = with_plugin(base, tmp_path, MORE)
    first = reprocess(store, config, Wanted(modules=("seen",)), ALL)
    again = reprocess(store, config, Wanted(modules=("seen",)), ALL)
    assert (again.status, again.alerts, again.job) == ("done before", 0, first.job)
    assert again.finished
    before = everything(store)
    forced = reprocess(store, config, Wanted(modules=("seen",)), ALL, again=True)
    assert (forced.status, forced.alerts, sum(forced.changed.values())) == ("done", first.alerts, 0)
    assert everything(store) == before


def test_a_reprocessing_whose_values_another_one_replaced_is_done_again(store, base):
    def ours(text):
        config = replace(base, filters=replace(base.filters, expressions={"ours": text}))
        report = reprocess(store, config, Wanted(filters=("ours",)), ALL)
        with open_store(store) as opened:
            return report.status, opened.alerts.scan(["alert_id"], Selection(topic="ours")).to_table().num_rows

    many, few = ours("mag < 30"), ours("mag < 18.5")
    assert many[1] > few[1]
    assert ours("mag < 30") == many
    assert ours("mag < 30") == ("done before", many[1])


def test_the_key_follows_versions_code_settings_and_selection(store, base, tmp_path):
    config = with_plugin(base, tmp_path, MORE)
    wanted = Wanted(modules=("seen",))

    def key(config=config, wanted=wanted, selection=ALL):
        return prepare(store, config, wanted, selection).job

    keys = {key(), key(selection=Selection(night=20250910)), key(wanted=Wanted(modules=("level",)))}
    keys.add(key(dataclasses.replace(config, classes=dataclasses.replace(config.classes, min_probability=0.6))))
    (tmp_path / "more.py").write_text(MORE + "\n# changed, with the same version\n")
    keys.add(key())
    assert len(keys) == 5
    assert key() == key()


def test_nodes_of_the_command_line_run_beside_those_of_the_configuration(store, base, tmp_path):
    (tmp_path / "more.py").write_text(MORE)
    loaded = load_file(tmp_path / "more.py")
    own = Loaded(loaded.modules, [*loaded.filters, expression_filter("close", "n_seen < 3")])
    plan = prepare(store, base, Wanted(filters=("close",), own=own), ALL).plan
    assert {node.name: node.why for node in plan.nodes} == {
        "seen": "n_seen is not stored yet", "late": "reads n_seen", "rather_late": "reads p_late", "close": "named",
    }  # fmt: skip
    assert reprocess(store, base, Wanted(filters=("close",), own=own), ALL).status == "done"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted(modules=("levle",)), "no module 'levle'; near: level"),
        (Wanted(filters=("no_such",)), "no filter 'no_such'"),
        (Wanted(contexts=("vsx",)), "redpoll catalog add vsx"),
        (Wanted(contexts=("\x1b[2J",)), "no catalogue"),
    ],
)
def test_an_unknown_name_is_refused(wanted, message, store, base):
    with pytest.raises(UsageError, match=message):
        reprocess(store, base, wanted, ALL)


def test_nothing_selected_is_no_job(store, base, tmp_path):
    config = with_plugin(base, tmp_path, MORE)
    report = reprocess(store, config, Wanted(modules=("seen",)), Selection(where="mag < 1"))
    assert (report.status, report.exit_code) == ("nothing selected", 0)
    with open_store(store) as opened:
        assert opened.revisions.jobs().num_rows == 0


def test_a_store_that_is_not_there_is_not_made(base, tmp_path):
    with pytest.raises(StoreError, match="there is no Redpoll store"):
        reprocess(tmp_path / "nowhere", base, Wanted(), ALL)
    assert not (tmp_path / "nowhere").exists()


def test_two_surveys_in_one_chunk_are_both_reprocessed(nights, rubin_night, base, tmp_path):
    config = with_plugin(base, tmp_path, MORE)
    for name, made in (("store", base), ("from-the-start", config)):
        for packets in (nights, rubin_night):
            run(packets, tmp_path / name, made)
    report = reprocess(tmp_path / "store", replace(config, run=RunConfig(0, 10**6)), Wanted(modules=("seen",)), ALL)
    assert report.alerts > 80
    assert everything(tmp_path / "store") == everything(tmp_path / "from-the-start")
