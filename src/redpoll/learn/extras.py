"""Packages that come with an extra of Redpoll, and the error where one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redpoll.errors import RedpollError


@contextmanager
def needing(
    what: str, package: str, *, extra: str = "learn", error: type[RedpollError] = RedpollError
) -> Iterator[None]:
    """Import within its body what a package of an extra provides; without it the error names the extra.

    >>> with needing("a plot", "matplotlib"):
    ...     import no_such_package
    Traceback (most recent call last):
    ...
    redpoll.errors.RedpollError: a plot needs matplotlib: pip install 'redpoll[learn]'
    """
    try:
        yield
    except ImportError as missing:
        raise error(f"{what} needs {package}: pip install 'redpoll[{extra}]'") from missing
