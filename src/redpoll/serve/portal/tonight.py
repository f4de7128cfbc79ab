"""What the front page shows: one night's ledger, its topics and classes, and the newest candidates."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from redpoll.errors import BadQuery, StoreError
from redpoll.schema.alert import COLUMNS
from redpoll.schema.taxonomy import taxonomy
from redpoll.serve.api.query import check_class, check_topic
from redpoll.serve.door import Reader
from redpoll.serve.labels import label_of
from redpoll.serve.portal.sparkline import Sparkline, sparkline
from redpoll.store import Selection
from redpoll.store.ledger import OUTCOMES
from redpoll.store.row_answers import Row, full_alert, ledger_rows

N_CANDIDATES = 40
ALL_ALERTS = "all"
"""Instead of a topic: every alert, whether or not it passed a filter."""
_NOTHING: Row = dict.fromkeys(COLUMNS)
N_NIGHTS = 14
"""Nights that a page links to; every other night is reached from the first or last of them."""


@dataclass(frozen=True)
class Candidate:
    """One object among the newest alerts: its newest alert, and its history as a sparkline."""

    alert: Row
    spark: Sparkline | None


@dataclass(frozen=True)
class ClassCount:
    """A class of the taxonomy, its title, and the number of alerts to which it was assigned."""

    name: str
    title: str
    n: int


@dataclass(frozen=True)
class Nights:
    """Nights around the shown one, newest first, and the next ones on both sides, None at the ends."""

    shown: list[int]
    newer: int | None
    older: int | None


@dataclass(frozen=True)
class Tonight:
    """The front page of one night; ``total`` and ``reasons`` sum over the surveys in ``ledger``.

    ``scores`` are the columns of scores of the chosen class with their labels, where no alert has the class.
    """

    night: int | None
    nights: Nights
    ledger: list[Row]
    total: dict[str, int]
    reasons: list[tuple[str, int]]
    nightless: list[Row]
    topics: list[tuple[str, int]]
    topic: str | None
    classes: list[ClassCount]
    class_: ClassCount | None
    scores: list[tuple[str, str]]
    candidates: list[Candidate]


class Sparklines:
    """Sparklines of alerts, remembered, because an alert never changes once it is stored."""

    def __init__(self, size: int = 4096) -> None:
        self._known: OrderedDict[tuple[str, int], Sparkline | None] = OrderedDict()
        self._size, self._lock = size, threading.Lock()

    def of(self, reader: Reader, alert: Row) -> Sparkline | None:
        """Sparkline of the light curve that came with an alert; None if it cannot be read."""
        key = alert["survey"], int(alert["alert_id"])
        if key not in self._known:
            spark = self._read(reader, *key)
            with self._lock:
                self._known[key] = spark
                while len(self._known) > self._size:
                    self._known.popitem(last=False)
            return spark
        return self._known.get(key)

    @staticmethod
    def _read(reader: Reader, survey: str, alert_id: int) -> Sparkline | None:
        try:
            return sparkline(full_alert(reader, alert_id, survey, ["light_curve"]).get("light_curve"))
        except StoreError:
            return None


def tonight(
    reader: Reader,
    sparklines: Sparklines,
    night: int | None = None,
    topic: str | None = None,
    class_: str | None = None,
) -> Tonight:
    """The front page of a night, by default the newest; of one topic or class, all alerts, or what passed a filter."""
    if None not in (topic, class_):
        raise BadQuery("ask for a topic or a class, not for both")
    if class_ is not None:
        check_class(class_)
    rows = ledger_rows(reader)
    nights = sorted({row["night"] for row in rows if row["night"] is not None}, reverse=True)
    night = night if night is not None else (nights[0] if nights else None)
    ledger = [row for row in rows if row["night"] == night and night is not None]
    topics = sorted(reader.ledger.topics(night=night).items(), key=lambda item: (-item[1], item[0]))
    if topic not in (None, ALL_ALERTS, *dict(topics)):
        check_topic(str(topic), reader.ledger.topics())
    counts = sorted(reader.ledger.classes(night=night).items(), key=lambda item: (-item[1], item[0]))
    if class_ is None:
        alerts = _newest(reader, night, topic, [name for name, n in topics if n])
    else:
        alerts = _one_an_object(_alert_rows(reader, Selection(class_=class_, night=night)))
    return Tonight(
        night=night,
        nights=nights_around(nights, night),
        ledger=ledger,
        total={name: sum(row[name] for row in ledger) for name in OUTCOMES},
        reasons=reasons_of(ledger),
        nightless=[row for row in rows if row["night"] is None],
        topics=topics,
        topic=topic,
        classes=[_class_count(name, n) for name, n in counts],
        class_=None if class_ is None else _class_count(class_, dict(counts).get(class_, 0)),
        scores=[] if class_ is None or alerts else scores_of(reader, class_),
        candidates=[Candidate(alert, sparklines.of(reader, alert)) for alert in alerts],
    )


def nights_around(nights: Sequence[int], night: int | None, size: int = N_NIGHTS) -> Nights:
    """The nights next to one, of nights that are sorted newest first.

    >>> nights_around([9, 8, 7, 6, 5, 4], 6, 3)
    Nights(shown=[7, 6, 5], newer=8, older=4)
    """
    before = sum(1 for n in nights if night is not None and n > night)
    start = max(0, min(before - size // 2, len(nights) - size))
    end = start + size
    return Nights(
        shown=list(nights[start:end]),
        newer=nights[start - 1] if start else None,
        older=nights[end] if end < len(nights) else None,
    )


def scores_of(reader: Reader, class_: str) -> list[tuple[str, str]]:
    """Name and label of the stored scores of a class and its subclasses."""
    tree = taxonomy()
    family = [name for name in tree.classes if name == class_ or class_ in tree.ancestors(name)]
    stored: list[str] = reader.alerts.schema().names
    return [(name, label_of(name)) for name in stored if name.startswith("p_") and _is_score(name, family)]


def _is_score(column: str, classes: Sequence[str]) -> bool:
    return any(f"_{column.removeprefix('p_')}".endswith(f"_{name}") for name in classes)


def reasons_of(ledger: Iterable[Row]) -> list[tuple[str, int]]:
    """Packets per reason over all rows, most frequent first."""
    total: dict[str, int] = {}
    for row in ledger:
        for reason, n in row["reasons"].items():
            total[reason] = total.get(reason, 0) + n
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))


def _class_count(name: str, n: int) -> ClassCount:
    known = taxonomy().classes.get(name)
    return ClassCount(name, known.title if known else name, n)


def _newest(reader: Reader, night: int | None, topic: str | None, topics: Sequence[str]) -> list[Row]:
    """Newest alert of each of the latest objects."""
    if topic == ALL_ALERTS or (topic is None and not topics):
        wanted: list[str | None] = [None]
    else:
        wanted = list(topics) if topic is None else [topic]
    rows = [row for name in wanted for row in _alert_rows(reader, Selection(topic=name, night=night))]
    rows.sort(key=lambda row: (row["mjd"], int(row["alert_id"])), reverse=True)
    return _one_an_object(rows)


def _alert_rows(reader: Reader, selection: Selection) -> list[Row]:
    return reader.alerts.scan(None, selection, limit=2 * N_CANDIDATES).to_rows()


def _one_an_object(rows: Iterable[Row]) -> list[Row]:
    """The first row of each of the first objects."""
    objects: dict[tuple[str, str], Row] = {}
    for row in rows:
        objects.setdefault((row["survey"], row["object_id"]), _NOTHING | row)
    return list(objects.values())[:N_CANDIDATES]
