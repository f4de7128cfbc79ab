"""The command line: the help of each command."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import click
from sphinx.errors import ExtensionError

from redpoll_reference.markdown import code, required

INTRODUCTION = """# Commands

*For people at a terminal.*

Data goes to standard output, text for people to standard error. A command ends with 0 when it did its work, 1 when it
could not, and 2 when it was misused.
"""


def page() -> str:
    """The page of commands."""
    return "\n\n".join([INTRODUCTION, *(describe(words, command) for words, command in commands(root()))]) + "\n"


def root() -> click.Group:
    """The group that holds every verb."""
    command_line = import_module("redpoll.cli.main")
    found = [thing for thing in vars(command_line).values() if isinstance(thing, click.Group)]
    return found[0]


def commands(group: click.Group, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that can be given, with the words that name it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)
        elif command is not None and not command.hidden:
            yield (*words, name), command


def describe(words: tuple[str, ...], command: click.Command) -> str:
    """Section of a command: its own help."""
    name = " ".join(words)
    required(command.help, f"command {name}")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            required(parameter.help, f"option {parameter.opts[0]} of {name}")
    text = _help(words, command)
    if f"redpoll {name}" not in text.split("\n", 1)[1]:
        raise ExtensionError(f"the help of {name} shows no example")
    return f"## `{name}`\n\n{code(text, 'text')}"


def _help(words: tuple[str, ...], command: click.Command) -> str:
    parent = click.Context(click.Group("redpoll"), info_name="redpoll")
    for word in words[:-1]:
        parent = click.Context(click.Group(word), info_name=word, parent=parent)
    context = click.Context(command, info_name=words[-1], parent=parent, terminal_width=100, max_content_width=100)
    return command.get_help(context)
