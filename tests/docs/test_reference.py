"""The built pages: nothing of Redpoll's is missing from the reference, and nothing is fetched from elsewhere."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from redpoll.catalogs.recipe import builtin_recipes
from redpoll.schema.alert import COLUMNS
from redpoll.schema.light_curve import POINT_TYPE
from redpoll.schema.taxonomy import taxonomy
from redpoll.serve.curve import Curve
from redpoll_reference import api, commands, configuration, errors, examples, links, pictures, plugins

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


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def words(site: Path, page: str) -> str:
    return plain((site / "reference" / "generated" / f"{page}.html").read_text(encoding="utf-8"))


def test_every_column_is_in_the_reference(site: Path) -> None:
    text = words(site, "columns")
    assert [name for name, column in COLUMNS.items() if name not in text or column.doc[:40] not in text] == []


def sections(site: Path, page: str) -> dict[str, str]:
    """Markup of each module, filter or catalogue of a page, by its name."""
    markup = (site / "reference" / "generated" / f"{page}.html").read_text(encoding="utf-8")
    parts = re.split(r'<h2><code[^>]*><span class="pre">', markup)[1:]
    return {part.partition("<")[0]: part for part in parts}


def documented() -> Iterator[tuple[str, str]]:
    """Page and name of all that has a section with a picture."""
    for group, page in links.PAGES.items():
        yield from ((page, entry.load().name) for entry in plugins.own(group))
    yield from (("catalogues", one.name) for one in links.catalogues())


@pytest.mark.parametrize(("page", "name"), [*documented()], ids=str)
def test_everything_that_makes_columns_has_a_section_with_a_picture(site: Path, page: str, name: str) -> None:
    section = sections(site, page)[name]
    source, alt = re.search(r'<img alt="([^"]+)"[^>]*src="([^"]+)"', section).group(2, 1)
    assert "Light curve of a simulated alert" in alt
    assert (site / "reference" / "generated" / source).resolve().is_file()
    assert re.search(r"<figcaption>.*[Ss]imulated", section, re.DOTALL)


def test_a_missing_section_is_noticed(site: Path) -> None:
    assert "no_such_module" not in sections(site, "modules")


@pytest.mark.parametrize("group", [plugins.SOURCES, plugins.SINKS])
def test_every_source_and_sink_is_in_the_reference(site: Path, group: str) -> None:
    text = words(site, "ports")
    assert [e.name for e in plugins.own(group) if e.name not in text] == []


def test_every_column_made_is_in_the_reference_with_what_it_says(site: Path) -> None:
    text, where = words(site, "columns"), {page: sections(site, page) for page in ("modules", "filters", "catalogues")}
    for name, column, maker, page in links.made():
        section = plain(where[page][maker])
        assert name in text and name in section
        assert column.assigns is None or column.assigns in section


def test_every_setting_and_input_of_a_module_is_in_its_section(site: Path) -> None:
    for group, page in links.PAGES.items():
        found = sections(site, page)
        nodes = [entry.load() for entry in plugins.own(group)]
        assert [(n.name, x) for n in nodes for x in [*n.settings, *n.inputs] if x not in plain(found[n.name])] == []


def test_a_catalogue_tells_source_licence_and_citation(site: Path) -> None:
    found = sections(site, "catalogues")
    for name, recipe in builtin_recipes().items():
        text = " ".join(plain(found[name]).split())
        assert all(" ".join(fact.split()) in text for fact in (recipe.title, recipe.licence, recipe.citation)), name


def test_every_class_is_in_the_reference(site: Path) -> None:
    text = words(site, "taxonomy")
    assert [c.name for c in taxonomy().classes.values() if c.name not in text or c.title not in text] == []


def test_pictures_are_small_readable_and_the_same_at_each_build(site: Path) -> None:
    folder = DOCS / "reference" / "generated" / examples.FOLDER
    for picture in examples.every():
        assert (folder / picture.file).read_text(encoding="utf-8") == picture.svg
        assert len(picture.svg.encode()) < 15_000
        root = ElementTree.fromstring(picture.svg)
        assert [child.tag.rpartition("}")[2] for child in root][:2] == ["title", "desc"]
        assert all(child.text for child in list(root)[:2])


def test_a_curve_without_magnitudes_is_a_picture_that_says_so() -> None:
    empty = Curve.from_table(pa.schema(list(POINT_TYPE)).empty_table())
    svg = pictures.light_curve_svg(empty, "a <b> & c")
    assert "no point has a magnitude" in svg
    assert ElementTree.fromstring(svg)[0].text == "a <b> & c"


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
