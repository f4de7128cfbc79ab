"""The PostgreSQL adapter on paper has every method of the store's ports, and every table of its databases."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_type_hints

import redpoll.store
from redpoll.store import Store

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/decisions/0016-postgresql-adapter.md").read_text(encoding="utf-8")
_TABLES, _METHODS = (
    re.findall(r"^\| (`.+?) \|", PAGE.split(f"## {title}")[1].split("\n## ")[0], re.MULTILINE)
    for title in ("Tables and indexes", "Each method")
)


def test_every_method_of_every_port_is_there_and_no_other():
    ports = {name: port for name, port in get_type_hints(Store).items() if getattr(port, "_is_protocol", False)}
    methods = {f"{name}.{method}" for name, port in ports.items() for method in vars(port) if method[0] != "_"}
    assert len(ports) >= 15
    assert {name for row in _METHODS for name in re.findall(r"`([\w.]+)`", row)} == methods


def test_every_table_of_every_database_is_there():
    scripts = Path(redpoll.store.__file__).parent.rglob("*.sql")
    tables = {name for path in scripts for name in re.findall(r"^CREATE TABLE (\w+)", path.read_text(), re.MULTILINE)}
    assert {name for row in _TABLES for name in re.findall(r"`(\w+)`", row)} == tables | {"alert_ids"}
