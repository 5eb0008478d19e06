"""Helm with the cluster always named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from genpool_core.jsontypes import JsonObject
from genpool_dev.cluster import shell
from genpool_dev.stack import layout
from genpool_dev.stack.kubectl import Kubectl


@dataclass(frozen=True)
class Release:
    """An installed release."""

    name: str
    status: str
    ours: bool
    """It carries our mark: a demo or test installed it."""


@dataclass(frozen=True)
class Helm:
    """Helm for the cluster of ``kubectl``, in one namespace."""

    kubectl: Kubectl
    namespace: str = layout.SYSTEM_NAMESPACE

    def install(self, name: str, chart: Path, values: JsonObject, *, seconds: float = 180) -> None:
        """``helm upgrade --install --wait``: installs, or brings what is installed to these values."""
        words = [
            "upgrade",
            name,
            str(chart),
            "--install",
            "--values=-",
            "--wait",
            f"--timeout={seconds:.0f}s",
        ]
        mark = f"--labels={layout.MARK}={layout.MARK_VALUE}"
        self.run(*words, mark, stdin=yaml.safe_dump(values), timeout=seconds + 30)

    def uninstall(self, name: str, *, seconds: float = 120) -> None:
        """``helm uninstall --wait``; a missing release is as good."""
        words = ("uninstall", name, "--ignore-not-found", "--wait", f"--timeout={seconds:.0f}s")
        self.run(*words, timeout=seconds + 30)

    def find(self, name: str) -> Release | None:
        """A release in any state, or None. Read from the Secrets in which every version of Helm keeps them."""
        found = self.kubectl.get(
            "secrets", f"--namespace={self.namespace}", f"--selector=owner=helm,name={name}"
        )
        labels = [item["metadata"]["labels"] for item in found["items"]]
        if not labels:
            return None
        latest = max(labels, key=lambda item: int(item["version"]))
        return Release(name, latest["status"], latest.get(layout.MARK) == layout.MARK_VALUE)

    def run(self, *words: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run helm and return its standard output."""
        bound = [
            str(self.kubectl.helm),
            f"--kubeconfig={self.kubectl.kubeconfig}",
            f"--kube-context={self.kubectl.context}",
            f"--namespace={self.namespace}",
        ]
        return shell.run([*bound, *words], stdin=stdin, timeout=timeout)
