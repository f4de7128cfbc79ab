"""Names of modules, topics, outputs and contexts, their check, and how some names and reasons begin."""

from __future__ import annotations

import re

from redpoll.errors import PluginError

PASS = "pass_"
"""Beginning of the name of every filter's column; its topic follows."""
CUT = "cut: "
"""Beginning of the reason of every alert that a quality cut rejected; the column, comparison and threshold follow."""
COLUMN_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""What the name of a column, a topic or a class must match as a whole."""
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
