"""The CustomResourceDefinition, from the pydantic model."""

from __future__ import annotations

from typing import Any

import yaml

from genpool_core import names
from genpool_core.api import GenerationPoolSpec, GenerationPoolStatus
from genpool_dev.generate.structural import Schema, structural

_HEADER = "# Generated from core/genpool_core/api by `make generate`. Do not edit.\n"


class _NoAliases(yaml.SafeDumper):
    """Writes a value that stands in two places twice: anchors are hard to read in a schema."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature that the library calls
        """Write no anchor for any value."""
        return True


def spec_schema() -> Schema:
    """Structural schema of ``spec``."""
    return structural(GenerationPoolSpec.model_json_schema())


def status_schema() -> Schema:
    """Structural schema of ``status``."""
    return structural(GenerationPoolStatus.model_json_schema(), defaults=False)


def manifest() -> dict[str, Any]:
    """The CustomResourceDefinition as a value."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": [names.SHORT_NAME],
                "categories": ["genpool"],
            },
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def manifest_yaml() -> str:
    """The CustomResourceDefinition as the file that is committed."""
    return _HEADER + yaml.dump(manifest(), Dumper=_NoAliases, sort_keys=False, width=120, allow_unicode=True)


def _version() -> dict[str, Any]:
    return {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": _columns(),
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.scaling.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "description": "A pool of ComfyUI pods that does the tasks of one queue.",
                "required": ["spec"],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": {"type": "object"},
                    "spec": spec_schema(),
                    "status": status_schema(),
                },
            }
        },
    }


def _columns() -> list[dict[str, Any]]:
    def column(name: str, kind: str, path: str, description: str) -> dict[str, Any]:
        return {"name": name, "type": kind, "jsonPath": path, "description": description}

    ready = '.status.conditions[?(@.type=="Ready")]'
    return [
        column("Ready", "string", f"{ready}.status", "A task published now will be done"),
        # The scaler's sentence does not say why a pool is not ready.
        column("Reason", "string", f"{ready}.reason", "Why it is ready, or not"),
        column("Replicas", "integer", ".status.replicas", "Pods that exist"),
        column("Busy", "integer", ".status.busyReplicas", "Pods that work on a task"),
        column("Waiting", "integer", ".status.queue.waiting", "Tasks that no worker holds"),
        column("Dead", "integer", ".status.queue.deadLettered", "Messages in the dead-letter queue"),
        column("Why", "string", ".status.scaling.message", "Why the scaler decided so"),
        column("Age", "date", ".metadata.creationTimestamp", "Since when the pool exists"),
        # With --output wide.
        {**column("Message", "string", f"{ready}.message", "The same as a sentence"), "priority": 1},
    ]
