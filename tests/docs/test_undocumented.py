"""What has no description stops the build of the documentation."""

from __future__ import annotations

import click
import pytest
from sphinx.errors import ExtensionError

from redpoll import Column, science_module
from redpoll_reference import commands, errors, modules
from redpoll_reference.markdown import required, table


def test_an_empty_description_is_refused() -> None:
    with pytest.raises(ExtensionError, match="column depth has no description"):
        required(" ", "column depth")


def test_a_module_without_docstring_is_refused() -> None:
    @science_module(version="1", outputs={"double_mag": Column("float32", doc="Twice the magnitude.")})
    def double_mag(mag):
        return 2 * mag

    with pytest.raises(ExtensionError, match="double_mag"):
        modules.describe(double_mag)


def test_an_output_without_meaning_is_refused() -> None:
    @science_module(version="1", outputs={"double_mag": Column("float32")})
    def double_mag(mag):
        """Twice the magnitude."""
        return 2 * mag

    with pytest.raises(ExtensionError, match="double_mag"):
        modules.describe(double_mag)


@pytest.mark.parametrize(
    ("text", "option_help"),
    [("", "Depth."), ("Dig.", "Depth."), ("Dig.\n\nExample: redpoll dig", "")],
    ids=["no help", "no example", "no help of an option"],
)
def test_a_command_that_says_too_little_is_refused(text: str, option_help: str) -> None:
    dig = click.Command("dig", help=text, params=[click.Option(["--depth"], help=option_help)])
    with pytest.raises(ExtensionError, match="dig"):
        commands.describe(("dig",), dig)


def test_a_command_with_help_and_example_is_shown() -> None:
    dig = click.Command("dig", help="Dig.\n\nExample: redpoll dig", params=[])
    assert "Usage: redpoll dig" in commands.describe(("dig",), dig)


def test_the_tree_of_errors_has_every_error_once() -> None:
    names = [e.__name__ for e in errors.every()]
    assert len(names) == len(set(names))


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(["a"], [["x | y"]]).splitlines()[-1] == "| x \\| y |"
