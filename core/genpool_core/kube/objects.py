"""Kubernetes' JSON: what all objects and answers have. See the API reference for the meaning of fields."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, InstanceOf, PlainValidator
from pydantic.alias_generators import to_camel

from genpool_core.jsontypes import JsonObject
from genpool_core.loose import Entries, Items, LooseModel


class KubeModel(LooseModel):
    """A part of an object. Fields are named as in the API but for their case."""

    model_config = ConfigDict(alias_generator=to_camel)


def _timestamp(value: object) -> datetime:
    """RFC 3339, as Kubernetes writes times; a naive one cannot be compared with the clock."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else None
    if found is None or found.tzinfo is None:
        raise ValueError("no time with a zone")
    return found


Timestamp = Annotated[datetime, PlainValidator(_timestamp)]

# Metadata ----------------------------------------------------------------------------------------------------------


class Metadata(KubeModel):
    """What every object has."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0


class AnyObject(KubeModel):
    """An object of any kind."""

    metadata: Metadata = Metadata()


class OwnerReference(KubeModel):
    """An owner; at most one is the controller."""

    kind: str = ""
    uid: str = ""
    controller: bool = False


class OwnedMetadata(Metadata):
    """Metadata of an object that the operator makes."""

    labels: Entries[str] = Field(default_factory=dict)
    annotations: Entries[str] = Field(default_factory=dict)
    owner_references: Items[OwnerReference] = ()


class OwnedObject(KubeModel):
    """An object that the operator makes."""

    metadata: OwnedMetadata = OwnedMetadata()


class ConfigMap(OwnedObject):
    """A ConfigMap."""

    data: Entries[str] = Field(default_factory=dict)
    binary_data: Entries[str] = Field(default_factory=dict)
    """What is no UTF-8, in base64."""


class Secret(OwnedObject):
    """A Secret; its values are base64."""

    data: Entries[str] = Field(default_factory=dict, repr=False)


# Answers -----------------------------------------------------------------------------------------------------------


class ListMetadata(KubeModel):
    """Metadata of a page; ``next_page`` is empty on the last one."""

    resource_version: str = ""
    """The version of all pages of a list: a watch goes on from it."""
    next_page: Annotated[str, Field(alias="continue")] = ""


class Page(KubeModel):
    """A page of a list, its objects as they came."""

    metadata: ListMetadata = ListMetadata()
    items: Items[InstanceOf[JsonObject]] = ()


class WatchEvent(KubeModel):
    """A line of a watch, its object as it came; of type ERROR that is a ``Status``."""

    type: str = ""
    object: InstanceOf[JsonObject] = Field(default_factory=dict)


class StatusCause(KubeModel):
    """One of the causes of a refusal."""

    reason: str = ""


class StatusDetails(KubeModel):
    """Details of a ``Status``."""

    retry_after_seconds: int = 0
    causes: Items[StatusCause] = ()


class StatusBody(KubeModel):
    """A ``Status``, with which the API server answers what it refuses."""

    kind: str = ""
    code: int = 0
    message: str = ""
    reason: str = ""
    details: StatusDetails = StatusDetails()
