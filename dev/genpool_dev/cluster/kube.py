"""kubectl, bound to one cluster: never the context that a person happens to have."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genpool_dev.cluster import shell
from genpool_dev.cluster.errors import ClusterError


@dataclass(frozen=True)
class Kube:
    """A cluster, and the programs that talk to it."""

    kubectl: Path
    helm: Path
    kubeconfig: Path
    context: str

    def run(self, *words: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run kubectl and return what it printed; raises :class:`ClusterError` where it fails."""
        bound = [str(self.kubectl), f"--kubeconfig={self.kubeconfig}", f"--context={self.context}"]
        hidden = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        env = {name: value for name, value in os.environ.items() if name not in hidden}
        return shell.run([*bound, *words], stdin=stdin, env=env, timeout=timeout)

    def get(self, *words: str) -> dict[str, Any]:
        """Return an object that is there, as JSON."""
        found: dict[str, Any] = json.loads(self.run("get", *words, "--output=json"))
        return found

    def find(self, *words: str) -> dict[str, Any] | None:
        """Return an object as JSON, or nothing where it is not there."""
        said = self.run("get", *words, "--output=json", "--ignore-not-found")
        return json.loads(said) if said.strip() else None

    def apply(self, manifests: str) -> None:
        """Apply manifests (YAML) on the server's side."""
        manager = "--field-manager=genpool-dev"
        self.run("apply", "--server-side", "--force-conflicts", manager, "--filename=-", stdin=manifests)

    def answers(self) -> bool:
        """Tell whether the API server answers that it is ready."""
        try:
            self.run("get", "--raw=/readyz", "--request-timeout=5s", timeout=10)
        except ClusterError:
            return False
        return True
