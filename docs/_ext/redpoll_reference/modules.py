"""The science modules that Redpoll comes with, each with its method, its columns and an example."""

from __future__ import annotations

from redpoll.plugin.contract import AlertFilter, ScienceModule
from redpoll.plugin.expression_filter import ExpressionFilter
from redpoll_reference.examples import of_node, values
from redpoll_reference.links import reads
from redpoll_reference.markdown import docstring, required, table
from redpoll_reference.plugins import MODULES, own

INTRODUCTION = """# Science modules

*For people who want to know where a column comes from, and how it is computed.*

These are registered by Redpoll itself, by the same entry points that a package of yours uses. A setting is changed in
the configuration, under the name of its module. Every value is stored with the `name@version` of its module. Each
picture shows the simulated alert with the highest score or the most values of the module when this page was built.
`redpoll modules NAME` shows one module in full; `redpoll modules --timing` measures what each costs.
"""


def page() -> str:
    """The page of science modules."""
    return "\n\n".join([INTRODUCTION, *(section(e.load()) for e in own(MODULES))]) + "\n"


def section(node: ScienceModule) -> str:
    """Section of a module with its example."""
    return "\n\n".join([describe(node), of_node(node).figure(), values(node)])


def describe(node: ScienceModule | AlertFilter | ExpressionFilter) -> str:
    """Method, inputs, settings and outputs of a module or filter."""
    text = required(node.function.__doc__ if hasattr(node, "function") else node.doc, node.name)
    return "\n\n".join([f"## `{node.name}`", docstring(text), _facts(node), _outputs(node)])


def _facts(node: ScienceModule | AlertFilter | ExpressionFilter) -> str:
    kind = "one call per object" if getattr(node, "per", "batch") == "object" else "one call per batch"
    facts = [f"Version {node.version}, {kind}. Reads {', '.join(map(reads, node.inputs))}."]
    if node.model:
        trained = ", ".join(f"`{name}`" for name in node.features)
        facts.append(f"Runs the model `{node.model}`, trained on {trained}; without it, its columns are null.")
    if node.settings:
        facts.append("Settings: " + ", ".join(f"`{name} = {value!r}`" for name, value in node.settings.items()) + ".")
    return " ".join(facts)


def _outputs(node: ScienceModule | AlertFilter | ExpressionFilter) -> str:
    rows = [
        [f"`{name}`", str(column.arrow_type), column.unit, f"`{column.assigns}`" if column.assigns else "",
         required(column.doc, f"column {name} of {node.name}")]
        for name, column in node.outputs.items()
    ]  # fmt: skip
    return table(["column", "type", "unit", "class", "meaning"], rows)
