"""What a person is told about the cluster."""

from __future__ import annotations

from genpool_dev.cluster import api
from genpool_dev.cluster.model import NAMESPACE, ClusterInfo


def lines(info: ClusterInfo) -> list[str]:
    """Return how to reach the parts of a cluster. Passwords are named by where they lie."""
    secret = "{.data.password}"  # noqa: S105 - a place in a Secret, not a password
    password = f"kubectl -n {NAMESPACE} get secret rabbitmq-admin -o jsonpath='{secret}' | base64 -d"
    found = [
        f"Kubernetes  context {info.context} ({info.provider})",
        f"RabbitMQ    {info.rabbitmq.management_url}  user {info.rabbitmq.username}, password: {password}",
        f"S3          {info.s3.endpoint}" + (f"  files in {info.s3.folder}" if info.s3.folder else ""),
        f"Logs        {info.state_dir}/logs" if info.provider == "local" else "",
        "For kubectl and helm in this shell:",
        f"  {export_line(info)}",
    ]
    return [line for line in found if line]


def export_line(info: ClusterInfo) -> str:
    """Return the line that makes kubectl and helm in a shell mean this cluster."""
    return f'export KUBECONFIG={info.kubeconfig} PATH="{info.kubectl.parent}:$PATH"'


def show_up(info: ClusterInfo) -> None:
    """Print how to reach a cluster."""
    print("\n".join(lines(info)))


def show_status() -> bool:
    """Print what runs of the clusters that are up; tells whether all of it works."""
    found = api.infos()
    if not found:
        print("There is no cluster: `make cluster-up` starts one.")
    works = [_show(info) for info in found]
    return bool(works) and all(works)


def _show(info: ClusterInfo) -> bool:
    parts = api.status(info)
    width = max(len(name) for name, _ in parts)
    for name, state in parts:
        print(f"{name:<{width}}  {state}")
    works = all(state in {"works", "runs", "open", "answers"} for _, state in parts)
    again = f"`make cluster-up PROVIDER={info.provider}` starts again what is dead."
    print("\n".join(lines(info)) if works else again)
    return works
