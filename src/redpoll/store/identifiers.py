"""Identifiers that people type: numbers of alerts, and identifiers in the store that are like a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from redpoll.store.composition import Store

_NUMBER = re.compile(r"[0-9]{1,19}")
_N_RECENT = 500


def alert_number(text: str) -> int | None:
    """The number of an alert; None if the text has other characters than ASCII digits, or is too large.

    >>> alert_number("1213"), alert_number("1_213"), alert_number("9" * 19)
    (1213, None, None)
    """
    return int(text) if _NUMBER.fullmatch(text) and int(text) < 2**63 else None


def near_identifiers(store: Store, text: str, columns: Sequence[str]) -> list[str]:
    """Identifiers in these columns of recent alerts that are like a text, whatever the case of its letters."""
    recent = store.alerts.scan(columns, limit=_N_RECENT).to_table()
    lower = {str(name).lower(): str(name) for column in columns for name in recent[column].to_pylist()}
    return [lower[name] for name in get_close_matches(text[:40].lower(), list(lower), n=5, cutoff=0.6)]
