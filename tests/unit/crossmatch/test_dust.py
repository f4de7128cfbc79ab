"""Dust maps: the value of the right cell from every form of file, and forged files refused."""

from __future__ import annotations

import gzip
import io
import tracemalloc

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from healpix_geo import nested, ring

from redpoll.astro.sky import galactic
from redpoll.crossmatch.dust import MAX_ORDER, DustMap, add_dust_map
from redpoll.crossmatch.errors import SkyFileError

ORDER = 4
VALUES = np.random.default_rng(1).gamma(1.0, 0.1, 12 * 4**ORDER).astype(np.float32)


def fits_bytes(values=VALUES, ordering="NESTED", in_row=1, name="EBV", **cards):
    values = np.asarray(values)
    nside = round((len(values) / 12) ** 0.5)
    if ordering == "RING":
        values = values[ring.to_nested(np.arange(len(values), dtype=np.uint64), nside.bit_length() - 1)]
    shaped = values.reshape(-1, in_row) if in_row > 1 else values
    unit = fits.BinTableHDU.from_columns([fits.Column(name, f"{in_row}E", array=shaped)])
    unit.header.update({"ORDERING": ordering, "NSIDE": nside, "COORDSYS": "C", **cards})
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(out)
    return out.getvalue()


@pytest.fixture
def add(tmp_path):
    """The map of a file with these bytes or this table."""

    def made(content, suffix=".fits", **options):
        source = tmp_path / f"map{suffix}"
        pq.write_table(content, source) if isinstance(content, pa.Table) else source.write_bytes(content)
        return add_dust_map(source, tmp_path / "dust", **options)

    return made


def positions(n=5000):
    rng = np.random.default_rng(2)
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def expected(lon, lat):
    return VALUES[nested.lonlat_to_healpix(lon, lat, ORDER).astype(int)]


@pytest.mark.parametrize("ordering", ["NESTED", "RING"])
@pytest.mark.parametrize("in_row", [1, 256])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_each_place_has_the_value_of_its_cell(add, ordering, in_row, pack):
    ra, dec = positions()
    dust = add(pack(fits_bytes(ordering=ordering, in_row=in_row)))
    np.testing.assert_array_equal(dust.ebv(ra, dec), expected(ra, dec))


def test_a_galactic_map_is_asked_in_galactic_coordinates(add):
    ra, dec = positions()
    there = SkyCoord(ra * u.deg, dec * u.deg).galactic
    np.testing.assert_allclose(
        SkyCoord(*galactic(ra, dec), unit="deg", frame="galactic").separation(there).mas, 0, atol=30
    )
    dust = add(fits_bytes(COORDSYS="G"))
    assert np.mean(dust.ebv(ra, dec) == expected(there.l.deg, there.b.deg)) > 0.999


def test_parquet_of_mixed_orders_fills_what_it_covers(add):
    table = pa.table({"order": [0, 2, 2], "ipix": [3, 0, 1], "ebv": [0.1, 0.2, np.nan]})
    dust = add(table.replace_schema_metadata({"frame": "icrs"}), ".parquet")
    ra, dec = nested.healpix_to_lonlat(np.arange(192, dtype=np.uint64), 2)
    found = dust.ebv(ra, dec)
    assert dust.order == 2 and found[0] == np.float32(0.2) and (found[48:64] == np.float32(0.1)).all()
    assert np.isfinite(found).sum() == 17


def test_a_batch_gets_its_column_null_where_nothing_is_known(add):
    values = VALUES.copy()
    values[:256] = -1.6375e30  # as healpy marks missing pixels
    dust = add(fits_bytes(values))
    lon, lat = nested.healpix_to_lonlat(np.array([5, 300], np.uint64), ORDER)
    batch = pa.record_batch({"ra": pa.array([*lon, None, 400.0]), "dec": pa.array([*lat, 1.0, 95.0])})
    found = dust.match(batch)
    assert list(found) == list(dust.columns) and found["ebv"].type == dust.columns["ebv"].arrow_type
    assert found["ebv"].to_pylist() == [None, values[300].item(), None, None]
    assert len(dust.match(batch.slice(0, 0))["ebv"]) == 0


def test_the_version_changes_with_the_file_and_a_map_is_replaced(add, tmp_path):
    first = add(fits_bytes())
    second = add(fits_bytes(VALUES * 2))
    assert first.version != second.version and DustMap(tmp_path / "dust").version == second.version
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dust", "map.fits"]


