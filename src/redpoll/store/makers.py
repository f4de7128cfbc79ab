"""Who made the values of a column: the module or catalogue of the segment, or of the newest revision."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

MAKERS_SQL = """(SELECT m.mapping FROM provenance m WHERE m._id = p.provenance),
    (SELECT json_group_array(json_array(n._id, json(n.columns), json(m.mapping))) FROM revised r
     JOIN revisions n ON n._id = r.revision JOIN provenance m ON m._id = n.provenance WHERE r.alert = a._id)"""
"""SELECT list, for an alert ``a`` and its segment ``p``, of what `newest_makers` reads."""


def newest_makers(found: Sequence[Any]) -> dict[str, str]:
    """Column -> module@version of the newest values of an alert, from a row that selected `MAKERS_SQL`.

    >>> newest_makers(['{"x": "m@1", "y": "m@1"}', '[[7, ["x", "z"], {"x": "m@2"}]]'])
    {'y': 'm@1', 'x': 'm@2'}
    """
    mapping, revisions = json.loads(found[0]), sorted(json.loads(found[1]))
    return with_newer(mapping, ((names, made) for _, names, made in revisions))


def with_newer(makers: dict[str, str], revisions: Iterable[tuple[Sequence[str], dict[str, str]]]) -> dict[str, str]:
    """The makers after revisions, each of which names its columns and those of them that have a maker."""
    result = dict(makers)
    for names, made in revisions:
        for name in names:
            result.pop(name, None)
        result |= made
    return result


def last_makers(connection: sqlite3.Connection) -> dict[str, str]:
    """Column -> module@version of the newest segment and of the newest revision; of a column in both, the later one."""
    sql = """SELECT m.mapping, t._id FROM segments t JOIN provenance m ON m._id = t.provenance
        ORDER BY t._id DESC LIMIT 1"""
    segment = connection.execute(sql).fetchone() or ("{}", 0)
    sql = """SELECT m.mapping, t.segment FROM revisions t JOIN provenance m ON m._id = t.provenance
        ORDER BY t._id DESC LIMIT 1"""
    revision = connection.execute(sql).fetchone() or ("{}", 0)
    older, newer = (revision, segment) if segment[1] > (revision[1] or 0) else (segment, revision)
    return {**json.loads(older[0]), **json.loads(newer[0])}
