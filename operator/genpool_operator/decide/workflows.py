"""The files of a workflow, read and checked before any worker sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from genpool_core.api.workflows import WorkflowSpec
from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonValue
from genpool_core.workflow.render import check_targets
from genpool_core.workflow.spec import check_template, parse_workflow_yaml

REASON = "InvalidWorkflow"


@dataclass(frozen=True)
class WorkflowFiles:
    """Texts of ``template.json`` and ``workflow.yaml``."""

    template: str
    parameters: str


@dataclass(frozen=True)
class MissingFiles:
    """The files are not where the spec says; ``message`` says what is missing and where."""

    message: str


def check_workflows(
    specs: list[WorkflowSpec], found: Mapping[str, WorkflowFiles | MissingFiles]
) -> dict[str, WorkflowFiles]:
    """The files of all workflows, by name.

    Raises
    ------
    InvalidManifest
        The first fault: missing files, or files that cannot work together.
    """
    checked: dict[str, WorkflowFiles] = {}
    for spec in specs:
        files = found.get(spec.name, MissingFiles("its files were not looked for."))
        if isinstance(files, MissingFiles):
            raise InvalidManifest(f"workflow {spec.name}: {files.message}", reason=REASON)
        _check_files(spec.name, files)
        checked[spec.name] = files
    return checked


def _check_files(name: str, files: WorkflowFiles) -> None:
    where = f"workflow {name}"
    template = check_template(_parse_json(files.template, where), where=f"{where}, template")
    parameters = parse_workflow_yaml(_parse_yaml(files.parameters, where), where=f"{where}, workflow.yaml")
    check_targets(template, parameters, where=f"{where}, workflow.yaml")


def _parse_json(text: str, where: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except ValueError as error:
        raise InvalidManifest(f"{where}, template: not JSON: {error}.", reason=REASON) from None
    return value


def _parse_yaml(text: str, where: str) -> JsonValue:
    try:
        value: JsonValue = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise InvalidManifest(f"{where}, workflow.yaml: not YAML: {problem}.", reason=REASON) from None
    return value
