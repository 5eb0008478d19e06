"""The pool's configuration and workflows, read once at start from the mounted ConfigMap."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from genpool_core.errors import SettingsError
from genpool_core.jsontypes import JsonObject
from genpool_core.strict_json import JsonFault, decode_text
from genpool_core.validation import first_fault
from genpool_core.workerconfig import CONFIG_KEY, WorkerConfig, WorkflowEntry
from genpool_core.workflow.read import read_workflow
from genpool_core.workflow.spec import WorkflowYaml


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
    template, parameters = read_workflow(
        entry.name, _read(folder / entry.template_key), _read(folder / entry.parameters_key)
    )
    return Workflow(entry, template, parameters)


def _read(path: Path) -> str:
    try:
        return decode_text(path.read_bytes())
    except JsonFault as fault:
        raise SettingsError(f"{path} {fault.what}. The operator writes this file.") from None
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}): mount the pool's ConfigMap."
        ) from None
