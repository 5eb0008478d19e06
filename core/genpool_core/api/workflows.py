"""``spec.workflows``: which workflows a pool serves and where their templates are."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from genpool_core import timing
from genpool_core.api.base import ApiModel, ObjectName, rule, rules

_ONE_SOURCE = "a workflow's source is either builtin or configMap: set exactly one of them"
ConfigMapKey = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
WorkflowName = Annotated[str, Field(min_length=1, max_length=128)]


class ConfigMapSource(ApiModel):
    """A template in a ConfigMap of the pool's namespace."""

    name: ObjectName
    """Name of the ConfigMap."""
    key: ConfigMapKey
    """Key with the workflow as ComfyUI exports it with *Export (API)*."""
    parameters_key: ConfigMapKey
    """Key with the ``workflow.yaml`` that names the parameters and where each goes."""


class WorkflowSource(ApiModel):
    """Where a template comes from: exactly one of the fields."""

    model_config = ConfigDict(
        json_schema_extra=rules(rule("has(self.builtin) != has(self.configMap)", _ONE_SOURCE))
    )

    builtin: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """A template that GenPool ships, by its folder's name."""
    config_map: ConfigMapSource | None = None
    """A template of your own."""

    @model_validator(mode="after")
    def _as_the_rule_says(self) -> WorkflowSource:
        if (self.builtin is None) == (self.config_map is None):
            raise ValueError(_ONE_SOURCE)
        return self


class WorkflowSpec(ApiModel):
    """One workflow."""

    name: WorkflowName
    """As tasks name it in ``workflow_type``; any Unicode."""
    aliases: Annotated[
        list[WorkflowName],
        Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = []
    """Further names of the same workflow."""
    source: WorkflowSource
    """Where the template is."""
    timeout_seconds: Annotated[int, Field(ge=1, le=86_400)] = timing.RUN_SECONDS
    """Longest run of one attempt, from its submission to ComfyUI. The pods' grace period follows the longest."""
    fallback: bool = False
    """Tasks that name no workflow are done with this one. A pool with one workflow needs no fallback."""
