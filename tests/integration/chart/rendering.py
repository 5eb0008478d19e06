"""Renders the chart, and reads what came out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).resolve().parents[3] / "charts" / "genpool"
BROKER = {"name": "default", "host": "mq", "existingSecret": "mq-admin", "vhosts": ["/", "art"]}
GOOD: dict[str, Any] = {"brokers": [BROKER]}
Objects = dict[tuple[str, str], dict[str, Any]]


def run_helm(helm: str, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """``helm template`` with these values."""
    command = [
        helm,
        "template",
        "genpool",
        str(CHART),
        "--namespace=sys",
        "--kube-version=v1.35.0",
        "--values=-",
    ]
    return subprocess.run(
        command, input=yaml.safe_dump(values), check=False, capture_output=True, text=True, timeout=60
    )


def render(helm: str, values: dict[str, Any]) -> Objects:
    """The objects by kind and name."""
    done = run_helm(helm, values)
    assert done.returncode == 0, done.stderr
    found = [item for item in yaml.safe_load_all(done.stdout) if item]
    return {(item["kind"], item["metadata"]["name"]): item for item in found}


def pod_of(objects: Objects, name: str) -> dict[str, Any]:
    """The spec of a program's pod."""
    return dict(objects["Deployment", f"genpool-{name}"]["spec"]["template"]["spec"])


def secret_mounts(pod: dict[str, Any]) -> dict[str, str]:
    """Names of the Secrets that a pod mounts, by their places."""
    secrets = {item["name"]: item["secret"]["secretName"] for item in pod["volumes"] if "secret" in item}
    mounts = {item["name"]: item["mountPath"] for item in pod["containers"][0]["volumeMounts"]}
    return {mounts[name]: secret for name, secret in secrets.items()}


def env_of(pod: dict[str, Any]) -> dict[str, str]:
    """The environment of a program."""
    return {item["name"]: item["value"] for item in pod["containers"][0]["env"]}
