"""Why nothing can be put on somebody's cluster: decided before anything is built, pushed or installed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from genpool_core.hostnames import is_loopback
from genpool_dev.cluster.model import NAMESPACE
from genpool_dev.cluster.providers.record import LABEL, Record

#: Both spellings are in use; Kubernetes heeds both.
DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


@dataclass(frozen=True)
class Facts:
    """What was seen of a cluster. Objects are as kubectl tells them."""

    context: str
    storage_classes: tuple[dict[str, Any], ...]
    namespace: dict[str, Any] | None
    """Ours, of RabbitMQ and S3, if one of its name is there."""
    record: Record | None
    """What this machine put there, as far as it knows."""


def refusal(facts: Facts) -> str | None:
    """Return the sentence that says why nothing may be put there, or nothing."""
    if facts.namespace is not None and not is_ours(facts.namespace, facts.record):
        return (
            f"The namespace {NAMESPACE} is on {facts.context} already, and not made from here: RabbitMQ and S3 of "
            f"somebody else's demo, perhaps. If nobody needs it, `kubectl --context={facts.context} delete "
            f"namespace {NAMESPACE}`; else use another cluster."
        )
    if not has_default_class(facts.storage_classes):
        names = ", ".join(each["metadata"]["name"] for each in facts.storage_classes)
        seen = f"the classes {names}, of which none is the default" if names else "no StorageClass"
        return (
            f"The cluster of {facts.context} has {seen}, so that the data of RabbitMQ, S3 and GenPool's gateway would "
            "wait for a volume for ever. Make one the default: `kubectl annotate storageclass NAME "
            f"{DEFAULT_CLASS[0]}=true`, and run this again."
        )
    return None


def is_ours(namespace: dict[str, Any], record: Record | None) -> bool:
    """Tell whether a namespace is the one that a record tells of."""
    label = (namespace["metadata"].get("labels") or {}).get(LABEL)
    return record is not None and label == record.id


def has_default_class(classes: Iterable[dict[str, Any]]) -> bool:
    """Tell whether a claim that names no class gets a volume."""
    return any(
        (each["metadata"].get("annotations") or {}).get(key) == "true"
        for each in classes
        for key in DEFAULT_CLASS
    )


def address_refusal(address: str, server: str) -> str | None:
    """Return the sentence that says why pods cannot reach this machine by an address, or nothing."""
    if not is_loopback(address):
        return None
    return (
        f"Pods cannot reach this machine by {address}, which in a pod is the pod itself (the API server is at "
        f"{server}): set GENPOOL_DEV_HOST to an address of this machine that pods reach, such as that of its network "
        "or of the Docker bridge."
    )
