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
    ("text", "message"),
    [
        ("[servee]\nport = 1", "near: serve"),
        ("[serve]\nprot = 1", "near: port"),
        ('[serve]\nport = "x"', "expected int, got 'x'"),
        ("[serve]\nport = true", "expected int, got True"),
        ("serve = 1", "expected a table"),
        ("[quality.ztf]\nbands = [1]", "expected a list of strings"),
        ("[filters.expressions]\nbright = 3", "expected str, got 3"),
        ("x = ", "not TOML"),
        ("a = " + "[" * 20_000, "not TOML"),
        ("a = " + "9" * 5000, "not TOML"),
        ("[run]\nworkers = -1", "workers: expected 0 to 1,024, got -1"),
        ("[run]\nbatch_size = 0", "batch_size: expected 1 to 1,000,000, got 0"),
        ("[run]\nblock_seconds = nan", "block_seconds: expected 0.01 to 3,600, got nan"),
        ("[run]\nblock_seconds = 99999999999999999999999", "block_seconds: expected float"),
        ("[quality.ztf]\nmin_real_bogus = nan", "min_real_bogus: expected 0 to 1, got nan"),
        ("[quality.rubin]\nmax_bad_pixels = -1", "max_bad_pixels: expected 0 to"),
        ("[classes]\nmin_probability = nan", "min_probability: expected 0 to 1, got nan"),
        ("[dead_letters]\nmax_bytes = -1", "max_bytes: expected 0 to"),
        ("[delivery]\nretries = -1", "retries: expected 0 to"),
        ("[delivery]\nbackoff_seconds = inf", "backoff_seconds: expected 0 to"),
        ("[delivery]\nmax_spool_mb = 0", "max_spool_mb: expected 1 to"),
        ("[serve]\nport = 70000", "port: expected 0 to 65,535, got 70000"),
        ('store = ""', "expected text without control characters"),
        ('plugins = ["a\\u0000.py"]', "expected text without control characters"),
        ('[crossmatch]\ncatalogs = "\\u0000"', "expected text without control characters"),
    ],
)
def test_hostile_configuration_is_refused_with_the_place(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_config(text, "my.toml")


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "c.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"c\.toml: is not UTF-8"):
        load_config(tmp_path / "c.toml")


def test_the_registry_is_never_printed():
    assert "secret" not in repr(parse_config('[ingest]\nregistry = "https://me:secret@example.org"'))


def test_a_long_value_is_cut_short_in_the_message():
    with pytest.raises(ConfigError) as error:
        parse_config(f'[serve]\nport = "{"x" * 100_000}"')
    assert len(str(error.value)) < 200


def numbers(section):
    for field in fields(section):
        value = getattr(section, field.name)
        if is_dataclass(value):
            yield from numbers(value)
        elif "float" in str(field.type) or "int" in str(field.type):
            yield type(section).__name__, field.name, field.metadata


@pytest.mark.parametrize(("section", "name", "metadata"), list(numbers(Config())))
def test_every_number_has_a_range(section, name, metadata):
    low, high = metadata["range"]
    assert low < high
