"""GenPool away from a cluster: pools, release, namespaces, what its pools left on the broker and in the bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genpool_core import names
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.stack import gateway, layout, volume
from genpool_dev.stack.broker import Broker
from genpool_dev.stack.helm import Helm
from genpool_dev.stack.install import Stack, look
from genpool_dev.stack.kubectl import Kubectl
from genpool_dev.stack.pools import Pool, pool_of

CRD = f"{names.PLURAL}.{names.GROUP}"
GONE_SECONDS = 180
_OUR_PREFIX = f"{names.USER_PREFIX}."


def uninstall(info: ClusterInfo, *, servers_stay: bool = True) -> None:
    """Take away what :func:`~genpool_dev.stack.install.install` and the pools made; what is not marked stays.

    ``servers_stay``: RabbitMQ and S3 are there afterwards, and are cleaned. Those that go need not even answer.
    Every step is one that may find nothing to do, so that it can be run again after it was interrupted.

    Raises
    ------
    ClusterError
        Something did not go away; the message says what.
    """
    stack = look(info)
    ours = marked_namespaces(stack.kubectl)
    pools = delete_pools(stack.kubectl) if layout.POOL_NAMESPACE in ours else []
    others = _living_pools(stack.kubectl)
    gateway.close_way(info)
    _delete_release(stack)
    # A chart leaves its CRD, so that no pool is lost by it; ours goes when nobody has a pool. Before the namespaces:
    # as long as the CRD is there, their mark says whose it is.
    if ours and not others:
        words = ("delete", "crd", CRD, "--ignore-not-found", f"--timeout={GONE_SECONDS}s")
        stack.kubectl.run(*words, timeout=GONE_SECONDS + 15)
    # The chart leaves the claim of the task store; it goes with its namespace.
    _delete_namespaces(stack.kubectl, ours)
    volume.remove(info, stack.kubectl)
    if servers_stay:
        _clean_servers(stack, pools, shared=not others)


def _clean_servers(stack: Stack, pools: Sequence[Pool], *, shared: bool) -> None:
    queues = {pool.queue for pool in pools} | {pool.intake for pool in pools if pool.intake is not None}
    clean_broker(stack.broker, sorted(queues), shared=shared)
    stack.bucket.remove(sorted({pool.prefix for pool in pools if pool.bucket == stack.bucket.name}))


def delete_scenes(kubectl: Kubectl) -> None:
    """Delete the namespaces of e2e tests, also what a killed run left."""
    for place in scenes(kubectl):
        # A pod that hangs would keep its namespace for its whole grace.
        kubectl.run("delete", "pods", "--all", f"--namespace={place}", "--grace-period=0", "--force")
    kubectl.run("delete", "namespace", f"--selector={layout.SCENE}", "--timeout=120s", timeout=130)


def scenes(kubectl: Kubectl) -> list[str]:
    """Namespaces of e2e tests that exist, also the ending ones."""
    words = ("get", "namespaces", f"--selector={layout.SCENE}", "--output=jsonpath={.items[*].metadata.name}")
    return kubectl.run(*words).split()


def delete_pools(kubectl: Kubectl) -> list[Pool]:
    """Delete every pool of our namespace, wait until its pods are gone, and return what they were."""
    if kubectl.find("crd", CRD) is None:
        return []
    namespace = f"--namespace={layout.POOL_NAMESPACE}"
    pools = [pool_of(item) for item in kubectl.get(CRD, namespace)["items"]]
    if pools:
        words = ("delete", CRD, "--all", namespace, f"--timeout={GONE_SECONDS}s")
        kubectl.run(*words, timeout=GONE_SECONDS + 15)
        selector = f"--selector={names.LABEL_NAME}=genpool-worker"
        kubectl.wait(["pods", namespace, selector], "delete", seconds=GONE_SECONDS)
    return pools


def clean_broker(broker: Broker, queues: Sequence[str], *, shared: bool, vhost: str = "/") -> None:
    """Delete the pools' queues with their messages; ``shared``: also what all pools share, and the workers' users."""
    own = {name for queue in queues for name in (queue, names.dead_queue(queue))}
    policies = {policy for queue in queues for policy in (names.work_policy(queue), names.dead_policy(queue))}

    def ours(name: str) -> bool:
        return shared and name.startswith(_OUR_PREFIX)

    for name in broker.queues(vhost):
        if name in own or ours(name):
            broker.delete_queue(name, vhost)
    for name in filter(ours, broker.exchanges(vhost)):
        broker.delete_exchange(name, vhost)
    for name in broker.policies(vhost):
        if name in policies or ours(name):
            broker.delete_policy(name, vhost)
    for name in filter(ours, broker.users()):
        broker.delete_user(name)


def _living_pools(kubectl: Kubectl) -> bool:
    """Whether there is a pool in any namespace: somebody's, who needs CRD and broker as they are."""
    return kubectl.find("crd", CRD) is not None and bool(kubectl.get(CRD, "--all-namespaces")["items"])


def _delete_release(stack: Stack) -> None:
    """Uninstall the release; where it went with its namespace, what of it lies in none."""
    helm = Helm(stack.kubectl)
    release = helm.find(layout.RELEASE)
    if release is not None and release.ours:
        helm.uninstall(layout.RELEASE)
    if release is None:
        selector = f"--selector={names.LABEL_PART_OF}={layout.RELEASE}"
        for item in stack.kubectl.get("clusterroles,clusterrolebindings", selector)["items"]:
            if is_of_release(item):
                kind, name = item["kind"].lower(), item["metadata"]["name"]
                stack.kubectl.run("delete", kind, name, "--ignore-not-found")


def is_of_release(item: dict[str, Any]) -> bool:
    """Whether an object without a namespace was made by the installation in ours. Pure."""
    told = item["metadata"].get("annotations") or {}
    return (told.get("meta.helm.sh/release-name"), told.get("meta.helm.sh/release-namespace")) == (
        layout.RELEASE,
        layout.SYSTEM_NAMESPACE,
    )


def marked_namespaces(kubectl: Kubectl) -> list[str]:
    """Those of our namespaces that a demo or test made; one of the same name may be somebody's own."""
    marked = kubectl.get("namespaces", f"--selector={layout.MARK}={layout.MARK_VALUE}")["items"]
    present = [str(item["metadata"]["name"]) for item in marked]
    return [name for name in (layout.POOL_NAMESPACE, layout.SYSTEM_NAMESPACE) if name in present]


def _delete_namespaces(kubectl: Kubectl, ours: Sequence[str]) -> None:
    """Delete our namespaces, both at once: each takes its seconds."""
    if ours:
        words = ("delete", "namespace", *ours, f"--timeout={GONE_SECONDS}s")
        kubectl.run(*words, timeout=GONE_SECONDS + 15)
