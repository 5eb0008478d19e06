"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genpool_cli.reach import Reach
from genpool_cli.show.output import Format

Output = Annotated[Format, typer.Option("--output", "-o", help="For people (table), or for programs (json).")]
Task = Annotated[str, typer.Argument(help="Id of a task, as the API gives it.", show_default=False)]
Tasks = Annotated[list[str], typer.Argument(help="Ids of tasks.", show_default=False)]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--download", "-d", metavar="DIR", help="Put the results into this folder.", file_okay=False
    ),
]


#: Begins the examples of a command.
EXAMPLE = "For example:"


def examples(*lines: str) -> str:
    """What stands below a command's help: how it is typed. Pure."""
    return "\n\n".join((EXAMPLE, *(f"genpool {line}" for line in lines)))


def reach_of(context: typer.Context) -> Reach:
    """The gateway that is meant."""
    found = context.find_object(Reach)
    assert found is not None  # noqa: S101 - the program's callback made it
    return found
