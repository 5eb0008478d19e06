"""The configuration files of the node's programs, rendered from values."""

from __future__ import annotations

import base64
import json
from typing import Any

import yaml

from genpool_dev.cluster.addresses import Addresses
from genpool_dev.cluster.node.places import CONTAINERD_SOCKET, Places

NODE_NAME = "genpool-node"
CONTEXT = "genpool-local"
DOMAIN = "cluster.local"
API_PORT = 6443

USERS = {
    # user of a token: (name that Kubernetes sees, group)
    "admin": ("genpool-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{NODE_NAME}", "system:nodes"),
    "proxy": ("system:kube-proxy", ""),
    "coredns": ("genpool:coredns", ""),
}


def containerd(places: Places, pause_image: str, snapshotter: str) -> str:
    """Render containerd's configuration (TOML)."""
    return f"""\
version = 2
root = {json.dumps(str(places.containerd))}
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause_image}"
  # A machine that is itself a container may not lower the score of its processes.
  restrict_oom_score_adj = true
  # The profile would be loaded into this machine's kernel, outside of the node.
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = {json.dumps(str(places.registries))}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = {json.dumps(str(places.config / "cni"))}
"""


def cni(places: Places, plan: Addresses) -> str:
    """Render the pods' network: each has a link of its own, everything else is routed.

    No bridge, so that translated addresses work whether or not the machine filters bridged packets.
    """
    ranges = [[{"subnet": str(plan.pods)}]]
    ipam = {
        "type": "host-local",
        "ranges": ranges,
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(places.state / "cni"),
    }
    plugins = [{"type": "ptp", "ipMasq": False, "ipam": ipam}]
    return json.dumps({"cniVersion": "0.4.0", "name": "genpool", "plugins": plugins}, indent=1)


def kubelet(places: Places, plan: Addresses, cgroup: str) -> str:
    """Render KubeletConfiguration."""
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(plan.node),
        "healthzBindAddress": str(plan.node),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(places.config / "kubelet-client.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "failCgroupV1": False,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "maxOpenFiles": 20000,
        "resolvConf": "/dev/null",
        "clusterDNS": [str(plan.dns_service)],
        "clusterDomain": DOMAIN,
        "podLogsDir": str(places.pod_logs),
        "volumePluginDir": str(places.kubelet / "volume-plugins"),
        # A developer's disk is often nearly full; the images here cannot be pulled again.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "50Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%",
            "imagefs.available": "1%", "imagefs.inodesFree": "1%",
        },
        "registerNode": True,
    }  # fmt: skip
    return dump(config)


def kube_proxy(places: Places, plan: Addresses) -> str:
    """Render KubeProxyConfiguration."""
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": str(plan.pods),
        "bindAddress": str(plan.node),
        "healthzBindAddress": f"{plan.node}:10256",
        "metricsBindAddress": f"{plan.node}:10249",
        "hostnameOverride": NODE_NAME,
        # The limits of connection tracking belong to the machine, not to the node.
        "conntrack": {
            "maxPerCore": 0, "min": 0,
            "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
        },
        "clientConnection": {"kubeconfig": str(places.config / "proxy.kubeconfig")},
    }  # fmt: skip
    return dump(config)


def corefile(places: Places, plan: Addresses) -> str:
    """Render CoreDNS's configuration: the names of the cluster; any other is refused at once."""
    return f""".:53 {{
    bind {plan.node}
    errors
    health {plan.node}:8080
    cache 5
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {places.config / "coredns.kubeconfig"}
        ttl 5
    }}
}}
"""


def kubeconfig(plan: Addresses, authority: bytes, user: str, token: str) -> str:
    """Render the kubeconfig of one user; ``authority`` is the API server's certificate (PEM)."""
    cluster = {
        "server": f"https://{plan.node}:{API_PORT}",
        "certificate-authority-data": base64.b64encode(authority).decode(),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": f"{CONTEXT}-{user}", "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": f"{CONTEXT}-{user}"}}],
        "current-context": CONTEXT,
    }
    return dump(config)


def token_file(tokens: dict[str, str]) -> str:
    """Render the API server's token file from the tokens by user of :data:`USERS`."""
    lines = []
    for user, (name, group) in USERS.items():
        groups = f',"{group}"' if group else ""
        lines.append(f"{tokens[user]},{name},{name}{groups}")
    return "\n".join([*lines, ""])


def dump(config: dict[str, Any]) -> str:
    """Write a configuration as YAML."""
    text: str = yaml.safe_dump(config, sort_keys=False)
    return text
