"""Pages of the reference, written from the code before each build into ``reference/generated``.

A column, module, setting, command or error without its sentence stops the build. The pictures are drawn once a build,
from one simulated night.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from redpoll_reference import (
    api,
    catalogues,
    columns,
    commands,
    configuration,
    errors,
    examples,
    filters,
    modules,
    ports,
    taxonomy,
)

PAGES = {
    "columns": columns.page,
    "modules": modules.page,
    "filters": filters.page,
    "catalogues": catalogues.page,
    "taxonomy": taxonomy.page,
    "ports": ports.page,
    "commands": commands.page,
    "configuration": configuration.page,
    "errors": errors.page,
    "api": api.page,
}


def write_pages(app: Sphinx) -> None:
    """Write every page and picture that changed."""
    folder = Path(app.srcdir) / "reference" / "generated"
    (folder / examples.FOLDER).mkdir(parents=True, exist_ok=True)
    for picture in examples.every():
        _write(folder / examples.FOLDER / picture.file, picture.svg)
    for name, page in PAGES.items():
        _write(folder / f"{name}.md", page())


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
