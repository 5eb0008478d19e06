"""Which workflow and which pool a task is for, from what the gateway knows."""

from __future__ import annotations

from typing import Any

from genpool_cli.client import Gateway
from genpool_cli.errors import CliError

Json = dict[str, Any]


def find_workflow(gateway: Gateway, name: str | None, pool: str | None) -> Json:
    """A workflow by name or alias, as one pool serves it.

    Raises
    ------
    CliError
        There is none, or several pools serve it differently and none was named.
    """
    return choose(gateway.get("/v1/workflows")["workflows"], name, pool)


def choose(workflows: list[Json], name: str | None, pool: str | None) -> Json:
    """As :func:`find_workflow`, of a list. Pure."""
    fitting = [
        each
        for each in workflows
        if (name is None or name in {each["name"], *each["aliases"]})
        and (pool is None or _serves(each, pool))
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        every = ", ".join(
            sorted({f"{each['name']} of {served}" for each in fitting for served in each["pools"]})
        )
        raise CliError(f"Several fit ({every}): say which by --workflow and --pool.", reason="ManyWorkflows")
    known = ", ".join(sorted({each["name"] for each in workflows})) or "none"
    what = f"workflow {name}" if name else "workflow"
    where = f" in pool {pool}" if pool else ""
    raise CliError(f"There is no {what}{where}. Known to this key: {known}.", reason="NoWorkflow")


def file_parameter(workflow: Json) -> str:
    """The one parameter of a workflow that is a file. Pure. Raises CliError where there is none, or several."""
    files = workflow["files"]
    if len(files) == 1:
        return str(files[0])
    if not files:
        raise CliError(f"Workflow {workflow['name']} takes no file.", reason="NoFile")
    every = ", ".join(files)
    raise CliError(f"Workflow {workflow['name']} takes several files: say which (--file NAME=PATH): {every}.")


def pool_of(workflow: Json, pool: str | None) -> str:
    """The pool whose bucket takes an upload. Pure. Raises CliError where several serve the workflow."""
    fitting = [each for each in workflow["pools"] if pool is None or _is(each, pool)]
    if len(fitting) == 1:
        return str(fitting[0])
    every = ", ".join(workflow["pools"])
    raise CliError(
        f"Workflow {workflow['name']} is served by {every}: say which by --pool.", reason="ManyPools"
    )


def _serves(workflow: Json, pool: str) -> bool:
    return any(_is(each, pool) for each in workflow["pools"])


def _is(full: str, pool: str) -> bool:
    return pool in {full, full.partition("/")[2]}
