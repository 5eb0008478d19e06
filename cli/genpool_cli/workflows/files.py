"""A workflow's two files, or an exported graph, on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genpool_adapters.shipped_workflows import default_workflows, shipped_files
from genpool_cli.errors import CliError
from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject
from genpool_core.workerconfig import CONFIG_KEY, WorkerConfig
from genpool_core.workflow.files import PARAMETERS, TEMPLATE, MissingFiles, WorkflowFiles
from genpool_core.workflow.read import read_workflow
from genpool_core.workflow.render import by_default
from genpool_core.workflow.spec import check_template


@dataclass(frozen=True)
class Found:
    """A graph, and the files that it is of."""

    graph: JsonObject
    """As a task that gives nothing has it."""
    files: WorkflowFiles | None
    """None for an exported graph alone."""


def find(path: Path) -> Found:
    """A workflow's folder, an exported graph, or the name of a workflow that GenPool ships.

    Raises
    ------
    CliError
        It is none, or its files do not fit together.
    """
    try:
        if path.is_dir():
            return _of_files(path.name, _files_of(path))
        if path.exists():
            return Found(read_graph(path), None)
        shipped = shipped_files(default_workflows(), str(path))
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}.", reason="Unreadable") from error
    if isinstance(shipped, MissingFiles):
        raise CliError(f"{path} is no file and no folder. {shipped.message}", reason="NoWorkflow")
    return _of_files(str(path), shipped)


def graph_of(config: Mapping[str, str]) -> dict[str, JsonObject]:
    """The graph of each workflow of a pool's ConfigMap, by name, as a task that gives nothing has it. Pure."""
    entries = WorkerConfig.model_validate_json(config[CONFIG_KEY]).workflows
    return {
        entry.name: _of_files(
            entry.name, WorkflowFiles(config[entry.template_key], config[entry.parameters_key])
        ).graph
        for entry in entries
    }


def read_graph(path: Path) -> JsonObject:
    """An exported graph in API format. Raises CliError."""
    try:
        return check_template(json.loads(path.read_text(encoding="utf-8")), where=str(path))
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}.", reason="Unreadable") from error
    except ValueError as error:
        raise CliError(f"{path} is no JSON ({error}).", reason="NoGraph") from error
    except InvalidManifest as error:
        raise CliError(error.message, reason=error.reason) from error


def _files_of(folder: Path) -> WorkflowFiles:
    for name in (TEMPLATE, PARAMETERS):
        if not (folder / name).exists():
            text = f"{folder} has no {name}: a workflow is a folder with {TEMPLATE} and {PARAMETERS} (workflow new)."
            raise CliError(text, reason="NoWorkflow")
    return WorkflowFiles(
        (folder / TEMPLATE).read_text(encoding="utf-8"), (folder / PARAMETERS).read_text(encoding="utf-8")
    )


def _of_files(name: str, files: WorkflowFiles) -> Found:
    try:
        template, workflow = read_workflow(name, files.template, files.parameters)
    except InvalidManifest as error:
        raise CliError(error.message, reason=error.reason) from error
    return Found(by_default(template, workflow), files)
