"""Check of the names of modules, topics, outputs and contexts."""

from __future__ import annotations

import re

from redpoll.errors import PluginError

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]*")


def valid_name(name: object, what: str) -> str:
    """The name itself if it is snake_case; `what` describes it in the error.

    Raises
    ------
    PluginError
        If it is not snake_case.
    """
    if not isinstance(name, str) or not _SNAKE_CASE.fullmatch(name):
        raise PluginError(
            f"{name!r} cannot be {what}: use lower-case letters, digits and underscores, starting with a letter"
        )
    return name
