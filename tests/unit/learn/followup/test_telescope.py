"""Telescopes in TOML: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from redpoll.errors import ConfigError
from redpoll.learn.followup.telescope import parse_telescopes, read_telescopes

GOOD = "latitude = 28.3\nlongitude = -16.5\naperture = 1.0\nhours = 2\n"


def one(keys: str = GOOD, name: str = "a") -> str:
    return f"[telescopes.{name}]\n{keys}"


def test_each_table_is_a_telescope_and_other_keys_have_defaults() -> None:
    found = parse_telescopes(one() + one(GOOD + "seeing = 0.7\nsetup = 0", "b"))
    assert list(found) == ["a", "b"]
    assert found["a"].seeing == 1.2 and found["b"].seeing == 0.7 and found["b"].setup == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"needs a table \[telescopes.NAME\]"),
        ("telescopes = 3", r"needs a table \[telescopes.NAME\]"),
        ("[telescopes]\na = 1", r"a: expected a table \[telescopes.a\]"),
        ("[telescope.a]\n" + GOOD, "unknown key 'telescope'"),
        (one(GOOD.replace("hours", "hour")), "a: unknown key 'hour'; near: hours"),
        (one(GOOD.replace("aperture = 1.0\n", "")), "a: needs 'aperture'"),
        (one(GOOD.replace("28.3", "98.3")), "a: latitude: expected -90 to 90, got 98.3"),
        (one(GOOD.replace("28.3", "nan")), "a: latitude: expected -90 to 90, got nan"),
        (one(GOOD.replace("2\n", "0\n")), "a: hours: expected 0.01 to 24"),
        (one(GOOD.replace("2\n", "'two'\n")), "a: hours: expected float, got 'two'"),
        (one(GOOD.replace("2\n", "true\n")), "a: hours: expected float, got True"),
        (one(GOOD + "pixel = 0\n"), "a: pixel: expected 0.01"),
        (one(GOOD, '"A B"'), "cannot be the name of a telescope"),
        ("[telescopes.a\n", "not TOML"),
        (one() + one(), "not TOML"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_telescopes(text, "site.toml")


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "big.toml").write_bytes(b"#" * 1_000_001)
    for name, message in (("a.toml", "not UTF-8"), ("none.toml", "cannot be read"), ("big.toml", "is larger than")):
        with pytest.raises(ConfigError, match=message):
            read_telescopes(tmp_path / name)
