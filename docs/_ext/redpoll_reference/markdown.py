"""Pieces of MyST Markdown."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence

from sphinx.errors import ExtensionError
from sphinx.ext.napoleon import Config, NumpyDocstring


def required(text: str | None, what: str) -> str:
    """The text; stops the build if there is none."""
    if not text or not text.strip():
        raise ExtensionError(f"{what} has no description: write one where it is declared")
    return text.strip()


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def docstring(text: str) -> str:
    """A numpydoc docstring as a block of a Markdown page."""
    lines = NumpyDocstring(inspect.cleandoc(text), Config(napoleon_use_rtype=False)).lines()
    return directive("eval-rst", "\n".join(lines))


def directive(name: str, body: str, argument: str = "") -> str:
    """A MyST directive."""
    return f"````{{{name}}} {argument}".rstrip() + f"\n{body}\n````"


def code(body: str, language: str = "") -> str:
    """A block of code."""
    return f"```{language}\n{body.rstrip()}\n```"
