"""The object of an identifier that a visitor typed, and near identifiers where there is none."""

from __future__ import annotations

import re
from difflib import get_close_matches

from redpoll.errors import NotFound
from redpoll.schema.bands import SURVEYS
from redpoll.serve.door import Reader
from redpoll.serve.rows import full_alert, object_row

_ZTF = re.compile(r"ztf(\d\d[a-z]{7})", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,19}")
_N_RECENT = 500


def find_object(reader: Reader, text: str) -> tuple[str | None, int | None]:
    """The object that an object's or alert's identifier names, and the alert if it was one; (None, None) if none."""
    for candidate in dict.fromkeys((text, tidy(text))):
        try:
            return str(object_row(reader, candidate)["object_id"]), None
        except NotFound:
            continue
    if _NUMBER.fullmatch(text) and int(text) < 2**63:
        for survey in SURVEYS:
            try:
                return str(full_alert(reader, int(text), survey, ["object_id"])["object_id"]), int(text)
            except NotFound:
                continue
    return None, None


def tidy(text: str) -> str:
    """An identifier in the survey's own spelling.

    >>> tidy("ztf20AAELULU")
    'ZTF20aaelulu'
    """
    match = _ZTF.fullmatch(text)
    return f"ZTF{match[1].lower()}" if match else text


def suggestions(reader: Reader, text: str) -> list[str]:
    """Objects whose identifier is like the text: the right spelling first, then near ones of recent alerts."""
    found, _ = find_object(reader, text)
    newest = reader.alerts.scan(["object_id"], limit=_N_RECENT).to_table()
    recent = dict.fromkeys(newest["object_id"].to_pylist())
    near = get_close_matches(text[:40], list(recent), n=5, cutoff=0.6)
    return list(dict.fromkeys(([found] if found else []) + near))
