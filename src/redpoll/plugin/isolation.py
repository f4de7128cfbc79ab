"""Isolation of failing plugins, so that the stream continues; the only code that catches every exception."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, Protocol

import numpy as np

from redpoll.errors import PluginError
from redpoll.log import plain_text

_MAX_MESSAGE = 1000
log = logging.getLogger(__name__)


class Named(Protocol):
    """A module, filter or context whose failures are isolated."""

    @property
    def name(self) -> str:
        """Name, unique among its kind."""
        ...

    @property
    def version(self) -> str:
        """Version, reported with a failure."""
        ...


def outcome(function: Callable[..., Any], **arguments: Any) -> tuple[Any, Exception | None]:
    """Return value of a plugin's function and None, or None and the exception it raised.

    An attempt to end the process (``sys.exit``) is an exception like any other; Ctrl-C is not.
    """
    try:
        return function(**arguments), None
    except Exception as error:
        return None, error
    except (SystemExit, GeneratorExit) as error:
        stopped = PluginError(f"it raised {error_text(error)}, which would end the process")
        return None, stopped.with_traceback(error.__traceback__)


def error_text(error: BaseException) -> str:
    """Class and message of a foreign exception on one line of bounded length, without control characters.

    >>> error_text(ValueError("no luck")), error_text(KeyboardInterrupt())
    ('ValueError: no luck', 'KeyboardInterrupt')
    """
    message, failure = outcome(str, object=error)
    if failure is not None:
        message = "its message cannot be made"
    if len(message) > _MAX_MESSAGE:
        message = f"{message[:_MAX_MESSAGE]}... ({len(message):,} characters)"
    return plain_text(f"{type(error).__name__}: {message}" if message else type(error).__name__)


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """What plugins print goes to stderr, because stdout holds data."""
    with redirect_stdout(sys.stderr):
        yield


class Guard:
    """Calls one plugin for one batch; keeps the first exception and which alerts have no result because of failures."""

    def __init__(self, node: Named, n: int) -> None:
        self.node, self.n = node, n
        self.error: Exception | None = None
        self.lost = np.zeros(n, bool)

    def attempt(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """Return value of the function for the batch, or None if it raises."""
        return self._attempt(slice(None), function, arguments)

    def attempt_one(self, row: int, function: Callable[..., Any], /, **arguments: Any) -> Any:
        """Return value of the function for the alert in one row of the batch, or None if it raises."""
        return self._attempt(row, function, arguments)

    def _attempt(self, rows: int | slice, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        answer, error = outcome(function, **arguments)
        if error is not None:
            self.error = self.error or error
            self.lost[rows] = True
        return answer

    @property
    def message(self) -> str:
        """The first failure as text, and the number of alerts without a result because of failures."""
        assert self.error is not None
        return f"{error_text(self.error)} ({self.lost.sum()} of {self.n} alerts)"


class FailureLog:
    """Logs failures, at most once per `period` seconds for each plugin."""

    def __init__(self, clock: Callable[[], float], period: float = 60.0) -> None:
        self._clock, self._period = clock, period
        self._next: dict[str, float] = {}
        self._silent: dict[str, int] = {}

    def report(self, guard: Guard) -> None:
        """Log the failure with its traceback, or count it if the plugin was logged within `period`."""
        name, now = guard.node.name, self._clock()
        if now < self._next.get(name, now):
            self._silent[name] = self._silent.get(name, 0) + 1
            return
        facts = {"plugin": name, "version": guard.node.version, "unreported": self._silent.pop(name, 0)}
        frames = traceback.format_tb(guard.error.__traceback__) if guard.error else []
        log.error("%s failed: %s\n%s", name, guard.message, "".join(frames).rstrip(), extra=facts)
        self._next[name] = now + self._period
