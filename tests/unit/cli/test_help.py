"""Every command and option of the command line is explained, with an example that parses."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from redpoll.cli.main import redpoll


def commands(command: click.Command, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    found = {path: command}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            found |= commands(inner, (*path, name))
    return found


COMMANDS = {path: command for path, command in commands(redpoll).items() if path}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_an_example_of_itself(path):
    command = COMMANDS[path]
    assert command.help and re.fullmatch(r"Example: redpoll .+", command.epilog or "")
    first = re.split(r"; | && | > ", command.epilog.removeprefix("Example: redpoll "))[0]
    words = shlex.split(first)
    assert tuple(words[: len(path)]) == path
    given = {word for word in words if word.startswith("--")}
    inner = COMMANDS[max((p for p in COMMANDS if p == tuple(words[: len(p)])), key=len)]
    assert given <= {name for option in inner.params for name in (*option.opts, *option.secondary_opts)}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_has_help(path):
    options = [option for option in COMMANDS[path].params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []
