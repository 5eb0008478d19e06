"""``spec.security``: which hosts workers may fetch from and callbacks may go to."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

from genpool_core.api.base import ApiModel


def _is_network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not a network: write for example 10.0.0.0/8") from None
    return text


Cidr = Annotated[
    str,
    Field(min_length=2, max_length=49, pattern=r"^[0-9a-fA-F:.]+(/[0-9]{1,3})?$"),
    AfterValidator(_is_network),
]


class HostRule(ApiModel):
    """One host that may be reached."""

    host: Annotated[
        str,
        Field(
            min_length=1,
            max_length=253,
            pattern=r"^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$",
        ),
    ]
    """Host name or address; ``*.example.com`` stands for every host below example.com."""
    ports: Annotated[list[Annotated[int, Field(ge=1, le=65_535)]], Field(max_length=16)] = []
    """Ports that may be used; 80 and 443 when empty."""
    cidrs: Annotated[list[Cidr], Field(max_length=16)] = []
    """Private networks in which the host may be. Without an entry only public addresses are reached."""


class SecuritySpec(ApiModel):
    """Limits on what tasks can make the pool do."""

    image_hosts: Annotated[list[HostRule], Field(max_length=64)] = []
    """Hosts of input files. Every public host when empty."""
    callback_hosts: Annotated[list[HostRule], Field(max_length=64)] = []
    """Hosts of callbacks. Every public host when empty."""
    max_input: Annotated[str, Field(pattern=r"^[0-9]+(Ki|Mi|Gi)?$", max_length=16)] = "50Mi"
    """Largest input file."""
    allow_graphs: bool = False
    """Accept tasks that bring a whole ComfyUI graph as ``prompt``. A graph can use every node that is installed."""
    allow_graphs_with_pod_identity: bool = False
    """Accept them also where ``storage.s3.credentials`` names no Secret. A graph may then read, change and delete
    everything in the bucket that the pod's identity may."""
