"""The class that a label means, and which labels exclude each other."""

from __future__ import annotations

import pytest

from redpoll.learn.label_classes import conflicts, label_class


def row(label, *, number=1, object_id="a", survey="ztf", alert_id=None, source="TNS", by="TNS"):
    return {"label": label, "label_id": number, "object_id": object_id, "survey": survey, "alert_id": alert_id,
            "source": source, "by": by}  # fmt: skip


@pytest.mark.parametrize(
    ("label", "source", "by", "expected"),
    [
        ("tde", "expert", "ada", "tde"),
        ("TDE", "TNS", "TNS", "tde"),
        ("E+UG", "catalogue", "vsx", "eclipsing_binary"),
        ("Galaxy", "expert", "ada", label_class("Galaxy", "TNS", "TNS")),
        ("IIb", "TNS", "an old list", "sn_iib"),
        ("no such thing", "bot", "b", None),
    ],
)
def test_the_class_of_a_label(label, source, by, expected):
    assert label_class(label, source, by) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("SN Ia"), row("sn_ii", source="expert")], ["a"]),
        ([row("SN Ia"), row("sn", source="expert")], []),
        ([row("SN Ia"), row("SN Ia-91T-like")], []),
        ([row("SN Ia"), row("a ghost", source="expert")], []),
        ([row("SN Ia"), row("SN II", object_id="b")], []),
        ([row("SN Ia"), row("SN II", survey="rubin")], []),
        ([row("SN Ia", alert_id=1), row("SN II", alert_id=2)], []),
        ([row("SN Ia", alert_id=1), row("SN II", alert_id=1)], ["a"]),
        ([row("SN Ia", alert_id=1), row("SN II")], ["a"]),
        ([row("SN Ia"), row("SN"), row("SN II")], ["a"]),
        ([row("SN Ia", object_id="z"), row("TDE", object_id="z"), row("SN Ia"), row("AGN")], ["a", "z"]),
    ],
)
def test_labels_exclude_each_other_unless_one_class_holds_the_other(rows, expected):
    assert [each.object_id for each in conflicts(rows)] == expected


def test_a_conflict_shows_every_label_of_the_object():
    (found,) = conflicts([row("SN Ia", number=1), row("SN II", number=2), row("SN", number=3)])
    assert {label[1:] for label in found.labels} == {
        ("SN Ia", "TNS", "TNS", 1), ("SN II", "TNS", "TNS", 2), ("SN", "TNS", "TNS", 3),
    }  # fmt: skip
