"""The configuration: one TOML file, checked against typed dataclasses. ``default.toml`` lists every key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from importlib.resources import files
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from redpoll.errors import ConfigError, near

OFF = "off"
"""Value in the file that switches off a setting that has a default, such as a quality cut."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MAX_SHOWN = 80


def _within(default: Any, low: float, high: float) -> Any:
    """A setting whose value in the file must be a number from `low` to `high`, both included."""
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True)
class RunConfig:
    """Worker processes, packets per batch (None chooses them automatically), and the time to gather a block."""

    workers: int | None = _within(None, 0, 1024)
    batch_size: int | None = _within(None, 1, 1_000_000)
    block_seconds: float = _within(1.0, 0.01, 3600)


@dataclass(frozen=True)
class IngestConfig:
    """Folders of schemas and URL of the schema registry, for framed packets."""

    schemas: tuple[str, ...] = ()
    registry: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Cuts:
    """Quality cuts of one survey; None switches a cut off.

    They decide which alerts are processed, and which detections in the light curves are of low quality.
    """

    min_real_bogus: float | None = _within(None, 0, 1)
    max_bad_pixels: int | None = _within(None, 0, 1_000_000)
    bands: tuple[str, ...] | None = None


@dataclass(frozen=True)
class QualityConfig:
    """Quality cuts per survey."""

    ztf: Cuts = Cuts(min_real_bogus=0.55, max_bad_pixels=0, bands=("g", "r"))
    rubin: Cuts = Cuts()
    elasticc: Cuts = Cuts()


@dataclass(frozen=True)
class CrossmatchConfig:
    """Folder of the built catalogues, and files of watchlists, regions and sky maps by name."""

    catalogs: str = "redpoll-catalogs"
    watchlists: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    sky_maps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ModulesConfig:
    """Science modules that are off, and settings by module."""

    off: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class FiltersConfig:
    """Filters that are off, settings by topic, and expression filters by topic."""

    off: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    expressions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassesConfig:
    """Minimum probability at which a score assigns its class."""

    min_probability: float = _within(0.5, 0, 1)


@dataclass(frozen=True)
class DeadLettersConfig:
    """Limit on the size of all dead letters together, in bytes."""

    max_bytes: int = _within(1 << 30, 0, 1 << 50)


@dataclass(frozen=True)
class AnswersConfig:
    """Limit on the cache of searches and fits in the store [MB]; 0 for none."""

    max_mb: int = _within(2000, 0, 100_000_000)


@dataclass(frozen=True)
class DeliveryConfig:
    """What happens when a sink is full or fails: pauses, retries, and the spool of a sink that is parked."""

    retries: int = _within(5, 0, 1000)
    backoff_seconds: float = _within(0.5, 0, 3600)
    max_pause_seconds: float = _within(300.0, 0, 86_400)
    retry_parked_seconds: float = _within(60.0, 0, 86_400)
    max_spool_mb: int = _within(1000, 1, 100_000_000)


@dataclass(frozen=True)
class ServeConfig:
    """Host and port of the portal."""

    host: str = "127.0.0.1"
    port: int = _within(8700, 0, 65_535)


@dataclass(frozen=True)
class Config:
    """The configuration; ``sinks`` maps the name of each sink in use to its settings.

    ``plugins`` are Python files whose modules and filters take part in every run.
    """

    store: str = "redpoll-store"
    plugins: tuple[str, ...] = ()
    run: RunConfig = RunConfig()
    ingest: IngestConfig = IngestConfig()
    quality: QualityConfig = QualityConfig()
    crossmatch: CrossmatchConfig = CrossmatchConfig()
    modules: ModulesConfig = ModulesConfig()
    filters: FiltersConfig = FiltersConfig()
    classes: ClassesConfig = ClassesConfig()
    sinks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dead_letters: DeadLettersConfig = DeadLettersConfig()
    answers: AnswersConfig = AnswersConfig()
    delivery: DeliveryConfig = DeliveryConfig()
    serve: ServeConfig = ServeConfig()

    @property
    def node_settings(self) -> dict[str, Mapping[str, Any]]:
        """Settings of modules and filters by name."""
        return {**self.modules.settings, **self.filters.settings}


def default_toml() -> str:
    """Text of the commented default file."""
    return (files("redpoll") / "default.toml").read_text()


def load_config(path: Path | None = None) -> Config:
    """The configuration in a TOML file, or the defaults; paths of plugins are relative to the file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not TOML, has an unknown key or a value of the wrong type.
    """
    if path is None:
        return Config()
    try:
        config = parse_config(path.read_text(), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text") from error
    return replace(config, plugins=tuple(str(path.parent / file) for file in config.plugins))


def parse_config(text: str, where: str = "configuration") -> Config:
    """The configuration in TOML text; `where` names it in errors.

    >>> parse_config("[serve]\\nport = 9000").serve.port
    9000
    """
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: not TOML, or an integer of thousands of digits
        raise ConfigError(f"{where}: not TOML: {error}") from error
    config: Config = changed(Config(), tree, where)
    return config


def changed(base: Any, tree: Mapping[str, Any], where: str) -> Any:
    """A copy of the section `base`, a dataclass, with the values in `tree`; other values are kept.

    ``where`` names the table in errors. A field with the metadata ``range``, two numbers, must lie within them.

    Raises
    ------
    ConfigError
        If a key is unknown or a value has the wrong type or is out of range.
    """
    hints = get_type_hints(type(base))
    names = [f.name for f in fields(base)]
    for key in tree:
        if key not in names:
            raise ConfigError(f"{where}: unknown key '{key[:_MAX_SHOWN]}'{near(key, names)}")
    values = {key: _value(hints[key], value, f"{where}: {key}", getattr(base, key)) for key, value in tree.items()}
    for setting in fields(base):
        value, allowed = values.get(setting.name), setting.metadata.get("range")
        if value is not None and allowed and not allowed[0] <= value <= allowed[1]:  # NaN is outside too
            place = f"{where}: {setting.name}"
            raise ConfigError(f"{place}: expected {allowed[0]:,} to {allowed[1]:,}, got {_shown(value)}")
    return replace(base, **values)


def _value(kind: Any, value: Any, where: str, base: Any = None) -> Any:
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: expected a table, got {_shown(value)}")
        return changed(base, value, where)
    if isinstance(kind, UnionType):
        return None if value == OFF else _value(next(k for k in get_args(kind) if k is not NoneType), value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ConfigError(f"{where}: expected a list of strings, got {_shown(value)}")
        for text in value:
            _check_text(text, where)
        return tuple(value)
    if get_origin(kind) is not None:
        return _mapping(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError(f"{where}: expected {kind.__name__}, got {_shown(value)}")
    if isinstance(value, str):
        _check_text(value, where)
    return value


def _check_text(value: str, where: str) -> None:
    if not value.strip() or _CONTROL.search(value):
        raise ConfigError(f"{where}: expected text without control characters, got {_shown(value)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _mapping(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected a table, got {_shown(value)}")
    inner = get_args(kind)[1]
    return value if inner is Any else {k: _value(inner, v, f"{where}.{k}") for k, v in value.items()}
