"""The two files of a workflow, from their texts to what a worker renders: read as strictly as a task is."""

from __future__ import annotations

from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject
from genpool_core.strict_json import JsonFault, read_json
from genpool_core.workflow.render import check_targets
from genpool_core.workflow.spec import WorkflowYaml, check_template, parse_workflow_yaml
from genpool_core.workflow.yaml_file import read_workflow_yaml


def read_workflow(name: str, template: str, parameters: str) -> tuple[JsonObject, WorkflowYaml]:
    """Template and parameters of a workflow, which fit each other.

    Raises
    ------
    InvalidManifest
        The first fault, with workflow, file and place.
    """
    where_template, where_yaml = f"workflow {name}, template", f"workflow {name}, workflow.yaml"
    try:
        graph = check_template(read_json(template, unique=True), where=where_template)
    except JsonFault as fault:
        raise _invalid(
            where_template, fault, "node ", "Correct it, or export it again with Export (API)."
        ) from None
    try:
        workflow = parse_workflow_yaml(read_workflow_yaml(parameters), where=where_yaml)
    except JsonFault as fault:
        raise _invalid(where_yaml, fault, "", fault.advice) from None
    check_targets(graph, workflow, where=where_yaml)
    return graph, workflow


def _invalid(where: str, fault: JsonFault, kind: str, advice: str) -> InvalidManifest:
    """The sentence for a fault; a template's places are nodes."""
    if not fault.path:
        return InvalidManifest(
            f"{where}: {fault.what.removeprefix('is ')}. {advice}", reason="InvalidWorkflow"
        )
    first, *rest = (str(part) for part in fault.path)
    inside = f", {'.'.join(rest)}," if rest else ""
    return InvalidManifest(f"{where}: {kind}{first}{inside} {fault.what}. {advice}", reason="InvalidWorkflow")
