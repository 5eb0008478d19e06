"""GenPool on a cluster, as a user installs it: namespaces, bucket, Secrets, then the chart by Helm. And away again.

Everything is marked; what exists without the mark is somebody's own and is never replaced or deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genpool_core import names
from genpool_core.jsontypes import JsonObject
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.stack import layout, volume
from genpool_dev.stack.broker import Broker
from genpool_dev.stack.bucket import Bucket, S3Access
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.helm import Helm
from genpool_dev.stack.kubectl import Kubectl

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "genpool"
READY_SECONDS = 120
PARTS = ("operator", "worker", "gateway")
VHOSTS = ("/",)
REGION = "us-east-1"


@dataclass(frozen=True)
class Stack:
    """GenPool as it is installed, and the ways to look at it."""

    info: ClusterInfo
    kubectl: Kubectl
    broker: Broker
    bucket: Bucket


def install(info: ClusterInfo, *, vhosts: Sequence[str] = VHOSTS) -> Stack:
    """Install GenPool, or bring what an earlier demo or test installed up to date; returns when it is ready.

    ``vhosts``: those of the broker that pools may use.

    Raises
    ------
    ClusterError
        A GenPool that somebody else installed is there, or the installation did not get ready.
    """
    stack = look(info)
    _refuse_foreign(stack)
    for name in (layout.SYSTEM_NAMESPACE, layout.POOL_NAMESPACE):
        stack.kubectl.namespace(name, {layout.MARK: layout.MARK_VALUE, **layout.RESTRICTED})
    stack.bucket.ensure()
    _secrets(stack)
    volume.ensure(info, stack.kubectl)
    Helm(stack.kubectl).install(layout.RELEASE, CHART, chart_values(info, vhosts), seconds=READY_SECONDS)
    stack.kubectl.wait(["crd/generationpools.genpool.dev"], "condition=Established", seconds=READY_SECONDS)
    return stack


def look(info: ClusterInfo) -> Stack:
    """The ways to a cluster, without changing anything there."""
    kubectl = Kubectl.of(info)
    rabbitmq, s3 = info.rabbitmq, info.s3
    return Stack(
        info=info,
        kubectl=kubectl,
        broker=Broker(rabbitmq.management_url, rabbitmq.username, rabbitmq.password),
        bucket=Bucket(S3Access(s3.endpoint, REGION, s3.access_key, s3.secret_key), layout.BUCKET),
    )


def chart_values(info: ClusterInfo, vhosts: Sequence[str] = VHOSTS) -> JsonObject:
    """The values that a user would write for this cluster."""
    images: dict[str, JsonObject] = {part: {"image": _image(info.images[part])} for part in PARTS}
    return {
        "brokers": [
            {
                "name": layout.BROKER,
                "host": info.rabbitmq.in_cluster_host,
                "existingSecret": layout.BROKER_SECRET,
                "vhosts": [*vhosts],
            }
        ],
        "operator": images["operator"],
        "worker": images["worker"],
        "gateway": {**images["gateway"], "stores": [_store(info)]},
    }


def _store(info: ClusterInfo) -> JsonObject:
    """The bucket, as pools name its store, with links that this machine can follow."""
    return {
        "endpoint": info.s3.in_cluster_endpoint,
        "publicEndpoint": info.s3.endpoint,
        "bucket": layout.BUCKET,
        "region": REGION,
        "existingSecret": layout.STORE_SECRET,
    }


def _image(name: str) -> JsonObject:
    repository, _, tag = name.rpartition(":")
    return {"repository": repository, "tag": tag}


def _refuse_foreign(stack: Stack) -> None:
    release = Helm(stack.kubectl).find(layout.RELEASE)
    if release is not None and not release.ours:
        raise StackError(
            f"GenPool is installed on {stack.info.context} already (release {layout.RELEASE} in "
            f"{layout.SYSTEM_NAMESPACE}), and not by a demo or test: it is left alone. Uninstall it with "
            f"`helm -n {layout.SYSTEM_NAMESPACE} uninstall {layout.RELEASE}`, or use another cluster."
        )
    for name in (layout.SYSTEM_NAMESPACE, layout.POOL_NAMESPACE):
        found = stack.kubectl.find("namespace", name)
        if found is not None and found["metadata"].get("labels", {}).get(layout.MARK) != layout.MARK_VALUE:
            raise StackError(
                f"The namespace {name} on {stack.info.context} was made by somebody else, and this would delete it "
                f"at its end. Delete it with `kubectl delete namespace {name}`, or use another cluster."
            )
    _refuse_foreign_crd(stack)


def _refuse_foreign_crd(stack: Stack) -> None:
    """Refuse a person's cluster on which somebody else's operator may work: ours would work on its pools too."""
    if (
        stack.info.provider != "current"
        or stack.kubectl.find("namespace", layout.SYSTEM_NAMESPACE) is not None
    ):
        return
    crd = f"{names.PLURAL}.{names.GROUP}"
    if stack.kubectl.find("crd", crd) is not None:
        raise StackError(
            f"Somebody uses GenPool on {stack.info.context}: its CRD {crd} is there, and a second operator would work "
            f"on the same pools. If nobody does, `kubectl delete crd {crd}`; else use another cluster."
        )


def _secrets(stack: Stack) -> None:
    rabbitmq, s3 = stack.info.rabbitmq, stack.info.s3
    admin = {"username": rabbitmq.username, "password": rabbitmq.password}
    stack.kubectl.secret(layout.SYSTEM_NAMESPACE, layout.BROKER_SECRET, admin)
    keys = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
    stack.kubectl.secret(layout.POOL_NAMESPACE, layout.STORAGE_SECRET, keys)
    stack.kubectl.secret(layout.SYSTEM_NAMESPACE, layout.STORE_SECRET, keys)
