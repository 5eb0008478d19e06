"""The results of a task, in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genpool_cli.client import Gateway
from genpool_cli.files import download, free_path, names_for
from genpool_cli.show.output import note


def fetch_results(
    gateway: Gateway, task: dict[str, Any], folder: Path | str, stem: str | None = None
) -> list[Path]:
    """Download all results of a task; where they are. Files that are there are left alone.

    Raises
    ------
    CliError
        One cannot be had.
    """
    if any(_is_old(output) for output in task["outputs"]):
        task = gateway.task(task["id"])
    if not task["outputs"]:
        note(f"{task['id']}: it is {task['status']}, and has no results")
    paths = []
    for output, name in names_for(task, stem):
        path = free_path(Path(folder), name)
        download(output, path)
        note(f"{task['id']}: {path}")
        paths.append(path)
    return paths


def _is_old(output: dict[str, Any]) -> bool:
    """Whether a link was not given, as in an event: the task has it."""
    return not output.get("url")
