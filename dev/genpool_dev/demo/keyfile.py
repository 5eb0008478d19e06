"""Where the first API key lies while a demo is there. Pure."""

from __future__ import annotations

from pathlib import Path

from genpool_dev.cluster.model import ClusterInfo


def key_file(info: ClusterInfo) -> Path:
    """A file beside the kubeconfig, which only root and who called can read."""
    return info.state_dir / "demo-api-key"
