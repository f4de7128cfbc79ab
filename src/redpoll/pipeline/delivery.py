"""Messages of one sink on their way: sent and flushed, or safe in its spool, before their block is committed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from redpoll.config import DeliveryConfig
from redpoll.errors import SinkBackpressure, UsageError
from redpoll.pipeline.spool import Spool
from redpoll.plugin.isolation import error_text, outcome
from redpoll.plugin.ports import Message, Sender, Sink

log = logging.getLogger(__name__)
_LONGEST_PAUSE = 30.0
_DRAIN_PAUSE = 5.0
_SLICE = 0.1


class Delivery:
    """Sends the messages of a sink; parks it when it stays full or fails, and sends its spool when it is back.

    Parameters
    ----------
    sink
        Where the messages go.
    spool
        Where they wait while the sink is parked.
    settings
        Pauses and retries.
    paused
        Makes a context in which no source is polled.
    stop
        Asked during pauses; when it returns true, messages go to the spool at once.
    clock, sleep
        Time, for tests.
    """

    def __init__(
        self,
        sink: Sink,
        spool: Spool,
        settings: DeliveryConfig,
        *,
        paused: Callable[[], AbstractContextManager[None]],
        stop: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.sink, self.spool = sink, spool
        self._settings, self._paused, self._stop, self._clock, self._sleep = settings, paused, stop, clock, sleep
        self._lock = threading.RLock()
        self._sender: Sender | None = None
        self._next_drain = 0.0
        self.is_parked = False
        self.n_sent = 0

    def start(self) -> None:
        """Open the sink and send its spool; UsageError if its settings cannot be followed."""
        _, error = outcome(self._open)
        if isinstance(error, UsageError):
            raise error
        if error is not None:
            self._park(error)
        else:
            self._drain(self._settings.retries)

    def deliver(self, messages: Sequence[Message]) -> None:
        """Return once the messages have arrived or are in the spool.

        Raises
        ------
        SinkError
            If the spool is full or cannot be written.
        """
        with self._lock:
            self.retry()
            settings = self._settings
            if messages and (self.is_parked or not self._send(messages, settings.retries, settings.max_pause_seconds)):
                self.spool.append(messages)

    def retry(self) -> None:
        """Send the spool of a parked sink if it is time to try again; any thread may call it."""
        with self._lock:
            if self.is_parked and self._clock() >= self._next_drain:
                self._drain(0)

    def finish(self) -> None:
        """Try the spool once more and close the sink."""
        with self._lock:
            if self.is_parked and not self._stop():
                self._drain(0)
            self.close()

    def _drain(self, retries: int) -> None:
        """Send the spool in order; the sink is parked unless all of it is sent."""
        for end, messages in self.spool.frames():
            if not self._send(messages, retries, _DRAIN_PAUSE):
                return
            self.spool.mark_sent(end, messages)
        if self.is_parked:
            _, error = outcome(self._open)
            if error is not None:
                self._park(error)
                return
            log.warning("sink %s is back", self.sink.name)
        self.is_parked = False

    def _send(self, messages: Sequence[Message], retries: int, max_pause: float) -> bool:
        """Whether the messages were sent and flushed; if not, the sink is parked."""
        failures, paused, pause = 0, 0.0, self._settings.backoff_seconds
        while True:
            _, error = outcome(self._send_once, messages=messages)
            if error is None:
                self.n_sent += len(messages)
                return True
            if not isinstance(error, SinkBackpressure):
                failures += 1
                self.close()
            if failures > retries or paused >= max_pause or self._stop():
                self._park(error)
                return False
            with self._paused():
                paused += self._wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _send_once(self, messages: Sequence[Message]) -> None:
        sender = self._open()
        try:
            sender.send(messages)
        except SinkBackpressure:
            sender.flush()  # makes room for the next attempt
            raise
        sender.flush()

    def _open(self) -> Sender:
        if self._sender is None:
            self._sender = self.sink.open()
        return self._sender

    def close(self) -> None:
        """Close the sink in any state."""
        sender, self._sender = self._sender, None
        if sender is not None:
            _, error = outcome(sender.close)
            if error is not None:
                log.warning("sink %s: closing it failed: %s", self.sink.name, error_text(error))

    def _park(self, error: Exception) -> None:
        if not self.is_parked:
            log.error("sink %s is parked, its messages wait in the spool: %s", self.sink.name, error_text(error))
        self.is_parked = True
        self._next_drain = self._clock() + self._settings.retry_parked_seconds
        self.close()

    def _wait(self, seconds: float) -> float:
        """Sleep, unless stopping is asked for; returns `seconds`, at least a little."""
        left = seconds
        while left > 0 and not self._stop():
            self._sleep(min(left, _SLICE))
            left -= _SLICE
        return max(seconds, _SLICE)


def retry_parked(deliveries: Sequence[Delivery]) -> None:
    """Send the spools of parked sinks for which it is time to try again."""
    for delivery in deliveries:
        delivery.retry()
