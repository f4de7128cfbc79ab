"""Opaque page marks: where the last page ended, bound to the query that made them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math

from redpoll.errors import BadQuery

Mark = tuple[float, int]
"""Sort key of the last row of a page: (mjd or separation, alert_id)."""
_WRONG = "the cursor does not belong to this query: take 'next' from the page before, with the same parameters"


def encode(mark: Mark, query: str) -> str:
    """Cursor after the row `mark` of a query.

    >>> decode(encode((60000.5, 7), "topic=a"), "topic=a")
    (60000.5, 7)
    """
    text = json.dumps([mark[0], str(mark[1]), _digest(query)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode(cursor: str, query: str) -> Mark:
    """The mark in a cursor; BadQuery if it is not one, or one of another query."""
    try:
        key, alert_id, digest = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        mark = float(key), int(alert_id)
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadQuery(_WRONG) from error
    if digest != _digest(query) or not math.isfinite(mark[0]) or abs(mark[1]) >= 2**63:
        raise BadQuery(_WRONG)
    return mark


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode("utf-8", "replace")).hexdigest()[:12]
