"""Dead letters: tasks whose message lies in a dead-letter queue."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

import typer

from genpool_cli.commands.options import Output, Task, reach_of
from genpool_cli.errors import CliError, ExitCode
from genpool_cli.show.output import Format, age, as_json, note, table
from genpool_cli.show.tasks import pool_name, show_task

app = typer.Typer(no_args_is_help=True, help="Dead letters: list, show, replay, discard.")
Pool = Annotated[str, typer.Option(help="namespace/name of the pool.", show_default=False)]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of tasks.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="All that died for this reason.")]
Every = Annotated[bool, typer.Option("--all", help="All of the pool.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_(
    context: typer.Context,
    pool: Annotated[str | None, typer.Option(help="namespace/name of a pool.")] = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(help="Most rows; 0 for all.", min=0)] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List dead letters, with the reason of each."""
    wanted = {name: value for name, value in (("pool", pool), ("reason", reason)) if value is not None}
    pages = reach_of(context).gateway.pages("/v1/dead-letters", "tasks", **wanted)
    found = list(itertools.islice(itertools.chain.from_iterable(pages), limit or None))
    if output is Format.JSON:
        as_json(found)
        return
    table(("id", "pool", "workflow", "ended", "reason", "message"), map(_row, found), empty="No dead letter.")


@app.command()
def show(context: typer.Context, task: Task, output: Output = Format.TABLE) -> None:
    """Show one: why it died, and what was sent."""
    found = reach_of(context).gateway.task(task)
    if output is Format.JSON:
        as_json(found)
    else:
        show_task(found)


@app.command()
def replay(
    context: typer.Context,
    pool: Pool,
    tasks: Ids = None,
    reason: Reason = None,
    every: Every = False,  # noqa: FBT002 - a switch
    output: Output = Format.TABLE,
) -> None:
    """Do them again: one, some, all of a reason, or all."""
    _act(context, "replay", _wanted(pool, tasks, reason, every=every), output)


@app.command()
def discard(  # noqa: PLR0913, PLR0917 - which ones
    context: typer.Context,
    pool: Pool,
    tasks: Ids = None,
    reason: Reason = None,
    every: Every = False,  # noqa: FBT002 - a switch
    yes: Yes = False,  # noqa: FBT002 - a switch
    output: Output = Format.TABLE,
) -> None:
    """Throw their messages away; how the tasks ended stays."""
    wanted = _wanted(pool, tasks, reason, every=every)
    if not yes:
        typer.confirm(f"Throw dead letters of {pool} away for good?", abort=True)
    _act(context, "discard", wanted, output)


def _wanted(pool: str, tasks: list[str] | None, reason: str | None, *, every: bool) -> dict[str, Any]:
    said = [bool(tasks), reason is not None, every]
    if sum(said) != 1:
        error = CliError("Say which: ids of tasks, or --reason, or --all.", reason="Usage")
        error.exit_code = ExitCode.USAGE
        raise error
    if tasks:
        return {"pool": pool, "tasks": tasks}
    return {"pool": pool, "all": True} if every else {"pool": pool, "reason": reason}


def _act(context: typer.Context, verb: str, wanted: dict[str, Any], output: Format) -> None:
    found = reach_of(context).gateway.post(f"/v1/dead-letters/{verb}", wanted)
    if output is Format.JSON:
        as_json(found)
        return
    past = {"replay": "replayed", "discard": "discarded"}[verb]
    note(f"{len(found['tasks']) + found['others']} {past}, {found['kept']} stay")
    for task in found["missing"]:
        note(f"{task}: its dead letter is not in the queue")


def _row(task: dict[str, Any]) -> tuple[object, ...]:
    error = task["error"] or {}
    ended = age(task["completed_at"])
    return (
        task["id"],
        pool_name(task),
        task["workflow"],
        ended and f"{ended} ago",
        error.get("reason"),
        error.get("message"),
    )
