"""``genpool``: the program. It is ``kubectl genpool``, too."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from genpool_cli.commands import dead_letters, doctor, keys, local, pools, submit, tasks, workflow
from genpool_cli.errors import CliError, ExitCode
from genpool_cli.reach import Reach
from genpool_core.errors import GenPoolError
from genpool_core.version import __version__

_HELP = """ComfyUI as a service: send tasks, watch them, and see why pools do what they do.

The gateway is the one of --url (or GENPOOL_URL) with the key of GENPOOL_API_KEY; where none is named, that of the
current kube-context is found.

Exit codes: 0 done, 1 a task did not succeed, 2 wrong use, 3 refused, 4 no answer or not now, 130 interrupted.
"""
app = typer.Typer(help=_HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich")
for group in (submit.app, tasks.app, pools.app, doctor.app):
    app.registered_commands.extend(group.registered_commands)
app.add_typer(dead_letters.app, name="dlq")
app.add_typer(keys.app, name="keys")
app.add_typer(workflow.app, name="workflow")
app.add_typer(local.app, name="local")


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _settings(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(envvar="GENPOOL_URL", help="Address of a gateway.")] = None,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="GENPOOL_API_KEY", help="API key. Others see a command's words: use the variable."
        ),
    ] = None,
    gateway_namespace: Annotated[
        str | None,
        typer.Option(envvar="GENPOOL_GATEWAY_NAMESPACE", help="Where the cluster has several gateways."),
    ] = None,
    version: Annotated[  # noqa: ARG001, FBT002 - a switch, answered by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = Reach(url or None, (key or "").strip() or None, gateway_namespace or None)


def main() -> None:
    """Run the command of the arguments; an error is a sentence and an exit code."""
    try:
        app()
    except CliError as error:
        _say(error)
        sys.exit(error.exit_code)
    except GenPoolError as error:
        _say(error)
        sys.exit(ExitCode.REFUSED)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def _say(error: GenPoolError) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"genpool: {error.message}", markup=False)
