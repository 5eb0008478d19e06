"""The files of a workflow, read and checked before any worker sees them."""

from __future__ import annotations

from collections.abc import Mapping

from genpool_core.api.workflows import WorkflowSpec
from genpool_core.errors import InvalidManifest
from genpool_core.workflow.files import MissingFiles, WorkflowFiles
from genpool_core.workflow.read import read_workflow

REASON = "InvalidWorkflow"


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
        read_workflow(spec.name, files.template, files.parameters)
        checked[spec.name] = files
    return checked
