"""How answers look on a terminal, and as JSON."""

from __future__ import annotations

import json

import pytest

from redpoll.cli.output import print_json, print_rows


@pytest.mark.parametrize(("value", "shown"), [(True, "yes"), (False, "no"), (1, "1"), (0, "0"), (None, "-")])
def test_a_table_says_yes_or_no_where_json_says_true_or_false(value, shown, capsys):
    print_rows([{"is_good": value}], {"is_good": "good"}, none="")
    assert shown in capsys.readouterr().out.split()
    print_json({"is_good": value})
    assert json.loads(capsys.readouterr().out) == {"is_good": value}
