"""The platform's brokers: one file, written by the chart, read by the operator and the gateway."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from genpool_core.errors import InvalidManifest

#: A DNS name, an IPv4 or an IPv6 address. The chart has the same expression.
_HOST = re.compile(r"([0-9A-Za-z]([0-9A-Za-z._-]*[0-9A-Za-z])?|[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*)")


def _is_host(text: str) -> str:
    """The sentence does not show the value: an AMQP URL carries a password."""
    if not _HOST.fullmatch(text):
        raise ValueError(
            "not a host name: give the name alone, such as rabbitmq.messaging.svc, and the port in port"
        )
    return text


class BrokerConfig(BaseModel):
    """One broker. Its admin user and password are files in ``credentialsPath``: ``username`` and ``password``."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        validate_by_name=True,
        use_attribute_docstrings=True,
    )

    name: Annotated[str, Field(min_length=1, max_length=63)]
    """As pools name it in ``spec.broker.name``."""
    host: Annotated[str, AfterValidator(_is_host)]
    """Host name, as operator, gateway and workers reach it."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 5672
    """AMQP port."""
    tls: bool = False
    """Use TLS for AMQP."""
    management_url: Annotated[str, Field(pattern=r"^https?://[^?#@]+$")]
    """URL of the management API, as the operator reaches it."""
    credentials_path: str
    """Folder with the files ``username`` and ``password`` of a user with the tag administrator."""
    ca_file: str | None = None
    """File with the certificates (PEM) that signed those of AMQP and management API; the system's when absent."""
    ca_certificates: str = ""
    """What is in ``caFile``: whoever loads the brokers file reads it."""
    vhosts: Annotated[list[str], Field(min_length=1)] = ["/"]
    """Vhosts that pools may use; they are made when they are missing."""
    namespaces: list[str] = []
    """Namespaces whose pools may use this broker; all when empty."""


class BrokersFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    brokers: Annotated[list[BrokerConfig], Field(min_length=1)]

    def for_pool(self, name: str, vhost: str, namespace: str) -> BrokerConfig:
        """The broker that a pool of ``namespace`` asks for.

        Raises
        ------
        InvalidManifest
            There is no such broker, or this namespace or vhost may not use it.
        """
        broker = next((item for item in self.brokers if item.name == name), None)
        if broker is None:
            known = ", ".join(item.name for item in self.brokers)
            raise InvalidManifest(
                f"spec.broker.name {name!r} is not one of the operator's brokers: {known}.",
                reason="BrokerUnknown",
            )
        if broker.namespaces and namespace not in broker.namespaces:
            raise InvalidManifest(
                f"namespace {namespace} may not use broker {name}: ask the platform team to add it there.",
                reason="BrokerNotAllowed",
            )
        if vhost not in broker.vhosts:
            raise InvalidManifest(
                f"vhost {vhost!r} of broker {name} is not open to pools. Allowed: {', '.join(broker.vhosts)}.",
                reason="VhostNotAllowed",
            )
        return broker
