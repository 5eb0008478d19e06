"""Where the local provider keeps what: one folder of state, and the paths inside the node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genpool_dev.cluster.errors import ClusterError

OWN_NAME = "genpool-dev"


@dataclass(frozen=True)
class Places:
    """The files and folders of one node."""

    state: Path
    """Everything that goes with cluster-down."""
    containerd: Path
    """containerd's images and containers: kept, since unpacking images takes most of a start."""

    @property
    def logs(self) -> Path:
        """One log per program."""
        return self.state / "logs"

    @property
    def run(self) -> Path:
        """Pid files."""
        return self.state / "run"

    @property
    def config(self) -> Path:
        """Configuration files of the programs, tokens and certificates (readable by root only)."""
        return self.state / "config"

    @property
    def registries(self) -> Path:
        """How containerd reaches a registry that is not as usual: a folder each, read at each pull."""
        return self.config / "registries"

    @property
    def data(self) -> Path:
        """What RabbitMQ and S3 keep; a person may look."""
        return self.state / "data"

    @property
    def etcd(self) -> Path:
        """Everything that Kubernetes knows."""
        return self.state / "etcd"

    @property
    def kubelet(self) -> Path:
        """Bound over /var/lib/kubelet inside the node."""
        return self.state / "kubelet"

    @property
    def pod_logs(self) -> Path:
        """Logs of containers."""
        return self.state / "pod-logs"

    @property
    def container_logs(self) -> Path:
        """Bound over /var/log/containers inside the node, where kubelet puts links."""
        return self.state / "container-logs"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of a person, with the context genpool-local."""
        return self.state / "kubeconfig"

    @property
    def info(self) -> Path:
        """What :func:`genpool_dev.cluster.api.info` reads."""
        return self.state / "cluster.json"

    @property
    def mark(self) -> Path:
        """Says that the folder is ours, and may be deleted."""
        return self.state / ".genpool-dev"

    @property
    def is_ours(self) -> bool:
        """Whether the state folder may be filled and deleted: by its name, or by our mark in it."""
        by_name = self.state.parent == Path("/var/lib") and self.state.name.startswith(OWN_NAME)
        return by_name or self.mark.exists()

    @property
    def holder(self) -> Path:
        """Pid file of the node's first process."""
        return self.run / "node.json"

    def pid_file(self, daemon: str) -> Path:
        """Pid file of a program in the node."""
        return self.run / f"{daemon}.json"

    def log(self, daemon: str) -> Path:
        """Log of a program in the node."""
        return self.logs / f"{daemon}.log"

    def folders(self) -> tuple[Path, ...]:
        """Return the folders to make before anything starts."""
        return (
            self.logs, self.run, self.config, self.data, self.etcd,
            self.kubelet, self.pod_logs, self.container_logs,
        )  # fmt: skip


def claim(places: Places) -> None:
    """Make the state folder and its parts; refuses a folder that holds somebody else's files."""
    state = places.state
    foreign = state.exists() and (not state.is_dir() or any(state.iterdir()))
    if foreign and not places.is_ours:
        raise ClusterError(
            f"{state} holds files that are not the local cluster's, and cluster-down would delete "
            "them: set GENPOOL_DEV_STATE to a folder that is empty or does not exist."
        )
    state.mkdir(parents=True, exist_ok=True)
    places.containerd.mkdir(parents=True, exist_ok=True)
    places.mark.touch()
    for folder in places.folders():
        folder.mkdir(exist_ok=True)
    places.config.chmod(0o700)


CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
"""Inside the node, whose /run is its own."""
