"""Rows of Parquet copies are packets that keep their nested types."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redpoll.errors import SourceError
from redpoll.ingest.files import open_source
from redpoll.plugin.polling import all_packets


@pytest.fixture
def table() -> pa.Table:
    n = 150
    return pa.table(
        {
            "diaSource": pa.array([{"diaSourceId": i, "psfFlux": i / 2} for i in range(n)]),
            "prvDiaSources": pa.array(
                [None if i % 3 == 0 else [{"mjd": float(j)} for j in range(i % 5)] for i in range(n)]
            ),
            "cutout": pa.array([bytes([i]) * i for i in range(n)], pa.binary()),
            "band": pa.array([None if i % 7 == 0 else "gri"[i % 3] for i in range(n)]).dictionary_encode(),
        }
    )


def rows(path) -> list[pa.Table]:
    return [pa.ipc.open_stream(packet.data).read_all() for packet in all_packets(open_source(path))]


@pytest.mark.parametrize("columns", [["diaSource", "prvDiaSources", "cutout"], ["diaSource", "band"]])
def test_rows_together_are_the_table(tmp_path, table, columns):
    pq.write_table(table.select(columns), tmp_path / "a.parquet", row_group_size=40)
    found = rows(tmp_path / "a.parquet")
    assert [t.num_rows for t in found] == [1] * table.num_rows
    assert pa.concat_tables(found, promote_options="default").to_pylist() == table.select(columns).to_pylist()
    assert found[0].schema.field("diaSource").type == table.schema.field("diaSource").type


def test_a_row_does_not_carry_its_batch_along(tmp_path, table):
    pq.write_table(table.select(["diaSource", "cutout"]), tmp_path / "a.parquet")
    sizes = [len(p.data) for p in all_packets(open_source(tmp_path / "a.parquet"))]
    assert max(sizes) - min(sizes) < 400


def test_parquet_in_an_archive_is_read(tmp_path, table, put, tar, gz):
    pq.write_table(table, tmp_path / "a.parquet")
    path = put("a.tar.gz", gz(tar({"a.parquet": (tmp_path / "a.parquet").read_bytes()})))
    positions = [str(p.position) for p in all_packets(open_source(path))]
    assert positions[-1] == "member a.parquet (1), row 150"


def test_bytes_read_are_the_fraction_of_rows(tmp_path, table):
    pq.write_table(table, tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet")
    read = [source.n_read for _ in all_packets(source, at_once=1)]
    assert read == sorted(read)
    assert source.n_read == source.n_bytes


@pytest.mark.parametrize("columns", [{"alert_id": [1]}, {"diaSource": [1]}, {"candidate": ["x"]}])
def test_rows_that_are_no_alerts_are_refused_at_once(tmp_path, columns):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="no struct candidate nor diaSource"):
        list(all_packets(open_source(tmp_path / "a.parquet")))


def test_a_table_without_rows_gives_none(tmp_path, table):
    pq.write_table(table[:0], tmp_path / "a.parquet")
    assert rows(tmp_path / "a.parquet") == []


def test_a_damaged_table_is_told(tmp_path, table):
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=40, compression="zstd")
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[400 : len(data) // 2] = bytes(len(data) // 2 - 400)
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.parquet"):
        list(all_packets(open_source(tmp_path / "a.parquet")))


def test_text_that_is_no_text_in_a_table_is_told(tmp_path, table):
    pq.write_table(table, tmp_path / "a.parquet", store_schema=False)
    data = (tmp_path / "a.parquet").read_bytes().replace(b"psfFlux", b"psf\xb7lux")
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(SourceError, match="copy it again"):
        list(all_packets(open_source(tmp_path / "a.parquet")))


def test_rows_that_are_not_there_are_told(tmp_path, table, monkeypatch):
    pq.write_table(table, tmp_path / "a.parquet")
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda self, batch_size: iter([table.to_batches()[0][:9]]))
    with pytest.raises(SourceError, match="9 rows where the Parquet file claims 150"):
        list(all_packets(open_source(tmp_path / "a.parquet")))


def test_a_cut_table_is_told(tmp_path, table):
    pq.write_table(table, tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data[:-20])
    with pytest.raises(SourceError, match="copy it again"):
        list(all_packets(open_source(tmp_path / "a.parquet")))
