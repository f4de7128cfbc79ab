"""Pages of the reference, written from the code before each build into ``reference/generated``.

A column, module, setting, command or error without its sentence stops the build.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from redpoll_reference import api, columns, commands, configuration, errors, modules

PAGES = {
    "columns": columns.page,
    "modules": modules.page,
    "commands": commands.page,
    "configuration": configuration.page,
    "errors": errors.page,
    "api": api.page,
}


def write_pages(app: Sphinx) -> None:
    """Write every page whose text changed."""
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        path, text = folder / f"{name}.md", page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
