"""What is on a cluster: every object that lasts, by kind, namespace and name."""

from __future__ import annotations

from genpool_dev.cluster.kube import Kube

#: What Kubernetes writes by itself about what happens.
PASSING = ("events", "events.events.k8s.io", "leases.coordination.k8s.io", "componentstatuses")
_LINE = '{range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name} {.metadata.uid}{"\\n"}{end}'


def take(kube: Kube) -> dict[str, str]:
    """Return the uid of every object by kind, namespace and name."""
    kinds = kube.run("api-resources", "--verbs=list", "--output=name").split()
    lasting = ",".join(sorted(set(kinds) - set(PASSING)))
    said = kube.run("get", lasting, "--all-namespaces", f"--output=jsonpath={_LINE}")
    return dict(line.rsplit(" ", 1) for line in said.splitlines())


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Say what is left, what is gone, and what was made anew. Pure."""
    return [
        *(f"left: {name}" for name in sorted(after.keys() - before.keys())),
        *(f"gone: {name}" for name in sorted(before.keys() - after.keys())),
        *(f"another: {name}" for name in sorted(before.keys() & after.keys()) if before[name] != after[name]),
    ]
