"""Plugins of installed packages."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import EntryPoint
from types import ModuleType, SimpleNamespace

import pytest

from redpoll import Column, alert_filter, science_module
from redpoll.plugin import discovery
from redpoll.plugin.discovery import broken_plugins, installed_filters, installed_modules, installed_sinks
from redpoll.plugin.discovery import installed_sources as sources
from redpoll.plugin.expression_filter import expression_filter

OUT = {"out": Column("float32")}


def documented(mag):
    """A magnitude."""
    return mag


def silent(mag):
    return mag


class Packets:
    """A source."""


@pytest.fixture
def offer(monkeypatch):
    """Pretend that a package `their_plugins 2.1` is installed, with these names behind entry points."""
    module = ModuleType("their_plugins")
    offered: list[tuple[str, EntryPoint]] = []

    def offering(group: str, name: str, plugin=None) -> None:
        if plugin is not None:
            setattr(module, name, plugin)
        entry = EntryPoint(name, f"their_plugins:{name}", group)
        vars(entry)["dist"] = SimpleNamespace(name="their-plugins", version="2.1")
        offered.append((group, entry))

    monkeypatch.setitem(sys.modules, "their_plugins", module)
    monkeypatch.setattr(discovery, "entry_points", lambda group: [e for g, e in offered if g == group])
    return offering


def test_modules_and_filters_are_found_by_name(offer) -> None:
    offer(discovery.MODULES, "zoo", science_module(version="1", outputs=OUT)(documented))
    offer(discovery.FILTERS, "bright", alert_filter("bright")(documented))
    offer(discovery.FILTERS, "line", expression_filter("line", "mag < 18"))
    assert [str(m) for m in installed_modules()] == ["documented@1"]
    assert [f.topic for f in installed_filters()] == ["bright", "line"]
    assert broken_plugins() == []


def test_sources_and_sinks_are_found_under_their_entry_points(offer) -> None:
    offer(discovery.SOURCES, "packets", Packets)
    offer(discovery.SINKS, "nowhere", Packets)
    assert sources() == {"packets": Packets}
    assert installed_sinks() == {"nowhere": Packets}


@pytest.mark.parametrize(
    ("group", "plugin", "reason"),
    [
        (discovery.MODULES, None, "AttributeError"),
        (discovery.MODULES, documented, "it is a function, not a function decorated by @science_module"),
        (discovery.MODULES, alert_filter()(documented), "it is a AlertFilter"),
        (discovery.MODULES, science_module(version="1", outputs=OUT)(silent), "silent@1 has no docstring"),
        (discovery.FILTERS, alert_filter()(silent), "silent@1 has no docstring"),
        (discovery.SOURCES, "packets", "it is a str, not a class or function"),
    ],
)
def test_broken_plugin_is_explained_and_leaves_the_others_alone(offer, caplog, group, plugin, reason) -> None:
    offer(group, "bad", plugin)
    offer(discovery.MODULES, "good", science_module(version="1", outputs=OUT)(documented))
    with caplog.at_level(logging.ERROR):
        assert [m.name for m in installed_modules()] == ["documented"]
    (error,) = broken_plugins()
    assert str(error).startswith("plugin 'bad' (their_plugins:bad) of their-plugins 2.1 cannot be used: ")
    assert reason in str(error)
    assert "uninstall" in str(error)
    assert (str(error) in caplog.text) == (group == discovery.MODULES)


def test_name_offered_twice_keeps_the_first(offer) -> None:
    first, second = (science_module(version=v, outputs=OUT)(documented) for v in "12")
    offer(discovery.MODULES, "one", first)
    offer(discovery.MODULES, "two", second)
    assert [str(m) for m in installed_modules()] == ["documented@1"]
    assert "already provides 'documented'" in str(broken_plugins()[0])


def test_package_that_cannot_be_imported_is_reported(offer, monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "their_plugins")
    offer(discovery.MODULES, "gone")
    assert installed_modules() == []
    assert "ModuleNotFoundError" in str(broken_plugins()[0])
