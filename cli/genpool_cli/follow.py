"""Follows one task to its end: by its events where they come, else by asking again."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from genpool_cli.client import ENDED, Gateway
from genpool_cli.client.sse import Event
from genpool_cli.show.tasks import waits

Json = dict[str, Any]


def follow(gateway: Gateway, task: Json, *, live: bool) -> Json:
    """The task at its end. ``live``: show on standard error what it does meanwhile.

    Raises
    ------
    Refused, Away
        It cannot be watched, or the gateway has been away for long.
    """
    if task["status"] in ENDED:
        return task
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) if live else nullcontext() as shown:
        bar = None if shown is None else shown.add_task(describe(task), total=None)
        for event in gateway.watch(task["id"]):
            task = latest(task, event)
            if task["status"] in ENDED:
                break
            if shown is not None and bar is not None:
                value = (task.get("progress") or {}).get("value")
                shown.update(
                    bar, description=describe(task), total=1 if value else None, completed=value or 0
                )
    # Its links are made when they are asked for.
    return gateway.task(task["id"])


def latest(task: Json, event: Event) -> Json:
    """The task after an event. Pure."""
    if event.name == "progress":
        return {**task, "progress": event.data}
    told = event.data.get("task")
    return told if isinstance(told, dict) else task


def describe(task: Json) -> str:
    """What it does, in a few words. Pure."""
    if task["status"] == "running" and task.get("progress"):
        return f"running: {task['progress'].get('message') or 'on the way'}"
    where = waits(task) if task["status"] == "queued" else None
    return f"{task['status']}: {where}" if where else str(task["status"])
