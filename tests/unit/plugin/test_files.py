"""Modules and filters in a user's own file."""

from __future__ import annotations

import pytest

from redpoll.errors import PluginError
from redpoll.plugin.files import load_file

GOOD = '''
from redpoll import Column, alert_filter, science_module
from redpoll.plugin.expression_filter import expression_filter
{imported}

@science_module(version="1", outputs={{"double": Column("float32")}})
def double(mag):
    """Twice."""
    return 2 * mag

again = double
faint = expression_filter("faint", "mag > 20")

@alert_filter()
def bright(double, *, limit={limit}):
    """Bright."""
    return double < limit
'''


@pytest.fixture
def write(tmp_path):
    def written(text: str, name: str = "mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def test_everything_the_file_defines_is_found_once(write) -> None:
    found = load_file(write(GOOD.format(imported="", limit=36)))
    assert [m.name for m in found.modules] == ["double"]
    assert [f.topic for f in found.filters] == ["faint", "bright"]


def test_what_the_file_imports_is_not_its_own(write) -> None:
    pytest.importorskip("redpoll_test_plugin", reason="packages/test-plugin is not installed")
    found = load_file(write(GOOD.format(imported="from redpoll_test_plugin import test_plugin_snr", limit=1)))
    assert [m.name for m in found.modules] == ["double"]


def test_changed_file_is_read_anew(write) -> None:
    path = write(GOOD.format(imported="", limit=36))
    load_file(path)
    path.write_text(GOOD.format(imported="", limit=3600))
    assert load_file(path).filters[1].settings["limit"] == 3600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef f(:\n", r"mine\.py, line 2: SyntaxError: invalid syntax"),
        ("x = 1\n\ny = x / 0\n", r"mine\.py, line 3: ZeroDivisionError: division by zero"),
        ("import no_such_package_at_all\n", r"mine\.py, line 1: ModuleNotFoundError"),
        ("from redpoll import alert_filter\n@alert_filter\ndef f(mag): ...\n", r"mine\.py, line 2: f: write @alert_f"),
        ("x = 1\n", r"mine\.py defines no function decorated by @science_module or @alert_filter"),
        ("from redpoll import alert_filter\n@alert_filter()\ndef f(mag): ...\n", r"mine\.py: f@1 has no docstring"),
        ("x = '\0'\n", r"mine\.py.*: (SyntaxError|ValueError): source code (string )?cannot contain null bytes"),
    ],
)
def test_errors_of_a_file_name_its_line(write, text, message) -> None:
    with pytest.raises(PluginError, match=message):
        load_file(write(text))


def test_path_that_is_no_python_file(write, tmp_path) -> None:
    for path in (tmp_path, write("x", "mine.txt")):
        with pytest.raises(PluginError, match="is not a Python file"):
            load_file(path)


def test_file_that_is_not_text(tmp_path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(b"\xff\xfe\x00 = 3")
    with pytest.raises(PluginError, match="null bytes"):
        load_file(path)


def test_failed_reload_keeps_what_was_loaded(write) -> None:
    path = write(GOOD.format(imported="", limit=36))
    loaded = load_file(path)
    path.write_text("x = 1 / 0")
    with pytest.raises(PluginError):
        load_file(path)
    assert loaded.modules[0](4.0) == 8.0


def test_a_file_that_ends_the_process_or_prints_is_an_error_and_no_data(tmp_path, capsys) -> None:
    file = tmp_path / "leaving.py"
    file.write_text("print('hello')\nimport sys\nsys.exit(0)\n")
    with pytest.raises(PluginError, match=r"leaving\.py, line 3: .*SystemExit: 0, which would end the process"):
        load_file(file)
    assert capsys.readouterr().out == ""


def test_a_file_that_does_not_exist_is_named(tmp_path) -> None:
    with pytest.raises(PluginError, match=r"there is no file .*gone"):
        load_file(tmp_path / "gone.py")
