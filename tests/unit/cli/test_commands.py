"""Each command has an example that it would take, and a test that runs it on real parts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from genpool_cli.app import app
from genpool_cli.commands.options import EXAMPLE

ROOT = Path(__file__).parents[3]
#: Where a command is run: on the demo's cluster, or by ``genpool local`` on real parts.
DEMO, MACHINE, LOCAL, WORKFLOWS = (
    "tests/e2e/test_command_line.py",
    "tests/integration/cli/machine.py",
    "tests/integration/cli/test_local.py",
    "tests/integration/cli/test_workflow.py",
)
RUN_BY = {
    "submit": DEMO,
    "get": DEMO,
    "list": DEMO,
    "watch": DEMO,
    "cancel": DEMO,
    "replay": DEMO,
    "delete": DEMO,
    "download": DEMO,
    "pools": DEMO,
    "explain": DEMO,
    "usage": DEMO,
    "doctor": DEMO,
    "dlq list": DEMO,
    "dlq show": DEMO,
    "dlq replay": DEMO,
    "dlq discard": DEMO,
    "keys list": DEMO,
    "keys make": DEMO,
    "keys revoke": DEMO,
    "workflow check": WORKFLOWS,
    "workflow new": WORKFLOWS,
    "workflow apply": DEMO,
    "local up": MACHINE,
    "local open": LOCAL,
    "local status": MACHINE,
    "local down": LOCAL,
}


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own click
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(_commands(get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example_that_it_takes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flux").mkdir()
    monkeypatch.chdir(tmp_path)
    first, *lines = (COMMANDS[name].epilog or "").split("\n\n")
    assert first == EXAMPLE
    assert lines
    for line in lines:
        program, *words = shlex.split(line)
        path = name.split()
        assert (program, words[: len(path)]) == ("genpool", path)
        # Read by the command itself: a misspelt option or a missing argument is an error.
        COMMANDS[name].make_context(name, words[len(path) :], resilient_parsing=False).close()
        assert "[" not in line, "it would be read as markup"


def test_each_command_is_run_by_a_test() -> None:
    assert set(RUN_BY) == set(COMMANDS)


@pytest.mark.parametrize(("name", "file"), RUN_BY.items())
def test_the_test_that_is_named_runs_the_command(name: str, file: str) -> None:
    group, _, last = name.rpartition(" ")
    # The tests of these two have a helper that says the first word.
    called = {"": "", "local": r"local\(\s*\*?\(?", "workflow": r'(types\(\s*|"workflow",\s*)'}
    before = called.get(group, rf'"{group}",\s*')
    assert re.search(rf'{before}"{last}"', (ROOT / file).read_text(encoding="utf-8")), (
        f"{file} does not run genpool {name}"
    )
