"""The workflows that a pool serves, read from the data of its ConfigMap: the same for the worker and the gateway."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from genpool_core.canonical import canonical_json
from genpool_core.errors import SettingsError
from genpool_core.jsontypes import JsonObject
from genpool_core.workerconfig import CONFIG_KEY, WorkerConfig, WorkflowEntry
from genpool_core.workflow.read import read_workflow
from genpool_core.workflow.spec import WorkflowYaml


@dataclass(frozen=True)
class Workflow:
    """One workflow, ready to be rendered."""

    entry: WorkflowEntry
    template: JsonObject
    parameters: WorkflowYaml

    @cached_property
    def template_digest(self) -> str:
        """SHA-256 of the template in canonical JSON, hexadecimal."""
        return hashlib.sha256(canonical_json(self.template)).hexdigest()


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


def catalog_keys(config: WorkerConfig) -> tuple[str, ...]:
    """Keys of the ConfigMap that hold the workflows' files."""
    return tuple(key for entry in config.workflows for key in (entry.template_key, entry.parameters_key))


def catalog_from(config: WorkerConfig, data: Mapping[str, str]) -> Catalog:
    """Read the workflows that the configuration names from the ConfigMap's data.

    Raises
    ------
    SettingsError
        The configuration names no workflow, or a key that the data does not have.
    InvalidManifest
        A workflow that cannot work.
    """
    if not config.workflows:
        raise SettingsError(f"{CONFIG_KEY} names no workflow: a pool needs one.")
    missing = [key for key in catalog_keys(config) if key not in data]
    if missing:
        raise SettingsError(
            f"The pool's ConfigMap has no key {missing[0]}, which its {CONFIG_KEY} names. The operator writes both."
        )
    return Catalog(tuple(_workflow(entry, data) for entry in config.workflows))


def _workflow(entry: WorkflowEntry, data: Mapping[str, str]) -> Workflow:
    template, parameters = read_workflow(entry.name, data[entry.template_key], data[entry.parameters_key])
    return Workflow(entry, template, parameters)
