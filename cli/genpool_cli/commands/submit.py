"""``genpool submit``: one task, or one for each file of a folder."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from genpool_cli.batch.run import Wishes, submit_each
from genpool_cli.catalogue import file_parameter, find_workflow, pool_of
from genpool_cli.commands.options import Folder, Output, examples, reach_of
from genpool_cli.errors import CliError, NotSucceeded
from genpool_cli.files import upload
from genpool_cli.follow import follow
from genpool_cli.parameters import parse_parameters
from genpool_cli.results import fetch_results
from genpool_cli.show.output import Format, as_json, note
from genpool_cli.show.tasks import show_task

app = typer.Typer()


@app.command(
    epilog=examples(
        "submit -w text-to-image -p prompt='a lake at dawn' --download pictures",
        "submit -w 'DDColor人物黑白修复.json' --each 'album/*.jpg' --download coloured",
    )
)
def submit(  # noqa: PLR0913, PLR0917 - what a task may have
    context: typer.Context,
    workflow: Annotated[
        str | None, typer.Option("--workflow", "-w", help="Name or alias of a workflow.")
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="namespace/name, where several pools serve the workflow.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; @FILE: its words."),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="[NAME=]PATH", help="An input file; it is uploaded."),
    ] = None,
    graph: Annotated[
        Path | None, typer.Option(help="A ComfyUI graph in API format instead of a workflow.", dir_okay=False)
    ] = None,
    each: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="A task for each file, such as 'photos/*.jpg'. Resumable."),
    ] = None,
    download: Folder = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end.")] = False,  # noqa: FBT002 - a switch
    parallel: Annotated[
        int, typer.Option(help="With --each: tasks under way at the same time.", min=1, max=256)
    ] = 32,
    callback_url: Annotated[str | None, typer.Option(help="Where its end is announced.")] = None,
    priority: Annotated[int | None, typer.Option(min=0, max=9)] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Sent again with the same key within a day, it is the same task.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Send a task; with --wait or --download, until its end."""
    gateway = reach_of(context).gateway
    if graph is not None and (workflow or each):
        raise typer.BadParameter("a graph is sent instead of a workflow, and one at a time")
    task = _body(workflow, pool, parameter or [], callback_url, priority)
    if each is not None:
        found = find_workflow(gateway, workflow, pool)
        submit_each(
            gateway, found, Wishes(each, task, file_parameter(found), parallel, download, wait), output
        )
        return
    if graph is not None:
        task["graph"] = _graph(graph)
    found = find_workflow(gateway, workflow, pool) if file else {}
    for given in file or []:
        name, _, path = given.rpartition("=")
        task["parameters"][name or file_parameter(found)] = upload(gateway, pool_of(found, pool), Path(path))
    made = gateway.post(
        "/v1/tasks", task, again=True, **{"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
    )
    if wait or download is not None:
        made = follow(gateway, made, live=output is Format.TABLE)
    _show(made, output)
    if download is not None:
        fetch_results(gateway, made, download)
    if made["status"] in {"failed", "canceled", "expired"}:
        raise NotSucceeded(f"The task {made['id']} is {made['status']}.")


def _body(
    workflow: str | None,
    pool: str | None,
    parameters: list[str],
    callback_url: str | None,
    priority: int | None,
) -> dict[str, Any]:
    wanted = {"workflow": workflow, "pool": pool, "callback_url": callback_url, "priority": priority}
    body: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    return {**body, "parameters": parse_parameters(parameters)}


def _graph(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}.", reason="Unreadable") from error
    except ValueError as error:
        raise CliError(f"{path} is no JSON ({error}).", reason="NoGraph") from error
    if not isinstance(found, dict) or "nodes" in found:
        text = f"{path} is no graph in API format: export it from ComfyUI with Export (API)."
        raise CliError(text, reason="NoGraph")
    return found


def _show(task: dict[str, Any], output: Format) -> None:
    if output is Format.JSON:
        as_json(task)
        return
    show_task(task)
    if task["status"] == "queued":
        note(f"Watch it: genpool watch {task['id']}")
