"""The reference of the command line, from the program itself."""

from __future__ import annotations

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from genpool_cli.app import app
from genpool_cli.errors import ExitCode

_HEAD = "<!-- Generated from cli/genpool_cli by `make generate`. Do not edit. -->\n\n"
_CODES = {
    ExitCode.DONE: "Everything was done.",
    ExitCode.NOT_SUCCEEDED: "A task that was waited for ended otherwise than succeeded, or what was checked is wrong.",
    ExitCode.USAGE: "The command line is wrong; nothing was asked for.",
    ExitCode.REFUSED: "The gateway, or a file of this machine, refused it: sent again it would be refused again.",
    ExitCode.AWAY: "No answer, or not now; sent again later it may be done.",
    ExitCode.INTERRUPTED: "Interrupted (Ctrl-C).",
}


def page() -> str:
    """The page in Markdown."""
    command = get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="genpool"), name="genpool")
    codes = "\n".join(f"| {int(code)} | {_CODES[code]} |" for code in ExitCode)
    return f"{_HEAD}{text.rstrip()}\n\n## Exit codes\n\n| code | meaning |\n|---|---|\n{codes}\n"
