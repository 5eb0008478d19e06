"""The node's network: a namespace, and one link between it and this machine."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.addresses import Addresses, Route
from genpool_dev.cluster.errors import ClusterError

NAMED = Path("/run/netns")
INSIDE = "eth0"


def link_of(netns: str) -> str:
    """Return the name of the link's end on this machine (at most 15 characters)."""
    return f"{netns}-host"


def exists(netns: str) -> bool:
    """Tell whether there is a namespace of this name, working or not."""
    return (NAMED / netns).exists()


def inode(netns: str) -> int | None:
    """Return the inode number of a namespace; nothing where the file is not a namespace (any more)."""
    try:
        status = (NAMED / netns).stat()
    except OSError:
        return None
    on_disk = NAMED.stat().st_dev
    return status.st_ino if status.st_dev != on_disk else None


def has_link(netns: str) -> bool:
    """Tell whether the link's end on this machine is there."""
    return (Path("/sys/class/net") / link_of(netns)).exists()


def create(netns: str, plan: Addresses) -> None:
    """Make the namespace, the link and the routes. Nothing of that name may be there."""
    _ip("netns", "add", netns)
    link = link_of(netns)
    _ip("link", "add", link, "type", "veth", "peer", "name", INSIDE, "netns", netns)
    _ip("address", "add", f"{plan.host}/{plan.link_bits}", "dev", link)
    _ip("link", "set", link, "up")
    _ip("-n", netns, "link", "set", "lo", "up")
    _ip("-n", netns, "address", "add", f"{plan.node}/{plan.link_bits}", "dev", INSIDE)
    _ip("-n", netns, "link", "set", INSIDE, "up")
    # The node's own programs reach services too: any route will do, the address is rewritten on its way.
    _ip("-n", netns, "route", "add", str(plan.services), "dev", INSIDE)
    _ip("route", "add", str(plan.subnet), "via", str(plan.node), "dev", link)
    forwarding = "echo 1 > /proc/sys/net/ipv4/ip_forward"
    shell.run(["nsenter", f"--net={NAMED / netns}", "sh", "-c", forwarding])


def remove(netns: str) -> None:
    """Remove link (its routes go with it) and namespace, where they are there."""
    if has_link(netns):
        _ip("link", "delete", link_of(netns))
    if inode(netns) is not None:
        _ip("netns", "delete", netns)
    else:
        (NAMED / netns).unlink(missing_ok=True)


def routes() -> tuple[Route, ...]:
    """Return the IPv4 routes of this machine, but for the default ones."""
    listed = json.loads(_ip("-json", "-4", "route", "show", "table", "all") or "[]")
    found = []
    for entry in listed:
        if entry["dst"] != "default":
            network = IPv4Network(entry["dst"], strict=False)
            found.append(Route(network, str(entry.get("dev", ""))))
    return tuple(found)


def _ip(*words: str) -> str:
    try:
        return shell.run(["ip", *words], env=shell.with_system_path(), timeout=30)
    except ClusterError as error:
        raise ClusterError(
            f"The network of the local cluster cannot be set up: {error.message}\nIn a container "
            "this needs --privileged; else use PROVIDER=kind."
        ) from error
