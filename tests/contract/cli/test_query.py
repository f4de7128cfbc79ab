"""``redpoll query``: files in each format, what it refuses, memory, and what an interruption leaves."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest
from astropy.io.votable import parse

from redpoll.cli.main import main
from redpoll.cli.query import format_of, new_file, write_rows
from redpoll.client import QueryResult
from redpoll.errors import RedpollError, UsageError
from redpoll.store import open_store
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_suite import add

BIG = 2**62 + 1
N = 300


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 300 alerts with identifiers beyond 2^62 and a name that is a formula."""
    folder = tmp_path_factory.mktemp("query") / "store"
    batch = store_batch(N)
    for name, values in (("alert_id", [BIG + i for i in range(N)]), ("sso_name", ['=1+"1"'] * N)):
        at = batch.schema.get_field_index(name)
        batch = batch.set_column(at, batch.schema.field(name), pa.array(values))
    with open_store(folder, mode="write") as opened:
        opened.runs.start("test")
        add(opened, batch)
    return folder


def query(*words: Any, store: Path, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "redpoll", "query", *map(str, words), "--store", str(store)]
    return subprocess.run(command, capture_output=True, cwd=cwd, timeout=120)


def test_a_class_that_no_alert_has_is_answered_with_those_assigned(store: Path, tmp_path: Path) -> None:
    done = query("--class", "microlensing", "--out", tmp_path / "none.csv", store=store)
    with open_store(store) as opened:
        (name, n), *_ = sorted(opened.ledger.classes().items(), key=lambda item: (-item[1], item[0]))
    assert (
        done.returncode == 0
        and f"0 alerts in {tmp_path / 'none.csv'}; assigned in this store: {name} ({n}" in done.stderr.decode()
    )
    assert b"assigned" not in query("--class", name, "--limit", "1", store=store).stderr
    assert b"assigned" not in query("mag < -90", store=store).stderr


def read(path: Path) -> list[tuple[int, str]]:
    """Identifier and name of each row of a file, whatever its format."""
    if path.suffix == ".json":
        return [(int(row["alert_id"]), row["sso_name"]) for row in json.loads(path.read_bytes())]
    if path.suffix == ".vot":
        table = parse(path).get_first_table().array
        return list(zip(table["alert_id"].tolist(), map(str, table["sso_name"].tolist()), strict=True))
    whole = {".csv": csv.read_csv, ".parquet": parquet.read_table, ".arrow": lambda p: pa.ipc.open_file(p).read_all()}
    table = whole[path.suffix](path)
    return list(zip(table["alert_id"].to_pylist(), table["sso_name"].to_pylist(), strict=True))


@pytest.mark.parametrize("ending", ["csv", "json", "vot", "parquet", "arrow"])
def test_every_format_holds_all_rows_and_exact_identifiers(ending: str, store: Path, tmp_path: Path) -> None:
    out = tmp_path / f"alerts.{ending}"
    done = query("--columns", "alert_id,sso_name,mag,topics", "--order-by", "oldest", "--out", out, store=store)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert read(out) == [(BIG + i, '=1+"1"') for i in range(N)]
    assert b"300 alerts in" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_rows_are_selected_by_every_option(store: Path, tmp_path: Path) -> None:
    (tmp_path / "sky.txt").write_text("0/0-11")
    words = ["mag < 19", "--class", "sn", "--topic", "rising", "--night", "20200101", "--moc", tmp_path / "sky.txt"]
    done = query(
        *words, "--survey", "ztf", "--limit", "3", "--columns", "mag,topics,alert_id", "--format", "json", store=store
    )
    rows = json.loads(done.stdout)
    assert len(rows) == 3
    assert all(row["mag"] < 19 and "rising" in row["topics"] for row in rows)


def test_a_cone_is_three_numbers(store: Path) -> None:
    first = json.loads(query("--limit", 1, "--format", "json", store=store).stdout)[0]
    done = query("--cone", f"{first['ra']},{first['dec']},2", "--columns", "object_id", store=store)
    assert done.stdout.splitlines() == [b'"object_id"', *[f'"{first["object_id"]}"'.encode()] * 15]
    assert query("--cone", "-10.5,-20,2", store=store).returncode == 0


def test_csv_is_written_to_standard_output_by_default(store: Path) -> None:
    done = query("--limit", 2, "--columns", "alert_id", "--order-by", "oldest", store=store)
    assert done.stdout.splitlines() == [b'"alert_id"', str(BIG).encode(), str(BIG + 1).encode()]
    assert b"2 alerts" in done.stderr


@pytest.mark.parametrize(
    ("format", "opened"), [("parquet", parquet.read_table), ("arrow", lambda f: pa.ipc.open_stream(f).read_all())]
)
def test_binary_formats_can_be_piped(format: str, opened: Any, store: Path) -> None:
    done = query("--format", format, "--columns", "all", store=store)
    table = opened(io.BytesIO(done.stdout))
    assert table.num_rows == N
    assert table.schema.field("mjd").metadata[b"unit"] == b"d"
    assert pa.types.is_list(table.schema.field("light_curve").type)


def test_no_rows_are_a_file_with_columns(store: Path, tmp_path: Path) -> None:
    for ending in ("csv", "json", "vot", "parquet", "arrow"):
        out = tmp_path / f"none.{ending}"
        assert query("mag > 99", "--out", out, store=store).returncode == 0
        assert read(out) == []


