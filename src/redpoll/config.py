"""The configuration: one TOML file, checked against typed dataclasses. ``default.toml`` lists every key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from redpoll.errors import ConfigError

OFF = "off"
"""Value in the file that switches off a setting that has a default, such as a quality cut."""


@dataclass(frozen=True)
class RunConfig:
    """Worker processes, packets per batch (None chooses them automatically), and the time to gather a block."""

    workers: int | None = None
    batch_size: int | None = None
    block_seconds: float = 1.0


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

    min_real_bogus: float | None = None
    max_bad_pixels: int | None = None
    bands: tuple[str, ...] | None = None


@dataclass(frozen=True)
class QualityConfig:
    """Quality cuts per survey."""

    ztf: Cuts = Cuts(min_real_bogus=0.55, max_bad_pixels=0, bands=("g", "r"))
    rubin: Cuts = Cuts()


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

    min_probability: float = 0.5


@dataclass(frozen=True)
class DeadLettersConfig:
    """Limit on the size of all dead letters together, in bytes."""

    max_bytes: int = 1 << 30


@dataclass(frozen=True)
class DeliveryConfig:
    """What happens when a sink is full or fails: pauses, retries, and the spool of a sink that is parked."""

    retries: int = 5
    backoff_seconds: float = 0.5
    max_pause_seconds: float = 300.0
    retry_parked_seconds: float = 60.0
    max_spool_mb: int = 1000


@dataclass(frozen=True)
class ServeConfig:
    """Host and port of the portal."""

    host: str = "127.0.0.1"
    port: int = 8700


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
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error
    config: Config = _changed(Config(), tree, where)
    return config


def _changed(base: Any, tree: Mapping[str, Any], where: str) -> Any:
    """A copy of the section `base` with the values in `tree`; other values are kept."""
    hints = get_type_hints(type(base))
    names = [f.name for f in fields(base)]
    for key in tree:
        if key not in names:
            near = get_close_matches(key, names, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(names)}"
            raise ConfigError(f"{where}: unknown key '{key}'{hint}")
    values = {key: _value(hints[key], value, f"{where}: {key}", getattr(base, key)) for key, value in tree.items()}
    return replace(base, **values)


def _value(kind: Any, value: Any, where: str, base: Any = None) -> Any:
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: expected a table, got {value!r}")
        return _changed(base, value, where)
    if isinstance(kind, UnionType):
        return None if value == OFF else _value(next(k for k in get_args(kind) if k is not NoneType), value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ConfigError(f"{where}: expected a list of strings, got {value!r}")
        return tuple(value)
    if get_origin(kind) is not None:
        return _mapping(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError(f"{where}: expected {kind.__name__}, got {value!r}")
    return value


def _mapping(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected a table, got {value!r}")
    inner = get_args(kind)[1]
    return value if inner is Any else {k: _value(inner, v, f"{where}.{k}") for k, v in value.items()}
