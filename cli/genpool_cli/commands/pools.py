"""Pools and usage."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from genpool_cli.commands.options import Output, examples, reach_of
from genpool_cli.errors import CliError
from genpool_cli.show.output import Format, as_json, note, table
from genpool_cli.show.pools import explain_pool, show_pods, show_pools
from genpool_cli.show.tasks import show_task

app = typer.Typer()
_TASK = re.compile(r"[0-9a-f]{40}")


@app.command(epilog=examples("pools", "pools art/text -o json"))
def pools(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One pool, with what each of its pods does.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """List pools: pods, what waits, what is dead, and why."""
    gateway = reach_of(context).gateway
    found = gateway.get("/v1/pools")["pools"]
    if name is not None:
        pool = gateway.get(f"/v1/pools/{find_pool(found, name)['name']}")
        if output is Format.JSON:
            as_json(pool)
            return
        explain_pool(pool)
        show_pods(pool["pods"])
        return
    if output is Format.JSON:
        as_json(found)
    else:
        show_pools(found)


@app.command(epilog=examples("explain art/text"))
def explain(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(help="namespace/name of a pool, or the id of a task.", show_default=False)
    ],
    output: Output = Format.TABLE,
) -> None:
    """Say why a pool has so many pods and what is wrong with it, or why a task waits."""
    gateway = reach_of(context).gateway
    task = gateway.task(what) if _TASK.fullmatch(what) else None
    name = what if task is None else f"{task['pool']['namespace']}/{task['pool']['name']}"
    pool = find_pool(gateway.get("/v1/pools")["pools"], name)
    if output is Format.JSON:
        as_json(pool if task is None else {"task": task, "pool": pool})
        return
    if task is not None:
        show_task(task)
        note("")
    explain_pool(pool)


@app.command(epilog=examples("usage --since 2026-11-01 --until 2026-11-30"))
def usage(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(help="First day, such as 2026-11-01 (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Last day.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Tasks, GPU time and the share within the SLA, by day, key, pool and workflow."""
    days = {name: day for name, day in (("since", since), ("until", until)) if day is not None}
    found = reach_of(context).gateway.get("/v1/usage", days)
    if output is Format.JSON:
        as_json(found)
        return
    columns = ("day", "key", "pool", "workflow", "tasks", "succeeded", "gpu seconds", "within sla")
    table(
        columns,
        map(_usage_row, found["rows"]),
        empty=f"No task ended from {found['since']} to {found['until']}.",
    )


def find_pool(pools_: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """A pool by its full name, or by its name where there is one of it. Pure. Raises CliError."""
    fitting = [pool for pool in pools_ if name in {pool["name"], pool["name"].partition("/")[2]}]
    exact = [pool for pool in fitting if pool["name"] == name]
    if len(exact or fitting) == 1:
        return (exact or fitting)[0]
    known = ", ".join(pool["name"] for pool in (fitting or pools_)) or "none"
    text = (
        f"Several pools are called {name}: {known}."
        if fitting
        else f"There is no pool {name}. Known: {known}."
    )
    raise CliError(text, reason="NoPool")


def _usage_row(row: dict[str, Any]) -> tuple[object, ...]:
    share = None
    if row["within_sla"] is not None and row["wait_known"]:
        share = f"{row['within_sla'] / row['wait_known']:.0%} of {row['wait_known']}"
    return (
        row["day"],
        row["owner"] or "(plain producers)",
        row["pool"],
        row["workflow"],
        row["tasks"],
        row["succeeded"],
        f"{row['gpu_seconds']:.1f}",
        share,
    )
