"""The built pages: nothing of Redpoll's is missing from the reference, and nothing is fetched from elsewhere."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from redpoll.schema.alert import COLUMNS
from redpoll_reference import api, commands, configuration, errors, modules

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts and "generated" not in p.parts)
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["'](?:https?:)?//|<link[^>]*href=["'](?:https?:)?//"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", DOCS, folder, "-d", folder / ".doctrees"]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


def words(site: Path, page: str) -> str:
    markup = (site / "reference" / "generated" / f"{page}.html").read_text(encoding="utf-8")
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def test_every_column_is_in_the_reference(site: Path) -> None:
    text = words(site, "columns")
    assert [name for name, column in COLUMNS.items() if name not in text or column.doc[:40] not in text] == []


@pytest.mark.parametrize("group", [*modules.NODES, *modules.PORTS])
def test_every_plugin_is_in_the_reference(site: Path, group: str) -> None:
    text = words(site, "modules")
    assert [e.name for e in modules.own(group) if e.name not in text] == []


def test_every_output_and_setting_of_a_module_is_in_the_reference(site: Path) -> None:
    text = words(site, "modules")
    nodes = [e.load() for group in modules.NODES for e in modules.own(group)]
    assert [name for node in nodes for name in [*node.outputs, *node.settings] if name not in text] == []


def test_every_command_and_option_is_in_the_reference(site: Path) -> None:
    text = words(site, "commands")
    found = list(commands.commands(commands.root()))
    assert [name for name, _ in found if f"Usage: redpoll {' '.join(name)}" not in text] == []
    assert [
        o for _, command in found for p in command.params for o in p.opts if o.startswith("--") and o not in text
    ] == []


def test_every_setting_is_in_the_reference(site: Path) -> None:
    text = words(site, "configuration")
    assert [name for name in configuration.settings() if name.rsplit(".", 1)[-1] not in text] == []


def test_every_error_is_in_the_reference(site: Path) -> None:
    errors.import_all()
    text = words(site, "errors")
    assert [e.__name__ for e in errors.every() if e.__name__ not in text] == []


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    text = words(site, "api")
    assert [f"{m.__name__}.{n}" for m, names in api.public() for n in names if f"{m.__name__}.{n}" not in text] == []


def test_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    assert [p.name for p in site.rglob("*.html") if FETCHED.search(p.read_text(encoding="utf-8"))] == []
    assert [
        p.name for p in site.rglob("*.css") if re.search(r"url\(['\"]?(https?:)?//", p.read_text(encoding="utf-8"))
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(DOCS)))
def test_a_page_says_first_who_it_is_for(page: Path) -> None:
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.strip()]
    if "decisions" not in page.parts or page.name == "index.md" or lines[1].startswith("*"):
        assert lines[0].startswith("# ")
        assert lines[1].startswith("*For ")