MISUSES = [
    ["magg < 1"], ["mag <"], ["--columns", "magg"], ["--class", "sn_iaa"], ["--topic", "risin"], ["--night", "x"],
    ["--night", "-5"], ["--cone", "1,2"], ["--cone", "a,b,c"], ["--cone", "1,100,2"], ["--survey", "lsst"],
    ["--order-by", "mag"], ["--order-by", "separation"], ["--limit", "-1"], ["--format", "fits"], ["--out", "a.fits"],
    ["--out", "a"], ["--out", "no/folder/a.csv"], ["--columns", "light_curve"], ["--columns", "all", "--out", "a.csv"],
    ["--columns", "packet", "--format", "votable"], ["--columns", "cutout_science", "--format", "json"], ["a", "b"],
    ["--out", "."],
]  # fmt: skip


@pytest.mark.parametrize("words", MISUSES, ids=" ".join)
def test_misuse_is_exit_code_2_and_leaves_no_file(
    words: list[str], store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["redpoll", "query", *words, "--store", str(store)])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err
    assert list(tmp_path.iterdir()) == []


def test_nested_columns_are_refused_with_the_formats_that_hold_them(store: Path) -> None:
    done = query("--columns", "alert_id,light_curve,packet", store=store)
    assert b"csv cannot hold the nested or binary columns light_curve, packet: use json" in done.stderr
    assert b"parquet or arrow" in done.stderr


def test_an_existing_file_is_replaced_by_force_only(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_text("mine")
    refused = query("--out", out, store=store)
    assert (refused.returncode, out.read_text()) == (2, "mine")
    assert b"use --force" in refused.stderr
    assert query("--out", out, "--force", "--columns", "alert_id", store=store).returncode == 0
    assert len(out.read_text().splitlines()) == N + 1


def test_a_file_of_the_store_is_never_replaced(store: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(store / "index.sqlite")
    before = (store / "index.sqlite").read_bytes()
    for out in (store / "index.sqlite", store / "new.csv", link):
        refused = query("--out", out, "--force", "--format", "csv", store=store)
        assert refused.returncode == 2 and b"inside the store" in refused.stderr
    assert (store / "index.sqlite").read_bytes() == before and not (store / "new.csv").exists()


def test_no_store_is_exit_code_1(tmp_path: Path) -> None:
    done = query(store=tmp_path / "none")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_a_binary_format_is_refused_by_a_terminal(format: str, store: Path) -> None:
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "redpoll", "query", "--format", format, "--store", str(store)]
    done = subprocess.run(command, stdout=secondary, stderr=subprocess.PIPE, timeout=60)
    os.close(secondary)
    os.close(primary)
    assert done.returncode == 2
    assert b"use --out FILE, or a pipe" in done.stderr


def test_a_reader_that_goes_away_is_no_error(store: Path) -> None:
    command = f"{sys.executable} -m redpoll query --format json --store {store} | head -c 10"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr and b"BrokenPipe" not in done.stderr


def test_ctrl_c_stops_with_one_line(store: Path) -> None:
    command = [sys.executable, "-m", "redpoll", "query", "--format", "json", "--store", str(store)]
    asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert asked.stdout is not None and asked.stderr is not None
    asked.stdout.read(1)  # the rest fills the pipe, where the command waits
    time.sleep(0.3)
    asked.send_signal(signal.SIGINT)
    _, error = asked.communicate(timeout=30)
    assert asked.returncode == 130
    assert error.decode().splitlines()[-1] == "redpoll: stopped"


@pytest.mark.parametrize("error", [KeyboardInterrupt, UsageError, MemoryError])
def test_an_interruption_leaves_no_half_file(error: type[BaseException], tmp_path: Path) -> None:
    out = tmp_path / "a.parquet"
    out.write_bytes(b"before")
    with pytest.raises(error), new_file(out, force=True) as file:
        file.write(b"half")
        raise error
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.parquet", b"before")]


def test_a_full_disk_is_a_plain_error(tmp_path: Path) -> None:
    with (
        pytest.raises(RedpollError, match=r"cannot write .*a\.csv: No space left"),
        new_file(tmp_path / "a.csv", force=False),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["csv", "json", "votable", "parquet", "arrow_file"])
def test_memory_does_not_grow_with_the_number_of_rows(format: Any, tmp_path: Path) -> None:
    rows, n = 500, 120
    text = pa.array(["x" * 2000] * rows)  # 1 MB a batch, 120 MB in all
    schema = pa.schema([("text", pa.string())])
    held: list[int] = []

    def read(columns: Sequence[str] | None, most: int | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        return schema, batches()

    def batches() -> Iterator[pa.RecordBatch]:
        start = pa.total_allocated_bytes()
        for _ in range(n):
            held.append(pa.total_allocated_bytes() - start)
            yield pa.record_batch([pa.concat_arrays([text, text.slice(0, 0)])], schema=schema)

    with (tmp_path / "a").open("wb") as file:
        assert write_rows(QueryResult(read, "text"), format, file, None) == rows * n
    assert len(held) == n
    assert max(held) < 80e6


def test_endings_are_taken_in_any_case() -> None:
    assert format_of(None, Path("A.CSV")) == "csv"
    with pytest.raises(UsageError, match="use --format csv"):
        format_of(None, Path("a.csv.gz"))
