"""JSON of the management API: the fields that are read."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from genpool_core.jsontypes import JsonObject
from genpool_core.loose import LooseModel


class Overview(LooseModel):
    """Of the broker."""

    rabbitmq_version: str = ""


class Refusal(LooseModel):
    """Why a request is refused."""

    reason: str = ""


class ExchangeRow(LooseModel):
    """An exchange."""

    name: str = ""
    type: str = ""


class QueueRow(LooseModel):
    """A queue's properties. Every one that is absent is what most queues have."""

    name: str = ""
    type: str = ""
    durable: bool = True
    exclusive: bool = False
    auto_delete: bool = False
    policy: str | None = None


class BindingRow(LooseModel):
    """A binding, to a queue or to an exchange."""

    source: str = ""
    destination: str = ""
    destination_type: str = ""
    routing_key: str = ""
    properties_key: str = ""


class PolicyRow(LooseModel):
    """A policy."""

    name: str = ""
    pattern: str = ""
    applies_to: Annotated[str, Field(alias="apply-to")] = ""
    priority: int = 0
    definition: JsonObject = Field(default_factory=dict)


def _tags(value: object) -> object:
    """A list; before RabbitMQ 3.9 a text with commas."""
    items = value.split(",") if isinstance(value, str) else value
    return tuple(items) if isinstance(items, list) else items


class UserRow(LooseModel):
    """A user, with the salted hash of its password."""

    name: str = ""
    password_hash: Annotated[str, Field(repr=False)] = ""
    hashing_algorithm: str = ""
    tags: Annotated[tuple[str, ...], BeforeValidator(_tags)] = ()


class PermissionRow(LooseModel):
    """A user's rights on a vhost, as regular expressions."""

    user: str = ""
    configure: str = ""
    write: str = ""
    read: str = ""
