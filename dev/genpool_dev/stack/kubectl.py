"""kubectl for tests and the demo: the cluster is always named."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from genpool_core.jsontypes import JsonObject
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.model import ClusterInfo

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


@dataclass(frozen=True)
class Kubectl(Kube):
    """What the cluster's own code does not need: commands that may be refused, and waiting."""

    @classmethod
    def of(cls, info: ClusterInfo) -> Kubectl:
        """Make one for a cluster that ``ensure_up`` returned, now or earlier: it refuses contexts that may not be used.

        What was put there under an earlier list of contexts can so be taken away under any.
        """
        return cls(info.kubectl, info.helm, info.kubeconfig, info.context)

    def command(self, *words: str) -> list[str]:
        """The whole command line, also for a person to copy."""
        return [str(self.kubectl), f"--kubeconfig={self.kubeconfig}", f"--context={self.context}", *words]

    def attempt(
        self, *words: str, stdin: str | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl and return how it ended: for commands that may be refused, and for what they say then."""
        env = {name: value for name, value in os.environ.items() if name not in _PROXIES}
        return subprocess.run(
            self.command(*words),
            input=stdin,
            env=env,
            timeout=timeout,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def apply_plain(self, *manifests: JsonObject) -> str:
        """``kubectl apply -f -``, as a user types it; returns what it said."""
        text = yaml.safe_dump_all(manifests, allow_unicode=True, sort_keys=False)
        return self.run("apply", "--filename=-", stdin=text)

    def namespace(self, name: str, labels: dict[str, str] | None = None) -> None:
        """Make a namespace where it is missing."""
        metadata: JsonObject = {"name": name, "labels": dict(labels or {})}
        self.apply_plain({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def secret(self, namespace: str, name: str, values: dict[str, str]) -> None:
        """Make a Secret what it should be."""
        self.apply_plain(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": namespace},
                "stringData": dict(values),
            }
        )

    def wait(self, what: Sequence[str], condition: str, *, seconds: float) -> None:
        """``kubectl wait --for=<condition>``; fails with kubectl's sentence after ``seconds``."""
        words = ("wait", *what, f"--for={condition}", f"--timeout={seconds:.0f}s")
        self.run(*words, timeout=seconds + 15)


def export_line(info: ClusterInfo) -> str:
    """What a person types to use kubectl on this cluster."""
    return f"export KUBECONFIG={_short(info.kubeconfig)} PATH={_short(info.kubectl.parent)}:$PATH"


def _short(path: Path) -> str:
    text = str(path)
    return f"'{text}'" if " " in text else text
