"""The volume of the gateway's task store, where the cluster makes none by itself: a folder of the local cluster's node.

kind has a provisioner, and the cluster of a person has what that person chose; the local cluster has none.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from genpool_core.jsontypes import JsonObject
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.cluster.node.config import NODE_NAME
from genpool_dev.stack import layout
from genpool_dev.stack.kubectl import Kubectl


def ensure(info: ClusterInfo, kubectl: Kubectl) -> None:
    """Make the volume, with nothing on it; while the claim is there, its volume stays as it is."""
    if info.provider != "local":
        return
    claim = kubectl.find("pvc", layout.GATEWAY_CLAIM, f"--namespace={layout.SYSTEM_NAMESPACE}")
    if claim is not None:
        return
    remove(info, kubectl)
    _folder(info).mkdir(parents=True)
    kubectl.apply_plain(manifest(_folder(info)))


def remove(info: ClusterInfo, kubectl: Kubectl) -> None:
    """Delete the volume with what is on it; a missing one is as good."""
    if info.provider != "local":
        return
    kubectl.run("delete", "pv", layout.GATEWAY_CLAIM, "--ignore-not-found", "--timeout=60s", timeout=70)
    shutil.rmtree(_folder(info), ignore_errors=True)


def manifest(folder: Path) -> JsonObject:
    """The volume: of the kind ``local``, which Kubernetes gives to the pod's group. For our claim alone. Pure."""
    node: JsonObject = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": layout.GATEWAY_CLAIM, "labels": {layout.MARK: layout.MARK_VALUE}},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": layout.SYSTEM_NAMESPACE, "name": layout.GATEWAY_CLAIM},
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [node]}]}},
        },
    }


def _folder(info: ClusterInfo) -> Path:
    return info.state_dir / "data" / "gateway"
