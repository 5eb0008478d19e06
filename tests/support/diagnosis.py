"""What a person would look at first when something went wrong in a namespace."""

from __future__ import annotations

from collections.abc import Iterator

from genpool_dev.cluster.errors import ClusterError
from genpool_dev.stack import layout
from genpool_dev.stack.broker import Broker
from genpool_dev.stack.kubectl import Kubectl

_POD_LINES = 25
_OPERATOR_LINES = 60
_CONDITIONS = (
    "jsonpath={range .items[*]}{.metadata.name}{'\\n'}{range .status.conditions[*]}"
    "  {.type}={.status} {.reason}: {.message}{'\\n'}{end}  scaling: {.status.scaling}{'\\n'}"
    "  queue: {.status.queue}{'\\n'}{end}"
)


def diagnose(kubectl: Kubectl, namespace: str, *, broker: Broker, vhost: str) -> str:
    """Pools, pods, events, queues and the ends of all logs that belong to a namespace, as text.

    A part that cannot be had says why, and the others are there.
    """
    here = f"--namespace={namespace}"
    parts = [
        _part("pools", kubectl, "get", "gp", here),
        _part("conditions", kubectl, "get", "gp", here, f"--output={_CONDITIONS}"),
        _part("Deployments and pods", kubectl, "get", "deployments,pods", here, "--output=wide"),
        _part("events", kubectl, "get", "events", here, "--sort-by=.lastTimestamp"),
        _queues(broker, vhost),
        *([] if namespace == layout.SYSTEM_NAMESPACE else _pod_logs(kubectl, here)),
        *_system_logs(kubectl),
    ]
    return f"\n===== {namespace} =====\n" + "\n".join(parts)


def _pod_logs(kubectl: Kubectl, here: str) -> Iterator[str]:
    names = kubectl.attempt("get", "pods", here, "--output=jsonpath={.items[*].metadata.name}").stdout.split()
    for name in names:
        for container in ("worker", "comfyui"):
            words = ("logs", name, here, f"--container={container}", f"--tail={_POD_LINES}")
            yield _part(f"{name} {container}", kubectl, *words)
            before = kubectl.attempt(*words, "--previous")
            if before.returncode == 0:
                yield f"--- {name} {container}, before its restart\n{before.stdout}"


def _system_logs(kubectl: Kubectl) -> Iterator[str]:
    there = f"--namespace={layout.SYSTEM_NAMESPACE}"
    yield _part("system pods", kubectl, "get", "pods", there, "--output=wide")
    selector = f"--selector=app.kubernetes.io/instance={layout.RELEASE}"
    words = ("logs", there, selector, "--prefix", "--all-containers", f"--tail={_OPERATOR_LINES}")
    yield _part("operator and gateway", kubectl, *words)


def _queues(broker: Broker, vhost: str) -> str:
    try:
        queues = broker.queues(vhost).values()
    except ClusterError as error:
        return f"--- queues\n{error}"
    lines = (
        f"{queue.name}: ready {queue.messages_ready}, unacknowledged {queue.messages_unacknowledged}"
        for queue in queues
        if queue.messages_ready or queue.messages_unacknowledged
    )
    return "--- queues that are not empty\n" + "\n".join(lines)


def _part(title: str, kubectl: Kubectl, *words: str) -> str:
    done = kubectl.attempt(*words)
    return f"--- {title}\n{done.stdout}{done.stderr if done.returncode else ''}"
