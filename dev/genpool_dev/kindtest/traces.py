"""What a Docker engine leaves on a machine, so that a run can show that it left nothing."""

from __future__ import annotations

import json
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.node import cgroups
from genpool_dev.kindtest.engine import GROUP

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def found() -> set[str]:
    """Return bridges of Docker, its firewall rules, the forwarding of packets, and our control groups."""
    env = shell.with_system_path()
    links = [each["ifname"] for each in json.loads(shell.run(["ip", "-json", "link"], env=env))]
    rules = [
        f"iptables: {rule}"
        for table in ("filter", "nat")
        for rule in shell.run(["iptables", "--table", table, "--list-rules"], env=env).splitlines()
        if "DOCKER" in rule or rule.startswith("-P")
    ]
    return {
        *(f"link {name}" for name in links if name == "docker0" or name.startswith("br-")),
        *rules,
        f"ip_forward {_FORWARDING.read_text().strip()}",
        *(f"control group {path}" for path in cgroups.remains(GROUP)),
        *(f"control group {tree / 'docker'}" for tree in cgroups.hierarchies() if (tree / "docker").exists()),
    }
