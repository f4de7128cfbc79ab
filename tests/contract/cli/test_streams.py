"""Standard output that is full or closed, and files that `redpoll query --out` must not destroy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from redpoll.cli.query import new_file
from redpoll.errors import RedpollError, UsageError


def redpoll(*arguments: str, shell: str) -> subprocess.CompletedProcess[str]:
    """The command with its streams led as `shell` says."""
    command = " ".join([sys.executable, "-m", "redpoll", *arguments])
    return subprocess.run(["sh", "-c", f"{command} {shell}"], capture_output=True, text=True, timeout=120)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_under_standard_output_is_one_line_and_exit_code_1() -> None:
    found = redpoll("config", shell="> /dev/full")
    assert (found.returncode, found.stderr) == (1, "redpoll: cannot read or write: No space left on device\n")


@pytest.mark.parametrize(("streams", "code"), [(">&-", 0), ("2>&-", 0), ("<&- >&- 2>&-", 0)])
def test_closed_streams_are_no_error(streams, code) -> None:
    assert redpoll("config", shell=streams).returncode == code


def test_the_position_of_an_error_stays_under_its_line(tmp_path) -> None:
    config = tmp_path / "c.toml"
    config.write_text('[filters.expressions]\nbright = "mag <"\n')
    lines = redpoll("filters", "--config", str(config), shell="").stderr.splitlines()
    assert [line.strip() for line in lines[1:]] == ["mag <", "^"]


def test_a_file_beside_it_with_the_ending_tmp_is_left_alone(tmp_path) -> None:
    (tmp_path / "a.csv.tmp").write_text("precious")
    with new_file(tmp_path / "a.csv", force=False) as file:
        file.write(b"x")
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "a.csv.tmp"}
    assert (tmp_path / "a.csv.tmp").read_text() == "precious"


def test_a_symbolic_link_stays_and_the_file_that_it_names_is_replaced(tmp_path) -> None:
    (tmp_path / "link.csv").symlink_to("real.csv")
    for text in (b"first", b"second"):
        with new_file(tmp_path / "link.csv", force=True) as file:
            file.write(text)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"second"
    with pytest.raises(UsageError, match=r"real\.csv exists"), new_file(tmp_path / "link.csv", force=False):
        pass


@pytest.mark.parametrize("force", [True, False])
def test_a_named_pipe_is_written_to_and_not_replaced(tmp_path, force) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with new_file(pipe, force=force) as file:
        file.write(b"rows")
    assert os.read(reader, 10) == b"rows"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_device_stays_a_device() -> None:
    with new_file(Path("/dev/null"), force=True) as file:
        file.write(b"rows")
    assert Path("/dev/null").is_char_device()


def test_names_that_are_too_long_are_refused_and_long_ones_are_written(tmp_path) -> None:
    with new_file(tmp_path / ("a" * 255), force=False) as file:
        file.write(b"x")
    with pytest.raises(RedpollError, match="name too long"), new_file(tmp_path / ("a" * 256), force=False):
        pass


def test_a_failed_query_leaves_neither_file_nor_scraps(tmp_path) -> None:
    with pytest.raises(KeyboardInterrupt), new_file(tmp_path / "a.csv", force=False) as file:
        file.write(b"x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("days", ["nan", "inf", "1e300", "1e6"])
def test_dead_letters_older_than_no_time_are_misuse(tmp_path, days) -> None:
    found = redpoll("dead-letters", "purge", "--older-than", days, "--store", str(tmp_path), shell="")
    assert (found.returncode, "Traceback" in found.stderr) == (2, False)


def test_a_limit_beyond_64_bits_is_misuse(tmp_path) -> None:
    found = redpoll("why", "ZTF20aaelulu", "--limit", "9" * 25, "--store", str(tmp_path), shell="")
    assert (found.returncode, "Traceback" in found.stderr) == (2, False)
