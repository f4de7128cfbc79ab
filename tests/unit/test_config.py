from dataclasses import fields, is_dataclass

import pytest

from redpoll.config import Config, default_toml, load_config, parse_config
from redpoll.errors import ConfigError


def test_default_file_holds_the_defaults():
    assert parse_config(default_toml()) == Config()


def keys(section, prefix=""):
    for field in fields(section):
        value = getattr(section, field.name)
        if is_dataclass(value):
            yield from keys(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


@pytest.mark.parametrize("key", list(keys(Config())))
def test_default_file_lists_every_key(key):
    section, _, name = key.rpartition(".")
    text = default_toml()
    assert not section or f"[{section}]" in text
    body = text.partition(f"[{section}]\n")[2] if section else text
    own = body.partition("\n[")[0]
    tables = ("settings", "expressions", "sinks", "watchlists", "regions", "sky_maps")
    assert f"\n[{key}]" in text if name in tables else any(
        line.lstrip("# ").startswith(f"{name} =") for line in own.splitlines()
    )  # fmt: skip


def test_a_partial_table_keeps_the_other_defaults():
    cuts = parse_config('[quality.ztf]\nbands = ["r"]').quality.ztf
    assert (cuts.bands, cuts.min_real_bogus) == (("r",), 0.55)


def test_off_switches_a_cut_off():
    assert parse_config('[quality.ztf]\nmin_real_bogus = "off"').quality.ztf.min_real_bogus is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[servee]\nport = 1", "did you mean 'serve'"),
        ("[serve]\nprot = 1", "did you mean 'port'"),
        ('[serve]\nport = "x"', "expected int, got 'x'"),
        ("[serve]\nport = true", "expected int, got True"),
        ("serve = 1", "expected a table"),
        ("[quality.ztf]\nbands = [1]", "expected a list of strings"),
        ("[filters.expressions]\nbright = 3", "expected str, got 3"),
        ("x = ", "not TOML"),
        ("a = " + "[" * 20_000, "not TOML"),
    ],
)
def test_hostile_configuration_is_refused_with_the_place(text, said):
    with pytest.raises(ConfigError, match=said):
        parse_config(text, "my.toml")


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "c.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"c\.toml: is not UTF-8"):
        load_config(tmp_path / "c.toml")


def test_the_registry_is_never_printed():
    assert "secret" not in repr(parse_config('[ingest]\nregistry = "https://me:secret@example.org"'))
