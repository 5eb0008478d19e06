"""Tasks: look at them, wait for them, end them, do them again."""

from __future__ import annotations

import itertools
from typing import Annotated
from urllib.parse import quote

import typer

from genpool_cli.commands.options import Folder, Output, Task, Tasks, examples, reach_of
from genpool_cli.errors import NotSucceeded
from genpool_cli.follow import follow
from genpool_cli.results import fetch_results
from genpool_cli.show.output import Format, as_json, as_lines, note
from genpool_cli.show.tasks import show_task, show_tasks

app = typer.Typer(no_args_is_help=True)


@app.command(epilog=examples("get 3f0c… -o json"))
def get(context: typer.Context, task: Task, output: Output = Format.TABLE) -> None:
    """Show a task: where it stands, what it waits for, why it failed, links to its results."""
    found = reach_of(context).gateway.task(task)
    if output is Format.JSON:
        as_json(found)
    else:
        show_task(found)


@app.command("list", epilog=examples("list --status failed --pool art/text"))
def list_(  # noqa: PLR0913, PLR0917 - what one may look for
    context: typer.Context,
    status: Annotated[str | None, typer.Option(help="Such as queued, running, failed.")] = None,
    pool: Annotated[str | None, typer.Option(help="namespace/name of a pool.")] = None,
    workflow: Annotated[str | None, typer.Option(help="Name of a workflow.")] = None,
    task_id: Annotated[str | None, typer.Option(help="The producer's own word for it.")] = None,
    limit: Annotated[int, typer.Option(help="Most tasks; 0 for all.", min=0)] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List tasks, the newest first."""
    wanted = {"status": status, "pool": pool, "workflow": workflow, "task_id": task_id}
    query = {name: value for name, value in wanted.items() if value is not None}
    pages = reach_of(context).gateway.pages("/v1/tasks", "tasks", **query)
    tasks = itertools.chain.from_iterable(pages)
    found = list(itertools.islice(tasks, limit or None))
    if output is Format.JSON:
        as_json(found)
        return
    show_tasks(found, empty="No such task.")
    if limit and len(found) == limit:
        note(f"(the newest {limit}; more with --limit)")


@app.command(epilog=examples("watch 3f0c… --download pictures"))
def watch(context: typer.Context, task: Task, download: Folder = None, output: Output = Format.TABLE) -> None:
    """Watch a task to its end: its place in the queue, its progress, its results."""
    gateway = reach_of(context).gateway
    done = follow(gateway, gateway.task(task), live=output is Format.TABLE)
    if output is Format.JSON:
        as_json(done)
    else:
        show_task(done)
    if download is not None:
        fetch_results(gateway, done, download)
    if done["status"] != "succeeded":
        raise NotSucceeded(f"The task {done['id']} is {done['status']}.")


@app.command(epilog=examples("cancel 3f0c… 81d7…"))
def cancel(context: typer.Context, tasks: Tasks, output: Output = Format.TABLE) -> None:
    """Cancel tasks, queued or running. One that has ended stays as it is."""
    _each(context, tasks, "cancel", output)


@app.command(epilog=examples("replay 3f0c…"))
def replay(context: typer.Context, tasks: Tasks, output: Output = Format.TABLE) -> None:
    """Do tasks that have ended again, each as a new run of the same task."""
    _each(context, tasks, "replay", output)


@app.command(epilog=examples("delete 3f0c… --yes"))
def delete(
    context: typer.Context,
    tasks: Tasks,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Erase what tasks that have ended hold: inputs, results, parameters. How they ended stays."""
    if not yes:
        typer.confirm(f"Erase the contents of {len(tasks)} task(s) for good?", abort=True)
    gateway = reach_of(context).gateway
    for task in tasks:
        gateway.delete(f"/v1/tasks/{quote(task, safe='')}")
        note(f"{task}: erased")


@app.command(epilog=examples("download 3f0c… --to pictures"))
def download(
    context: typer.Context,
    tasks: Tasks,
    folder: Annotated[str, typer.Option("--to", metavar="DIR", help="Where to put them.")] = ".",
) -> None:
    """Download the results of tasks."""
    gateway = reach_of(context).gateway
    for task in tasks:
        fetch_results(gateway, gateway.task(task), folder)


def _each(context: typer.Context, tasks: list[str], verb: str, output: Format) -> None:
    gateway = reach_of(context).gateway
    for task in tasks:
        found = gateway.post(f"/v1/tasks/{quote(task, safe='')}/{verb}")
        if output is Format.JSON:
            as_lines(found)
        else:
            note(f"{task}: {found['status']}")
