"""Tasks, as a table and one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from genpool_cli.show.output import age, duration, facts, table

Json = dict[str, Any]
#: Why a result has none, as a clause.
NO_LINK = "the gateway may not sign for its bucket (gateway.stores), or its pool is gone and its bucket is not known"
COLUMNS = ("id", "status", "pool", "workflow", "age", "took", "what")


def pool_name(task: Json) -> str:
    """``namespace/name``."""
    return f"{task['pool']['namespace']}/{task['pool']['name']}"


def row(task: Json, now: datetime | None = None) -> tuple[object, ...]:
    """A task in the table."""
    took = task["metrics"].get("execution_ms")
    return (
        task["id"],
        task["status"],
        pool_name(task),
        task["workflow"],
        age(task["created_at"], now),
        None if took is None else duration(took / 1000),
        what(task, now),
    )


def what(task: Json, now: datetime | None = None) -> str | None:
    """The one thing to know of it: how far it is, what it waits for, why it failed."""
    if task.get("error"):
        return f"{task['error']['reason']}: {task['error']['message']}"
    progress = task.get("progress")
    if task["status"] == "running" and progress:
        return f"{progress['value']:.0%} {progress.get('message') or ''}".strip()
    if task["status"] == "queued":
        return waits(task, now)
    names = [output["name"] for output in task["outputs"]]
    return ", ".join(names) or None


def waits(task: Json, now: datetime | None = None) -> str | None:
    """Its place in the queue, as far as it is known."""
    before = task.get("queue_position")
    if before is None:
        return None
    text = "next" if before == 0 else f"{before} before it"
    start = task.get("expected_start_at")
    if start is None:
        return text
    left = (datetime.fromisoformat(start) - (now or datetime.now(UTC))).total_seconds()
    return f"{text}, starts in about {duration(left)}"


def show_tasks(tasks: Sequence[Json], *, empty: str) -> None:
    """Print the table."""
    table(COLUMNS, (row(task) for task in tasks), empty=empty)


def show_task(task: Json) -> None:
    """Print all of one task."""
    error = task.get("error") or {}
    metrics = task["metrics"]
    facts(
        [
            ("Task", task["id"]),
            ("Named", task["task_id"]),
            ("Status", task["status"]),
            ("Waits", waits(task) if task["status"] == "queued" else None),
            ("Progress", what(task) if task["status"] == "running" else None),
            ("Why", error and f"{error['reason']} ({error['code']}): {error['message']}"),
            ("At node", error.get("node_id") and f"{error['node_id']} ({error.get('class_type') or '?'})"),
            ("Pool", pool_name(task)),
            ("Workflow", task["workflow"] or "a graph of its own"),
            ("Run", task["run"]),
            ("Accepted", task["created_at"]),
            ("Started", task["started_at"]),
            ("Ended", task["completed_at"]),
            ("Waited", _ms(metrics.get("queue_ms"))),
            ("Took", _ms(metrics.get("execution_ms"))),
            ("GPU seconds", metrics.get("gpu_seconds")),
            ("Kept until", task["expires_at"]),
            ("Erased", task["erased_at"]),
            *((f"  {name}", value) for name, value in task["parameters"].items()),
            *(
                (f"Result {output['name']}", output.get("url") or _no_link(output))
                for output in task["outputs"]
            ),
        ]
    )


def _ms(milliseconds: float | None) -> str | None:
    return None if milliseconds is None else f"{milliseconds / 1000:.1f} s"


def _no_link(output: Json) -> str:
    return f"{output['size_bytes']} bytes; no link: {NO_LINK}"
