"""The facts that docs/explanation/ten-objects.md tells, on the real packets with the real catalogues."""

from __future__ import annotations

import pytest

from redpoll.config import Config, CrossmatchConfig, RunConfig
from redpoll.ingest.files import open_sources
from redpoll.pipeline.run import run_night
from redpoll.store import open_store
from redpoll.testing.real_data import build_catalogues
from redpoll.testing.store_rows import alert_rows, classification_rows, full_alert, object_row

CATALOGUES = ("vsx", "gcvs", "mangrove", "glade", "symbiotic_cv", "fermi_4lac")


@pytest.fixture(scope="module")
def store(data_dir, tmp_path_factory):
    root = tmp_path_factory.mktemp("ten")
    build_catalogues(data_dir, root / "catalogs", CATALOGUES)
    places = [*sorted((data_dir / "ztf").glob("*.tar.gz")), data_dir / "rubin"]
    config = Config(run=RunConfig(workers=0), crossmatch=CrossmatchConfig(catalogs=str(root / "catalogs")))
    report = run_night(open_sources(places), root / "store", config)
    assert report.stored == 921
    with open_store(root / "store") as opened:
        yield opened


def classes_of(store, name):
    """Class -> sources that assign it, without versions."""
    found: dict[str, set[str]] = {}
    for one in classification_rows(store, name):
        found.setdefault(one["name"], set()).add(one["by"].split("@")[0])
    return found


def newest(store, name):
    """Everything about the newest alert of an object."""
    row = alert_rows(store, object_ids=[name], limit=1)[0]
    return full_alert(store, row["alert_id"], row["survey"])


def test_a_supernova_in_a_near_spiral(store):
    first = full_alert(store, 1101542291015015004, "ztf")
    assert (first["host_name"], first["host_arcsec"]) == ("NGC4321", pytest.approx(7.1, abs=0.1))
    assert "fast_risers" in {t for a in alert_rows(store, object_ids=["ZTF20aaelulu"]) for t in a["topics"]}
    assert "variable_star" not in classes_of(store, "ZTF20aaelulu")


def test_a_type_ia_supernova(store):
    row = newest(store, "ZTF21abiuvdk")
    assert row["host_name"] == "NGC7814"
    assert row["host_distance_modulus"] == pytest.approx(31.24, abs=0.01)
    assert classes_of(store, "ZTF21abiuvdk")["fast_transient"] == {"fast_transient"}
    assert "dwarf_nova" not in classes_of(store, "ZTF21abiuvdk")
    assert object_row(store, "ZTF21abiuvdk")["min_absolute_peak_mag"] == pytest.approx(-18.9, abs=0.15)


def test_a_tidal_disruption_long_after_its_peak(store):
    row = newest(store, "ZTF19abzrhgq")
    assert row["is_nuclear"] and not row["is_tde_candidate"] and row["rainbow_temperature"] is None
    assert (row["host_kpc"], row["age"]) == (pytest.approx(0.18, abs=0.01), pytest.approx(135.6, abs=0.1))


def test_a_superluminous_supernova_that_is_in_the_template(store):
    row = newest(store, "ZTF18acenqto")
    assert row["flux"] < 0 and row["mag"] == pytest.approx(row["reference_mag"], abs=0.01)
    assert row["dipper_depth"] == pytest.approx(1.0, abs=0.01) and classes_of(store, "ZTF18acenqto") == {}


def test_a_symbiotic_star(store):
    assert classes_of(store, "ZTF18absiznj") == {"symbiotic_star": {"symbiotic_cv"}}
    assert newest(store, "ZTF18absiznj")["symbiotic_cv_arcsec"] < 0.1


def test_a_dwarf_nova_in_outburst(store):
    row = newest(store, "ZTF18abcsatf")
    assert classes_of(store, "ZTF18abcsatf")["dwarf_nova"] == {"cataclysmic", "gcvs", "vsx"}
    assert row["outburst_amplitude"] == pytest.approx(3.87, abs=0.01)


def test_an_rr_lyrae_star(store):
    assert classes_of(store, "ZTF18aazxcwf") == {"rr_lyrae_ab": {"vsx"}, "variable_star": {"periodic"}}
    row = newest(store, "ZTF18aazxcwf")
    # from 271 days of joined history; six harmonics in all 724 days of its packets give 0.61451 d
    assert row["period"] == pytest.approx(0.6145, abs=2e-4)
    assert len(alert_rows(store, object_ids=["ZTF18aazxcwf"])) == 94


def test_a_star_that_faded(store):
    assert classes_of(store, "ZTF20aaaacan")["dipper"] == {"dipper"}
    assert newest(store, "ZTF20aaaacan")["vsx_type"] is None


def test_a_blazar(store):
    row = newest(store, "ZTF18acryhnx")
    assert classes_of(store, "ZTF18acryhnx") == {"bl_lac": {"fermi_4lac"}}
    assert (row["fermi_4lac_name"], row["fermi_4lac_redshift"]) == ("4FGL J1310.2-1158", pytest.approx(0.14))


def test_an_asteroid_of_rubin(store):
    row = newest(store, "21163615973357658")
    assert classes_of(store, "21163615973357658") == {"solar_system_known": {"solar_system"}}
    assert (row["sso_name"], row["roid"], row["fink_class"]) == ("2002 TZ108", "known", "Solar System MPC")
