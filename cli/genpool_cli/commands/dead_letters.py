"""Dead letters: tasks whose message lies in a dead-letter queue, and messages of an intake that became no task."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

import typer

from genpool_cli.client import Gateway
from genpool_cli.commands.options import Output, Task, examples, reach_of
from genpool_cli.errors import WrongUse
from genpool_cli.show.output import Format, age, as_json, note, table
from genpool_cli.show.tasks import pool_name, show_task

app = typer.Typer(no_args_is_help=True, help="Dead letters: list, show, replay, discard.")
_LETTERS = "/v1/dead-letters"
_INTAKE = f"{_LETTERS}/intake"
#: Most letters of an intake that the gateway shows.
_MOST = 500
#: Of a message, whose body is not shown.
_COLUMNS = ("refused", "reason", "task id", "workflow type", "bytes", "message")
Pool = Annotated[str, typer.Option(help="namespace/name of the pool.", show_default=False)]
Ids = Annotated[
    list[str] | None, typer.Argument(help="Ids of tasks, or of an intake's letters.", show_default=False)
]
Reason = Annotated[str | None, typer.Option(help="All that died for this reason.")]
Intake = Annotated[
    bool, typer.Option("--intake", help="Those of the intake before the pool: messages that became no task.")
]
Messages = Annotated[
    bool, typer.Option("--messages", help="Messages in the pool's dead-letter queue that are no tasks.")
]
Every = Annotated[bool, typer.Option("--all", help="All of the pool.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command(
    "list",
    epilog=examples(
        "dlq list --pool art/text --reason OutOfMemory",
        "dlq list --messages --pool art/text",
        "dlq list --intake --pool photos/people",
    ),
)
def list_(  # noqa: PLR0913, PLR0917 - which ones
    context: typer.Context,
    pool: Annotated[str | None, typer.Option(help="namespace/name of a pool.")] = None,
    reason: Reason = None,
    intake: Intake = False,  # noqa: FBT002 - a switch
    messages: Messages = False,  # noqa: FBT002 - a switch
    limit: Annotated[int, typer.Option(help="Most rows; 0 for all.", min=0)] = 50,
    output: Output = Format.TABLE,
) -> None:
    """List dead letters, with the reason of each."""
    if intake and messages:
        raise WrongUse("Say --intake or --messages: an intake has no tasks, and lists all its messages.")
    if intake:
        _list_intake(reach_of(context).gateway, pool, reason, limit, output)
        return
    if messages:
        _list_messages(reach_of(context).gateway, pool, reason, limit, output)
        return
    wanted = {name: value for name, value in (("pool", pool), ("reason", reason)) if value is not None}
    pages = reach_of(context).gateway.pages(_LETTERS, "tasks", **wanted)
    found = list(itertools.islice(itertools.chain.from_iterable(pages), limit or None))
    if output is Format.JSON:
        as_json(found)
        return
    table(("id", "pool", "workflow", "ended", "reason", "message"), map(_row, found), empty="No dead letter.")


@app.command(epilog=examples("dlq show 3f0c…"))
def show(context: typer.Context, task: Task, output: Output = Format.TABLE) -> None:
    """Show one: why it died, and what was sent."""
    found = reach_of(context).gateway.task(task)
    if output is Format.JSON:
        as_json(found)
    else:
        show_task(found)


@app.command(epilog=examples("dlq replay --pool art/text --reason OutOfMemory"))
def replay(  # noqa: PLR0913, PLR0917 - which ones
    context: typer.Context,
    pool: Pool,
    tasks: Ids = None,
    reason: Reason = None,
    every: Every = False,  # noqa: FBT002 - a switch
    intake: Intake = False,  # noqa: FBT002 - a switch
    output: Output = Format.TABLE,
) -> None:
    """Do them again: one, some, all of a reason, or all."""
    wanted = _wanted(pool, tasks, reason, every=every, intake=intake)
    _act(context, "replay", wanted, output, intake=intake)


@app.command(epilog=examples("dlq discard --pool art/text 3f0c… --yes"))
def discard(  # noqa: PLR0913, PLR0917 - which ones
    context: typer.Context,
    pool: Pool,
    tasks: Ids = None,
    reason: Reason = None,
    every: Every = False,  # noqa: FBT002 - a switch
    intake: Intake = False,  # noqa: FBT002 - a switch
    yes: Yes = False,  # noqa: FBT002 - a switch
    output: Output = Format.TABLE,
) -> None:
    """Throw their messages away; how the tasks ended stays."""
    wanted = _wanted(pool, tasks, reason, every=every, intake=intake)
    if not yes:
        whose = f"the intake before {pool}" if intake else pool
        typer.confirm(f"Throw dead letters of {whose} away for good?", abort=True)
    _act(context, "discard", wanted, output, intake=intake)


def _wanted(
    pool: str, tasks: list[str] | None, reason: str | None, *, every: bool, intake: bool
) -> dict[str, Any]:
    said = [bool(tasks), reason is not None, every]
    if sum(said) != 1:
        raise WrongUse("Say which: ids, or --reason, or --all.")
    if tasks:
        return {"pool": pool, "letters" if intake else "tasks": tasks}
    return {"pool": pool, "all": True} if every else {"pool": pool, "reason": reason}


def _act(context: typer.Context, verb: str, wanted: dict[str, Any], output: Format, *, intake: bool) -> None:
    found = reach_of(context).gateway.post(f"{_INTAKE if intake else _LETTERS}/{verb}", wanted)
    if output is Format.JSON:
        as_json(found)
        return
    past = {"replay": "replayed", "discard": "discarded"}[verb]
    done = len(found["letters"]) if intake else len(found["tasks"]) + found["others"]
    note(f"{done} {past}, {found['kept']} stay")
    for each in found["missing"]:
        note(f"{each}: its dead letter is not in the queue")
    if intake and found["more"]:
        note("The queue has more than one pass can hold: type the command again.")


def _list_messages(
    gateway: Gateway, pool: str | None, reason: str | None, limit: int, output: Format
) -> None:
    if pool is None:
        raise WrongUse("Each pool has a dead-letter queue of its own: name the pool by --pool.")
    found, shown = _read(gateway, f"{_LETTERS}/messages", "messages", pool, reason, limit)
    if output is Format.JSON:
        as_json({**found, "messages": shown})
        return
    table(_COLUMNS, map(_message_row, shown), empty=f"No message in {found['queue']} that is no task.")
    if found["total"] > len(found["messages"]):
        note(f"(the oldest {len(found['messages'])} of {found['total']})")


def _list_intake(gateway: Gateway, pool: str | None, reason: str | None, limit: int, output: Format) -> None:
    if pool is None:
        raise WrongUse("An intake is known by a pool behind it: name one by --pool.")
    found, letters = _read(gateway, _INTAKE, "letters", pool, reason, limit)
    if output is Format.JSON:
        as_json({**found, "letters": letters})
        return
    empty = f"No dead letter of the intake {found['intake']}."
    table(("id", *_COLUMNS), map(_letter_row, letters), empty=empty)
    if found["more"]:
        note(f"(the oldest {_most(limit)}; at most {_MOST} are shown)")


def _read(
    gateway: Gateway, path: str, member: str, pool: str, reason: str | None, limit: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The answer with the oldest messages of a queue, and those of them with the reason."""
    found = gateway.get(path, {"pool": pool, "limit": str(_most(limit))})
    return found, [each for each in found[member] if reason in {None, each["reason"]}]


def _most(limit: int) -> int:
    return min(limit or _MOST, _MOST)


def _letter_row(letter: dict[str, Any]) -> tuple[object, ...]:
    return (letter["id"], *_message_row(letter))


def _message_row(message: dict[str, Any]) -> tuple[object, ...]:
    refused = age(message["refused_at"])
    return (
        refused and f"{refused} ago",
        message["reason"] or "(RabbitMQ)",
        message["task_id"],
        message["workflow_type"],
        message["size_bytes"],
        message["message"],
    )


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
