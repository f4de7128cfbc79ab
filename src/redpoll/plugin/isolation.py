"""Isolation of failing plugins, so that the stream continues; the only code that catches every exception."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

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
    """Return value of a plugin's function and None, or None and the exception it raised."""
    try:
        return function(**arguments), None
    except Exception as error:
        return None, error


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
        return f"{type(self.error).__name__}: {self.error} ({self.lost.sum()} of {self.n} alerts)"


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
        log.error("%s failed: %s", name, guard.message, extra=facts, exc_info=guard.error)
        self._next[name] = now + self._period
