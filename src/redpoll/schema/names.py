"""Which names plugins may have."""

from __future__ import annotations

import re

from redpoll.errors import PluginError

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]*")


def valid_name(name: object, what: str) -> str:
    """The name itself, if it is snake_case; `what` says what it would name.

    Raises
    ------
    PluginError
        If it is not.
    """
    if not isinstance(name, str) or not _SNAKE_CASE.fullmatch(name):
        raise PluginError(f"{name!r} cannot be {what}: use small letters, digits and underscores, a letter first")
    return name