def test_only_a_dust_map_is_replaced(add, tmp_path):
    (tmp_path / "dust").mkdir()
    (tmp_path / "dust" / "thesis.tex").write_text("years of work")
    with pytest.raises(SkyFileError, match="is not a dust map"):
        add(fits_bytes())
    assert (tmp_path / "dust" / "thesis.tex").exists()


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is not a FITS file"),
        (b"GIF89a", "is not a FITS file"),
        (fits_bytes()[:-6000], "ends in row"),
        (fits_bytes(NSIDE=8), "NSIDE 8 has 768 pixels"),
        (fits_bytes(ordering="NESTED", INDXSCHM="EXPLICIT"), "only part of the sky"),
        (fits_bytes(ORDERING="NUNIQ"), "ORDERING is 'NUNIQ'"),
        (fits_bytes(COORDSYS="E"), "unknown frame 'E'"),
        (gzip.compress(fits_bytes())[:-100], "cut short or damaged"),
        (b"PAR1 and then nothing", "is not a readable Parquet file"),
    ],
)
def test_a_file_that_is_no_map_is_refused_and_leaves_nothing(add, tmp_path, content, message):
    with pytest.raises(SkyFileError, match=message):
        add(content)
    assert [p.name for p in tmp_path.iterdir()] == ["map.fits"]


@pytest.mark.parametrize(
    "columns, message",
    [
        ({"order": [0], "ipix": [0]}, "needs columns order, ipix"),
        ({"order": [0.5], "ipix": [0], "ebv": [0.1]}, "needs columns order, ipix"),
        ({"order": [0], "ipix": [12], "ebv": [0.1]}, "not within 0..11"),
        ({"order": [-1], "ipix": [0], "ebv": [0.1]}, "not within 0..29"),
        ({"order": [0], "ipix": [-1], "ebv": [0.1]}, "not within 0..11"),
        ({"order": [29], "ipix": [0], "ebv": [0.1]}, f"the finest is {MAX_ORDER}"),
        ({"order": pa.array([0, None]), "ipix": [0, 1], "ebv": [0.1, 0.1]}, "has nulls"),
        (
            {"order": pa.array([], pa.int8()), "ipix": pa.array([], pa.int64()), "ebv": pa.array([], pa.float32())},
            "no rows",
        ),
        ({"order": [0], "ipix": [0], "ebv": [0.1]}, "give the frame"),
    ],
)
def test_a_forged_table_is_refused(add, columns, message):
    with pytest.raises(SkyFileError, match=message):
        add(pa.table(columns), ".parquet")


def test_a_file_without_a_frame_or_column_takes_the_users_word(add):
    with pytest.raises(SkyFileError, match="does not name its frame"):
        add(fits_bytes(COORDSYS=""))
    assert add(fits_bytes(COORDSYS=""), frame="galactic").frame == "galactic"
    assert add(fits_bytes(name="TAU353"), column="tau353").order == ORDER
    with pytest.raises(SkyFileError, match="no column EBV2; name one of EBV"):
        add(fits_bytes(), column="EBV2")


def test_a_huge_claim_costs_no_memory(add):
    unit = fits_bytes()
    at = unit.rindex(b"NAXIS2  =")
    forged = unit[:at] + b"NAXIS2  =           805306368".ljust(80) + unit[at + 80 :]
    at = forged.rindex(b"NSIDE   =")
    forged = forged[:at] + b"NSIDE   =                8192".ljust(80) + forged[at + 80 :]
    bomb = gzip.compress(b"SIMPLE  =" + bytes(200 << 20), compresslevel=1)
    tracemalloc.start()
    for content, message in ((forged, "finest is 11|more bytes"), (bomb, "END|FITS")):
        with pytest.raises(SkyFileError, match=message):
            add(content)
    assert tracemalloc.get_traced_memory()[1] < 60 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("name, content", [("dust.json", b"[]"), ("dust.json", b"{"), ("ebv.npy", b"\x93NUMPY")])
def test_a_damaged_folder_is_refused(add, tmp_path, name, content):
    add(fits_bytes())
    (tmp_path / "dust" / name).write_bytes(content)
    with pytest.raises(SkyFileError, match=r"again|not a dust map"):
        DustMap(tmp_path / "dust")
