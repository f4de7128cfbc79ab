"""Ctrl-C once: finish the batches at work and end clean. Twice: stop at once."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

log = logging.getLogger(__name__)


class StopRequest:
    """Whether the user asked to stop, and with which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.signal is not None


@contextmanager
def stop_on_interrupt() -> Iterator[StopRequest]:
    """A request that SIGINT and SIGTERM set; outside the main thread it is never set."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(number: int, _: Any) -> None:
        request.signal = number
        log.warning("stopping: the batches at work are being finished; press Ctrl-C again to stop at once")
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
