"""Logging to stderr, with one logger per module and data as fields; text from elsewhere made safe for a terminal."""

from __future__ import annotations

import logging
import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_IN_LINES = re.compile(_CONTROL.pattern.replace(r"\x00-\x1f", r"\x00-\x08\x0b-\x1f"))
_MAX_RECORD = 10_000


def configure_logging(*, verbose: bool = False) -> None:
    """Send Redpoll's log to stderr: warnings, or with `verbose` also INFO."""
    from rich.console import Console  # some 50 ms, which an import of the plugin contract must not need
    from rich.logging import RichHandler

    handler = RichHandler(console=Console(stderr=True), show_path=False, markup=False)
    _configure(handler, "%(message)s", logging.INFO if verbose else logging.WARNING)


def configure_worker_logging() -> None:
    """Send the warnings of a worker process to stderr."""
    _configure(logging.StreamHandler(), "%(asctime)s %(levelname)s %(message)s", logging.WARNING)


def _configure(handler: logging.Handler, form: str, level: int) -> None:
    handler.setFormatter(PlainFormatter(form))
    root = logging.getLogger("redpoll")
    root.handlers[:] = [handler]
    root.setLevel(level)


class PlainFormatter(logging.Formatter):
    """Log records whose messages and tracebacks hold text from elsewhere: control characters as escapes, cut short."""

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, of at most some 10,000 characters."""
        text = super().format(record)
        if (left_out := len(text) - _MAX_RECORD) > 0:
            half = _MAX_RECORD // 2
            text = f"{text[:half]}\n... {left_out:,} characters ...\n{text[-half:]}"
        return plain_lines(text)


def plain_text(text: object) -> str:
    """Text from elsewhere for a terminal: control characters, which could move its cursor, as escapes.

    >>> plain_text("night[final].avro"), plain_text("a\x1b[2Jb")
    ('night[final].avro', 'a\\\\x1b[2Jb')
    """
    return _escaped(_CONTROL, str(text))


def plain_lines(text: object) -> str:
    """Text for a terminal as `plain_text`, its line breaks kept."""
    return _escaped(_CONTROL_IN_LINES, str(text))


def _escaped(characters: re.Pattern[str], text: str) -> str:
    return characters.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
