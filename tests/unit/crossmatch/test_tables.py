import gzip
import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.table_file import open_table
from redpoll.catalogs.tables import require_columns

ROWS = {"name": ["a", "b", "c"], "ra": [10.0, 20.0, 30.0], "n": [1, 2, None]}


def read(path, names=("name", "ra", "n")):
    with open_table(path) as table:
        return {n: [v for b in table.batches(names) for v in b[n].to_pylist()] for n in names}


def written(path, kind):
    if kind == "parquet":
        pq.write_table(pa.table(ROWS), path)
        return path
    table = Table(ROWS | {"n": MaskedColumn([1, 2, 3], mask=[False, False, True])})
    table["n"].fill_value = -99
    table.write(path, format=kind)
    return path


@pytest.mark.parametrize("kind", ["parquet", "fits", "votable"])
def test_every_kind_is_seen_from_its_bytes_and_reads_the_same(kind, tmp_path):
    assert read(written(tmp_path / "stars.dat", kind)) == ROWS


@pytest.mark.parametrize("kind", ["fits", "votable"])
def test_a_gzipped_table_reads_the_same(kind, tmp_path):
    plain = written(tmp_path / "stars.dat", kind)
    packed = tmp_path / "stars.dat.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read(packed) == ROWS


TEXTS = {
    "commas": "name,ra,n\na,10,1\nb,20,2\n",
    "padded and quoted": '"name" , "ra" , n\n "a" , 10 , "1 " \n "b" , 20 ,2\n',
    "tabs": "name\tra\tn\na\t10\t1\nb\t20\t2\n",
    "semicolons": "name;ra;n\r\na;10;1\r\nb;20;2\r\n",
    "bars": "name|ra|n\na|10|1\nb|20|2\n",
    "comments and units and a rule": "#\n# from VizieR\nname\tra\tn\n\tdeg\t\n----\t---\t--\na\t10\t1\nb\t20\t2\n",
    "byte order mark": "\ufeffname,ra,n\na,10,1\nb,20,2\n",
    "no end of line": "name,ra,n\na,10,1\nb,20,2",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_of_every_fashion_reads_the_same(text, tmp_path):
    (tmp_path / "stars.csv").write_text(text, encoding="utf-8", newline="")
    assert read(tmp_path / "stars.csv") == {"name": ["a", "b"], "ra": ["10", "20"], "n": ["1", "2"]}


def test_text_in_latin_1_reads(tmp_path):
    (tmp_path / "stars.csv").write_bytes("name,ra\nH\xe9l\xe8ne,1\n".encode("latin1"))
    assert read(tmp_path / "stars.csv", ("name",)) == {"name": ["H\xe9l\xe8ne"]}


def test_rows_of_another_length_are_counted_and_left_out(tmp_path):
    (tmp_path / "stars.csv").write_text("name,ra\na,1\nb\nc,2,3\nd,4\n")
    with open_table(tmp_path / "stars.csv") as table:
        names = [v for b in table.batches(["name"]) for v in b["name"].to_pylist()]
        assert (names, table.n_odd) == (["a", "d"], 2)


def test_fields_of_structs_are_read_by_their_path(tmp_path):
    pq.write_table(pa.table({"m": pa.array([{"1": 0.5, "2": None}])}), tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet", ("m.1", "m.2")) == {"m.1": [0.5], "m.2": [None]}
    with pytest.raises(CatalogError, match="no field '3'"):
        read(tmp_path / "x.parquet", ("m.3",))


def test_a_missing_column_names_the_near_ones(tmp_path):
    with (
        open_table(written(tmp_path / "stars", "parquet")) as table,
        pytest.raises(CatalogError, match="'nam'; near: name"),
    ):
        require_columns(table, ["nam"], "stars")


def test_images_and_wide_cells_are_refused(tmp_path):
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(tmp_path / "image.fits")
    with pytest.raises(CatalogError, match="holds no table"):
        read(tmp_path / "image.fits")
    Table({"ra": np.zeros((3, 4))}).write(tmp_path / "wide.fits")
    with pytest.raises(CatalogError, match="only plain columns"):
        read(tmp_path / "wide.fits", ("ra",))


HOSTILE = {
    "nothing": b"",
    "zeros": bytes(5000),
    "cut parquet": b"PAR1" + bytes(100),
    "cut fits": b"SIMPLE  =                    T" + b" " * 3000,
    "cut xml": b'<?xml version="1.0"?><VOTABLE><RESOURCE><TABLE><FIELD name="ra"',
    "one word": b"hello",
    "no line end": b"a,b" * 400_000,
    "doubled header": b"ra,ra\n1,2\n",
    "cut gzip": gzip.compress(b"name,ra\n" + b"a,1\n" * 10_000)[:60],
    "entities": b'<?xml version="1.0"?><!DOCTYPE V [<!ENTITY x SYSTEM "file:///etc/passwd">]><VOTABLE/>',
    "data elsewhere": b'<?xml version="1.0"?><VOTABLE><RESOURCE><TABLE><FIELD name="ra" datatype="double"/><DATA>'
    b'<BINARY><STREAM href="file:///etc/passwd"/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>',
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_table_is_refused_in_words(content, tmp_path):
    (tmp_path / "stars").write_bytes(content)
    with pytest.raises(CatalogError, match="stars"):
        read(tmp_path / "stars", ("ra",))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CatalogError, match="No such file"):
        read(tmp_path / "none.csv")


def test_a_gzip_bomb_is_refused(tmp_path):
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(bytes(250_000_000), 9))
    with pytest.raises(CatalogError, match="unpacks to more than"):
        read(tmp_path / "bomb.csv.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["bomb.csv.gz"]


def test_a_long_text_is_read_in_bounded_memory(tmp_path):
    (tmp_path / "long.csv").write_text("name,ra\n" + "some star,12.5\n" * 3_000_000)
    with open_table(tmp_path / "long.csv") as table:
        tracemalloc.start()
        before = pa.total_allocated_bytes()
        peak = n = 0
        for batch in table.batches(["ra"]):
            n += len(batch["ra"])
            peak = max(peak, pa.total_allocated_bytes() - before + tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert n == 3_000_000 and peak < 300_000_000
