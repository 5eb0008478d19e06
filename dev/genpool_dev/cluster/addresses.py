"""Who has which address in the local cluster: computed from one /16."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

SERVICES_AT = 64  # the third byte: x.y.64.0/24


@dataclass(frozen=True)
class Addresses:
    """The local cluster's networks and fixed addresses."""

    subnet: IPv4Network
    pods: IPv4Network
    services: IPv4Network
    host: IPv4Address
    """This machine, as the pods see it."""
    node: IPv4Address
    dns_service: IPv4Address
    link_bits: int = 30


@dataclass(frozen=True)
class Route:
    """A route of this machine that another network holds."""

    network: IPv4Network
    device: str


def divide(subnet: IPv4Network) -> Addresses:
    """Divide a /16: pods at .0.0/24, services at .64.0/24, the link to this machine at its end."""
    blocks = list(subnet.subnets(new_prefix=24))
    services = blocks[SERVICES_AT]
    end = int(subnet.broadcast_address)
    return Addresses(
        subnet=subnet,
        pods=blocks[0],
        services=services,
        host=IPv4Address(end - 2),
        node=IPv4Address(end - 1),
        dns_service=services[10],
    )


def collision(subnet: IPv4Network, routes: Iterable[Route], own_link: str) -> str | None:
    """Say in a sentence which of the machine's routes has addresses of ``subnet``, if one does.

    A broader route (a company's 10.0.0.0/8) is no collision: ours is preferred while it is there.
    """
    for route in routes:
        if route.device != own_link and route.network.subnet_of(subnet):
            return (
                f"The local cluster wants the addresses {subnet}, but {route.network} on "
                f"{route.device or 'this machine'} has some of them: set GENPOOL_DEV_SUBNET to "
                "another /16, such as 10.214.0.0/16."
            )
    return None
