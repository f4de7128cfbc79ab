"""The tree of classes, with the words of other vocabularies for each."""

from __future__ import annotations

from redpoll.schema.taxonomy import Class, Taxonomy
from redpoll.schema.taxonomy import taxonomy as current
from redpoll_reference.markdown import code, required, table

INTRODUCTION = """# Classes

*For people who read the classes of alerts: every class with its name, meaning, and names in other vocabularies.*

Version {version} of the taxonomy. A column of a module or catalogue can assign one of these; the column `classes` of an
alert collects the assigned classes of all sources.
"""


def page() -> str:
    """The page of classes."""
    tree = current()
    rows = [_row(one) for one in tree.classes.values()]
    lines = "\n".join(line for one in tree.classes.values() if one.parent is None for line in _branch(tree, one, ""))
    heading = table(["class", "title", "meaning", "words of others"], rows)
    return "\n\n".join([INTRODUCTION.format(version=tree.version), code(lines, "text"), heading]) + "\n"


def _branch(tree: Taxonomy, one: Class, indent: str) -> list[str]:
    children = [child for child in tree.classes.values() if child.parent == one.name]
    return [f"{indent}{one.name}", *(line for child in children for line in _branch(tree, child, indent + "  "))]


def _row(one: Class) -> list[str]:
    words = [f"{vocabulary}: {', '.join(f'`{word}`' for word in names)}" for vocabulary, names in one.words.items()]
    return [f"`{one.name}`", one.title, required(one.means, f"class {one.name}"), "; ".join(words)]
