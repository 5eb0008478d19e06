"""kubectl, helm and kind for the providers that need no node of ours: the machine's own, else built."""

from __future__ import annotations

import shutil
from pathlib import Path

from genpool_dev.cluster.artifacts import golang, links
from genpool_dev.progress import Steps

BINARY_OF = {"kubectl": "kube", "helm": "helm", "kind": "kind"}


def find(name: str, steps: Steps) -> Path:
    """Return the path of a tool, building it where the machine does not have it."""
    own = shutil.which(name)
    if own is not None:
        return Path(own)
    return links.link(name, golang.build(BINARY_OF[name], steps))
