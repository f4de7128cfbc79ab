"""The object of an identifier that a visitor typed, and near identifiers where there is none."""

from __future__ import annotations

import re

from redpoll.errors import NotFound
from redpoll.schema.bands import SURVEYS
from redpoll.serve.door import Reader
from redpoll.store.identifiers import alert_number, near_identifiers
from redpoll.store.row_answers import full_alert, object_row

_ZTF = re.compile(r"ztf(\d\d[a-z]{7})", re.IGNORECASE)


def find_object(reader: Reader, text: str) -> tuple[str | None, int | None]:
    """The object that an object's or alert's identifier names, and the alert if it was one; (None, None) if none."""
    for candidate in dict.fromkeys((text, tidy(text))):
        try:
            return str(object_row(reader, candidate)["object_id"]), None
        except NotFound:
            continue
    if (number := alert_number(text)) is not None:
        for survey in SURVEYS:
            try:
                return str(full_alert(reader, number, survey, ["object_id"])["object_id"]), number
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
    near = near_identifiers(reader, text, ["object_id"])
    return list(dict.fromkeys(([found] if found else []) + near))
