"""The table of the store's ports names methods that they have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_type_hints

import pytest

from redpoll.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "store.md"
ROWS = re.findall(r"^\| `store\.(\w+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_table_is_found():
    assert len(ROWS) >= 8


@pytest.mark.parametrize(("port", "text"), ROWS, ids=[port for port, _ in ROWS])
def test_the_methods_of_a_port_exist(port, text):
    methods = re.findall(r"`(\w+)`", text)
    assert methods and [name for name in methods if not hasattr(get_type_hints(Store)[port], name)] == []
