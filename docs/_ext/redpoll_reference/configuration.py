"""The configuration: every setting, and the commented default file that is its description."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from sphinx.errors import ExtensionError

from redpoll.config import Config, default_toml
from redpoll_reference.markdown import code, required, table

INTRODUCTION = """# Configuration

*For people who need settings other than the defaults.*

One TOML file, given with `--config`. It needs only what differs from the default; an unknown key or a value of
the wrong type is an error. This is the default file, which describes every key:
"""


def page() -> str:
    """The page of the configuration."""
    text = required(default_toml(), "the default configuration")
    for name in settings():
        if not re.search(rf"^(# )?\[?([\w.]+\.)?{name.rsplit('.', 1)[-1]}(\]$| = )", text, re.MULTILINE):
            raise ExtensionError(f"the default configuration does not describe {name}")
    rows = [[f"`{name}`", _shown(default)] for name, default in settings().items()]
    return "\n\n".join([INTRODUCTION, code(text, "toml"), "## All keys", table(["key", "default"], rows)]) + "\n"


def settings() -> dict[str, Any]:
    """Every key with its default, by its dotted name."""
    return dict(_leaves(Config(), ""))


def _leaves(section: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for field in fields(section):
        value = getattr(section, field.name)
        if is_dataclass(value):
            yield from _leaves(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, value


def _shown(default: Any) -> str:
    if default is None:
        return "none"
    if isinstance(default, Mapping):
        return "an empty table"
    return f"`{list(default) if isinstance(default, tuple) else default!r}`"
