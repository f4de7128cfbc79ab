"""Notebooks as pages: a source file ``.ipynb`` is read as Markdown, its code cells as Python blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx


def cells(text: str) -> Iterator[tuple[str, str]]:
    """Kind (``markdown`` or ``code``) and source of each cell of a notebook, given as its JSON."""
    for cell in json.loads(text)["cells"]:
        source = cell["source"]
        yield cell["cell_type"], source if isinstance(source, str) else "".join(source)


def markdown_of(text: str) -> str:
    """A notebook as Markdown.

    >>> print(markdown_of('{"cells": [{"cell_type": "code", "source": ["a = 1\\\\n", "a"]}]}'))
    ```python
    a = 1
    a
    ```
    """
    return "\n\n".join(f"```python\n{source}\n```" if kind == "code" else source for kind, source in cells(text))


class NotebookParser(MystParser):
    """Parses a notebook by way of Markdown."""

    supported = ("ipynb",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Read the notebook into the document."""
        super().parse(markdown_of(inputstring), document)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the ending ``.ipynb``."""
    app.add_source_suffix(".ipynb", "ipynb")
    app.add_source_parser(NotebookParser)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
