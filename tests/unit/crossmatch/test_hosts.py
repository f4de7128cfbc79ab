"""The likely host is the galaxy of the smallest distance in its own half-light radii; what is not known is null."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.cosmology import Planck18

from redpoll.astro.sky import hpx29
from redpoll.catalogs.build import build_catalog
from redpoll.catalogs.recipe import builtin_recipes
from redpoll.crossmatch.catalog import open_catalog
from redpoll.crossmatch.context import Missing
from redpoll.crossmatch.galaxies import default_size
from redpoll.crossmatch.hosts import COLUMNS, Hosts, HostSettings, open_hosts

RECIPES = builtin_recipes()


def alerts(ra, dec) -> pa.RecordBatch:
    ra, dec = (np.atleast_1d(np.asarray(x, np.float64)) for x in (ra, dec))
    known = np.isfinite(ra) & np.isfinite(dec)
    cells = np.zeros(len(ra), np.int64)
    cells[known] = hpx29(ra[known], dec[known])
    columns = {"ra": ra, "dec": dec, "hpx29": pa.array(cells, mask=~known), "mjd": np.full(len(ra), 60_000.0)}
    return pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()})


def glade(*rows) -> dict:
    """Rows of ra, dec, z, zErr, B."""
    ra, dec, z, err, mag = (np.array(x, np.float64) for x in zip(*rows, strict=True))
    return {"RA": ra, "DEC": dec, "z": z, "zErr": err, "B": mag, "BErr": mag * np.nan}


def mangrove(*rows) -> dict:
    """Rows of ra, dec, luminosity distance, redshift, HyperLEDA name, 2MASS name."""
    ra, dec, distance, z, name, twomass = zip(*rows, strict=True)
    angular = np.array(distance) / (1 + np.array(z)) ** 2
    return {
        "ra": ra,
        "dec": dec,
        "lum_dist": distance,
        "ang_dist": angular,
        "HyperLEDA_name": name,
        "2MASS_name": twomass,
    }


def hyperleda(*rows) -> dict:
    """Rows of ra, dec, number, logD25, logR25, position angle."""
    names = ("_RAJ2000", "_DEJ2000", "PGC", "logD25", "logR25", "PA")
    return dict(zip(names, map(np.array, zip(*rows, strict=True)), strict=True))


def hosts(folder: Path, settings: HostSettings | None = None, **tables: dict) -> Hosts:
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
        build_catalog(RECIPES[name], folder / f"{name}.parquet", folder)
    opened = {name: open_catalog(folder / name) for name in tables}
    made = open_hosts(opened, settings or HostSettings())
    assert isinstance(made, Hosts)
    return made


def host(made: Hosts, ra: float, dec: float) -> dict:
    return {name: values[0].as_py() for name, values in made.match(alerts(ra, dec)).items()}


ARCSEC = 1 / 3600


def test_the_larger_galaxy_wins_though_it_is_further_away(tmp_path):
    large, small = (180.0, 0.0, 0.005, 0.0001, 11.0), (180.0 + 70 * ARCSEC, 0.0, 0.1, 0.0001, 17.0)
    made = hosts(tmp_path, glade=glade(large, small))
    found = host(made, 180.0 + 50 * ARCSEC, 0.0)
    assert found["host_redshift"] == pytest.approx(0.005)
    assert found["host_arcsec"] == pytest.approx(50.0, rel=1e-5)
    assert found["host_d_dlr"] == pytest.approx(50.0 / default_size(*physical(0.005, 11.0))[0], rel=1e-5)


@pytest.mark.parametrize(
    ("z", "err", "factor", "is_corrected"),
    [
        (0.03, 0.0005, 0.6, True),
        (0.03, 0.0005, 0.9, False),
        (0.03, 0.01, 0.6, False),
        (0.009, 0.0005, 0.6, False),
        (0.0016, 0.00005, 0.33, False),
        (0.0016, 0.00005, 0.3, True),
    ],
)
def test_a_distance_that_a_spectroscopic_redshift_contradicts_is_that_of_the_redshift(
    z, err, factor, is_corrected, tmp_path
):
    by_redshift = Planck18.luminosity_distance(z).value
    row = (180.0, 0.0, factor * by_redshift, z, "NGC 1", "None")
    made = hosts(tmp_path, mangrove=mangrove(row), glade=glade((180.0, 0.0, z, err, 14.0)))
    expected = by_redshift if is_corrected else factor * by_redshift
    assert host(made, 180.0, 0.0)["host_distance_modulus"] == pytest.approx(5 * np.log10(expected) + 25, abs=0.01)


@pytest.mark.parametrize(
    ("mag", "z", "is_fragment"),
    [(16.0, 0.0015, True), (np.nan, 0.0015, True), (11.4, 0.0015, True), (11.1, 0.0015, False), (16.0, 0.004, False)],
)
def test_a_piece_of_a_large_galaxy_is_no_host(mag, z, is_fragment, tmp_path):
    """As around M 101, whose star-forming regions are listed as galaxies."""
    at = 180.0 + 250 * ARCSEC
    whole, piece = (180.0, 0.0, 0.0015, 0.0001, 8.3), (at, 0.0, z, 0.0001, mag)
    found = host(hosts(tmp_path, glade=glade(whole, piece)), at + 10 * ARCSEC, 0.0)
    assert found["host_arcsec"] == pytest.approx(260.0 if is_fragment else 10.0, rel=1e-3)


def test_a_number_of_hyperleda_is_a_name(tmp_path):
    rows = [(180.0, 0.0, 100.0, 0.02, "2816340.0", "None"), (190.0, 0.0, 100.0, 0.02, "NGC5457", "None")]
    made = hosts(tmp_path, mangrove=mangrove(*rows))
    assert [host(made, ra, 0.0)["host_name"] for ra in (180.0, 190.0)] == ["PGC 2816340", "NGC5457"]


def physical(z: float, mag: float):
    return np.array([Planck18.luminosity_distance(z).value]), np.array([z]), np.array([mag])


def test_distances_are_those_of_astropy(tmp_path):
    found = host(hosts(tmp_path, glade=glade((10.0, 20.0, 0.03, 0.001, 14.0))), 10.0, 20.0 + 10 * ARCSEC)
    kpc = 10.0 * Planck18.kpc_proper_per_arcmin(0.03).value / 60
    assert found["host_kpc"] == pytest.approx(kpc, rel=1e-4)
    assert found["host_distance_modulus"] == pytest.approx(Planck18.distmod(0.03).value, rel=1e-6)
    assert found["host_redshift_err"] == pytest.approx(0.001)
    assert (found["host_catalogue"], found["host_name"]) == ("glade", None)


def test_a_galaxy_is_found_as_far_as_its_size_reaches_and_not_beyond(tmp_path):
    made = hosts(tmp_path, glade=glade((50.0, -30.0, 0.003, 0.0001, 9.5), (90.0, 5.0, 0.1, 0.0001, 16.9)))
    reach = 5 * default_size(*physical(0.003, 9.5))[0]
    assert 60 < reach < 600
    assert host(made, 50.0, -30.0 + (reach - 1) * ARCSEC)["host_d_dlr"] == pytest.approx(5.0, abs=0.05)
    assert host(made, 50.0, -30.0 + (reach + 1) * ARCSEC)["host_d_dlr"] is None
    assert host(made, 90.0, 5.0 + 59 * ARCSEC)["host_arcsec"] is None


def test_how_far_to_look_can_be_set(tmp_path):
    wide = HostSettings(radius_arcsec=60.0, max_d_dlr=1e9)
    made = hosts(tmp_path, wide, glade=glade((90.0, 5.0, 0.1, 0.0001, 16.9)))
    assert host(made, 90.0, 5.0 + 590 * ARCSEC)["host_arcsec"] == pytest.approx(590.0, rel=1e-4)
    assert host(made, 90.0, 5.0 + 610 * ARCSEC)["host_arcsec"] is None


def test_a_galaxy_in_both_catalogues_counts_once_with_the_best_of_each(tmp_path):
    made = hosts(
        tmp_path,
        mangrove=mangrove((120.0, 40.0, 44.0, 0.01, "NGC0001", "None"), (200.0, 1.0, 90.0, 0.02, "None", "0001+1")),
        glade=glade((120.0, 40.0 + ARCSEC, 0.0102, 0.0001, 13.0), (200.0, 1.0, 0.05, 0.0001, 15.0)),
    )
    found = host(made, 120.0, 40.0)
    assert (found["host_name"], found["host_catalogue"]) == ("NGC0001", "mangrove")
    assert found["host_redshift"] == pytest.approx(0.0102)
    assert found["host_distance_modulus"] == pytest.approx(5 * np.log10(44.0) + 25, rel=1e-6)
    assert len(made.galaxies) == 3
    assert "2MASX J0001+1" in made.galaxies.name.to_pylist()


def test_a_galaxy_that_is_listed_twice_counts_once(tmp_path):
    twice = mangrove(
        (185.728, 15.82182, 16.6, 0.00354, "NGC4321", "None"), (185.7287, 15.8224, 23.8, 0.00524, "None", "x")
    )
    table = glade((185.728, 15.82182, 0.00354, 0.0007, 10.0), (185.7287, 15.8224, 0.00524, 0.00015, 10.5))
    made = hosts(tmp_path, mangrove=twice, glade=table)
    found = host(made, 185.728875, 15.8236)
    assert (len(made.galaxies), found["host_name"]) == (1, "NGC4321")
    assert found["host_redshift"] == pytest.approx(0.00524)


def test_one_catalogue_is_enough_and_none_is_missing(tmp_path):
    made = hosts(tmp_path, mangrove=mangrove((120.0, 40.0, 44.0, 0.01, "NGC0001", "None")))
    assert host(made, 120.0, 40.0 + 5 * ARCSEC)["host_redshift"] == pytest.approx(0.01, abs=1e-5)
    missing = open_hosts({})
    assert isinstance(missing, Missing)
    assert missing.columns == COLUMNS
    assert "mangrove" in missing.why


def test_a_measured_shape_counts_in_its_direction(tmp_path):
    edge_on = hyperleda((120.0, 40.0, 4242, 1.5, 0.7, 30.0))
    table = glade((120.0, 40.0, 0.01, 0.0001, 13.0))
    made = hosts(tmp_path, glade=table, hyperleda=edge_on)
    centre = SkyCoord(120.0 * u.deg, 40.0 * u.deg)
    along, across = (centre.directional_offset_by(x * u.deg, 40 * u.arcsec) for x in (30.0, 120.0))
    r50 = 3.0 * 10**1.5 / 1.85
    found = [host(made, position.ra.deg, position.dec.deg) for position in (along, across)]
    assert found[0]["host_d_dlr"] == pytest.approx(40 / r50, rel=1e-3)
    assert found[1]["host_d_dlr"] == pytest.approx(40 / r50 * 10**0.7, rel=1e-3)
    assert found[0]["host_name"] == "PGC 4242"


def test_hosts_across_the_date_line_and_at_the_pole_are_found(tmp_path):
    shape = hyperleda((0.0, 0.0, 1, 1.5, 0.3, 90.0), (77.0, 89.9999, 2, 1.5, 0.0, np.nan))
    made = hosts(
        tmp_path, glade=glade((0.0, 0.0, 0.01, 1e-4, 12.0), (77.0, 89.9999, 0.01, 1e-4, 12.0)), hyperleda=shape
    )
    east, west = host(made, 10 * ARCSEC, 0.0), host(made, 360 - 10 * ARCSEC, 0.0)
    assert east["host_d_dlr"] == pytest.approx(west["host_d_dlr"], rel=1e-5)
    assert east["host_d_dlr"] == pytest.approx(10 * 1.85 / (3 * 10**1.5), rel=1e-4)
    assert host(made, 257.0, 89.9999)["host_arcsec"] == pytest.approx(0.72, rel=1e-3)


def test_chance_associations_with_random_positions_are_as_frequent_as_host_chance(tmp_path):
    rng = np.random.default_rng(3)
    n = 20_000
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    same = [np.full(n, x) for x in (0.05, 1e-4, 15.0)]
    made = hosts(
        tmp_path, HostSettings(max_d_dlr=100.0, max_arcsec=600.0), glade=glade(*zip(ra, dec, *same, strict=True))
    )
    positions = alerts(rng.uniform(0, 360, 100_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 100_000))))
    chance = made.match(positions)["host_chance"].to_numpy(zero_copy_only=False)
    for p in (0.005, 0.01, 0.02):
        assert np.mean(chance < p) == pytest.approx(p, rel=0.15)


def test_an_alert_does_not_depend_on_its_neighbours_in_the_batch(tmp_path):
    rng = np.random.default_rng(4)
    rows = [(*x, 0.02, 1e-3, 14.0) for x in rng.uniform([100, -5], [101, -4], (300, 2))]
    made = hosts(tmp_path, glade=glade(*rows))
    ra, dec = rng.uniform([100, -5], [101, -4], (500, 2)).T
    ra[7] = np.nan
    whole = made.match(alerts(ra, dec))
    order = rng.permutation(500)
    parts = [made.match(alerts(ra[k], dec[k])) for k in np.array_split(order, 7)]
    assert whole["host_arcsec"].null_count < 490
    assert whole["host_arcsec"][7].as_py() is None
    for name, values in whole.items():
        assert pa.concat_arrays([part[name] for part in parts]).equals(values.take(pa.array(order)))
        assert values.type == COLUMNS[name].arrow_type


def test_an_empty_batch_has_empty_columns(tmp_path):
    made = hosts(tmp_path, glade=glade((10.0, 20.0, 0.03, 0.001, 14.0)))
    assert {name: len(values) for name, values in made.match(alerts([], [])).items()} == dict.fromkeys(COLUMNS, 0)


def test_a_host_is_the_best_of_all_pairs(tmp_path):
    """The slow twin: every pair of alert and galaxy, by astropy."""
    rng = np.random.default_rng(5)
    rows = [
        (*rng.uniform([30, 10], [30.5, 10.5]), z, 1e-3, b) for z, b in rng.uniform([0.01, 11], [0.08, 17], (150, 2))
    ]
    made = hosts(tmp_path, glade=glade(*rows))
    ra, dec = rng.uniform([30, 10], [30.5, 10.5], (200, 2)).T
    galaxies = made.galaxies
    positions = SkyCoord(galaxies.ra * u.deg, galaxies.dec * u.deg)
    angle = SkyCoord(ra[:, None] * u.deg, dec[:, None] * u.deg).separation(positions[None, :]).arcsec
    d_dlr = np.where(angle <= np.clip(5 * galaxies.r50, 60, 600), angle / galaxies.r50, np.inf)
    best = d_dlr.min(1)
    found = made.match(alerts(ra, dec))["host_d_dlr"].to_numpy(zero_copy_only=False)
    np.testing.assert_allclose(found, np.where(best <= 5, best, np.nan), rtol=1e-5)
    assert np.isfinite(found).sum() > 50


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob(".hosts-*"))


@pytest.fixture
def two_galaxies(tmp_path):
    made = hosts(tmp_path, glade=glade((50.0, -30.0, 0.003, 0.0001, 9.5), (90.0, 5.0, 0.1, 0.0001, 16.9)))
    return made, {"glade": open_catalog(tmp_path / "glade")}


def test_what_is_derived_is_kept_and_answers_alike(two_galaxies, tmp_path):
    fresh, catalogs = two_galaxies
    for _ in range(2):
        opened = open_hosts(catalogs, folder=tmp_path)
        assert opened.version == fresh.version
        assert host(opened, 90.0, 5.0 + 59 * ARCSEC) == host(fresh, 90.0, 5.0 + 59 * ARCSEC)
        assert len(kept(tmp_path)) == 1
    assert isinstance(opened.density, np.memmap) or isinstance(opened.density.base, np.memmap)


def test_other_settings_are_derived_anew_and_replace_what_was_kept(two_galaxies, tmp_path):
    _, catalogs = two_galaxies
    open_hosts(catalogs, folder=tmp_path)
    (before,) = kept(tmp_path)
    wide = open_hosts(catalogs, HostSettings(max_d_dlr=1e9), folder=tmp_path)
    assert host(wide, 90.0, 5.0 + 590 * ARCSEC)["host_arcsec"] == pytest.approx(590.0, rel=1e-4)
    (after,) = kept(tmp_path)
    assert before != after


@pytest.mark.parametrize("damage", ["names.arrow", "hpx.npy", "layers.json", "density.npy"])
def test_what_is_damaged_is_derived_anew(two_galaxies, tmp_path, damage):
    fresh, catalogs = two_galaxies
    open_hosts(catalogs, folder=tmp_path)
    (place,) = kept(tmp_path)
    (place / damage).write_bytes(b"")
    again = open_hosts(catalogs, folder=tmp_path)
    assert host(again, 50.0, -30.0) == host(fresh, 50.0, -30.0)
    assert (kept(tmp_path)[0] / damage).stat().st_size > 0


def test_a_folder_that_cannot_be_written_is_done_without(two_galaxies, tmp_path):
    _, catalogs = two_galaxies
    assert isinstance(open_hosts(catalogs, folder=tmp_path / "none"), Hosts)
