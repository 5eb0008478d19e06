"""``genpool local``: GenPool on this machine, without Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genpool_cli.commands.options import Output, examples
from genpool_cli.errors import CliError, ExitCode, NotSucceeded
from genpool_cli.local.erase import erase as take_away
from genpool_cli.local.folder import Folder, default_folder
from genpool_cli.local.logins import login_link
from genpool_cli.show.output import Format, as_json, facts, note, table

app = typer.Typer(no_args_is_help=True, help="GenPool on this machine, without Kubernetes: up, status, down.")
Where = Annotated[
    Path | None,
    typer.Option("--folder", help="Where it keeps its data.", show_default="~/.local/state/genpool"),
]
COMFYUI = "http://127.0.0.1:8188"


@app.command(epilog=examples("local up -f pool.yaml --comfyui-command 'python main.py --port {port}'"))
def up(  # noqa: PLR0913, PLR0917 - what a machine may have
    file: Annotated[
        Path, typer.Option("--file", "-f", help="A GenerationPool, as for a cluster.", dir_okay=False)
    ],
    comfyui: Annotated[str, typer.Option(help="Address of your ComfyUI.")] = COMFYUI,
    comfyui_command: Annotated[
        str | None,
        typer.Option(
            help="How to start ComfyUI, such as 'python main.py --port {port}': it is then looked after."
        ),
    ] = None,
    rabbitmq: Annotated[
        str | None,
        typer.Option(envvar="GENPOOL_RABBITMQ", help="amqp://USER:PASSWORD@HOST; a private one else."),
    ] = None,
    management_url: Annotated[str | None, typer.Option(help="Of that RabbitMQ's management API.")] = None,
    port: Annotated[int, typer.Option(help="Of the API.", min=1, max=65_535)] = 8000,
    folder: Where = None,
) -> None:
    """Start queue, worker, API and page for a pool; returns when they serve."""
    # Here and below: what reads a pool is large, and the other commands should not wait for it.
    from genpool_cli.local import up as machine  # noqa: PLC0415

    here = Folder((folder or default_folder()).resolve())
    options = machine.Options(file, comfyui.rstrip("/"), comfyui_command, rabbitmq, management_url, port)
    run = machine.up(here, options, note)
    facts(
        [
            ("Pool", run.pool),
            ("API and page", run.url),
            ("Open the page", login_link(here, run.url)),
            ("Key", machine.first_key(here)),
            ("Logs", here.logs),
            (
                "Try it",
                f"GENPOOL_URL={run.url} GENPOOL_API_KEY=$(cat {machine.first_key(here)}) genpool pools",
            ),
            ("End it", "genpool local down"),
        ]
    )


@app.command("open", epilog=examples("local open"))
def open_page(folder: Where = None) -> None:
    """Print a link that opens the page, logged in: good once, for ten minutes."""
    here = Folder((folder or default_folder()).resolve())
    run = here.run()
    if run is None or not run.alive:
        raise NotSucceeded("GenPool does not run here: genpool local up -f pool.yaml")
    typer.echo(login_link(here, run.url))


@app.command(epilog=examples("local status -o json"))
def status(folder: Where = None, output: Output = Format.TABLE) -> None:
    """Say what runs, and what does not and why."""
    from genpool_cli.local.readiness import states  # noqa: PLC0415

    here = Folder((folder or default_folder()).resolve())
    run = here.run()
    if run is None or not run.alive:
        raise NotSucceeded("GenPool does not run here: genpool local up -f pool.yaml")
    found = states(here)
    if output is Format.JSON:
        as_json({"url": run.url, "pool": run.pool, "programs": dict(found)})
    else:
        note(f"{run.pool} at {run.url}")
        table(("program", "state"), ((name, why or "serves") for name, why in found), empty="")
    if any(why for _, why in found):
        raise NotSucceeded(f"Something does not serve: see {here.logs}.")


@app.command(epilog=examples("local down --erase"))
def down(
    folder: Where = None,
    erase: Annotated[bool, typer.Option("--erase", help="Its data too: tasks, queues, keys.")] = False,  # noqa: FBT002
) -> None:
    """End everything. Tasks, queues and keys stay for the next time, unless they are erased."""
    from genpool_cli.local import up as machine  # noqa: PLC0415

    here = Folder((folder or default_folder()).resolve())
    ran = machine.down(here)
    if erase:
        take_away(here)
    elif not ran:
        error = CliError("GenPool does not run here.", reason="NotRunning")
        error.exit_code = ExitCode.NOT_SUCCEEDED
        raise error
    note("GenPool has ended." if ran else "Its data are gone.")
