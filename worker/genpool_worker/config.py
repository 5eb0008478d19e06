"""The pool's configuration and workflows, read once at start from the mounted ConfigMap."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from genpool_core.errors import SettingsError
from genpool_core.jsontypes import JsonObject
from genpool_core.validation import first_fault
from genpool_core.workerconfig import CONFIG_KEY, WorkerConfig, WorkflowEntry
from genpool_core.workflow.render import check_targets
from genpool_core.workflow.spec import WorkflowYaml, check_template, parse_workflow_yaml


@dataclass(frozen=True)
class Workflow:
    """One workflow, ready to be rendered."""

    entry: WorkflowEntry
    template: JsonObject
    parameters: WorkflowYaml


@dataclass(frozen=True)
class Catalog:
    """The workflows that the pool serves."""

    workflows: tuple[Workflow, ...]

    def find(self, name: str) -> Workflow | None:
        """By name or alias."""
        return next(
            (item for item in self.workflows if name == item.entry.name or name in item.entry.aliases), None
        )

    @property
    def fallback(self) -> Workflow | None:
        """For tasks that name none."""
        return next((item for item in self.workflows if item.entry.fallback), None)

    @property
    def names(self) -> str:
        """All names, for messages."""
        return ", ".join(item.entry.name for item in self.workflows)

    @property
    def longest_run_seconds(self) -> int:
        """Longest time-out, which a task with a graph of its own gets."""
        return max(item.entry.timeout_seconds for item in self.workflows)


def load_config(folder: Path) -> tuple[WorkerConfig, Catalog]:
    """Read ``pool.json`` and the files that it names.

    Raises
    ------
    SettingsError
        A file is missing or is not what it must be.
    InvalidManifest
        A workflow that cannot work.
    """
    path = folder / CONFIG_KEY
    try:
        config = WorkerConfig.model_validate_json(_read(path))
    except ValidationError as error:
        raise SettingsError(f"{path}: {first_fault(error)}. The operator writes this file.") from None
    if not config.workflows:
        raise SettingsError(f"{path} names no workflow: a pool needs one.")
    return config, Catalog(tuple(_workflow(folder, entry) for entry in config.workflows))


def _workflow(folder: Path, entry: WorkflowEntry) -> Workflow:
    template_path, yaml_path = folder / entry.template_key, folder / entry.parameters_key
    try:
        raw_template = json.loads(_read(template_path))
        raw_yaml = yaml.safe_load(_read(yaml_path))
    except (ValueError, yaml.YAMLError) as error:
        problem = " ".join(str(error).split())
        raise SettingsError(f"workflow {entry.name}: a file cannot be read: {problem}") from None
    template = check_template(raw_template, where=f"workflow {entry.name}")
    parameters = parse_workflow_yaml(raw_yaml, where=f"workflow {entry.name}")
    check_targets(template, parameters, where=f"workflow {entry.name}")
    return Workflow(entry, template, parameters)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}): mount the pool's ConfigMap."
        ) from None
