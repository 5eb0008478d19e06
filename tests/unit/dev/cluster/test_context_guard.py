"""The tests install and delete things: they refuse every cluster that is not on their list."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from genpool_dev.cluster import api, services
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.providers.base import Images
from genpool_dev.progress import Steps

LIST = "GENPOOL_E2E_CONTEXTS"


@pytest.mark.parametrize(
    ("context", "extra", "allowed"),
    [
        ("genpool-local", "", True),
        ("kind-genpool", "", True),
        ("production", "", False),
        ("", "", False),
        ("genpool-local-2", "", False),
        ("kind-other", "", False),
        ("production", "staging", False),
        ("staging", "staging,lab", True),
        ("lab", "staging,lab", True),
        ("", ",", False),
    ],
)
def test_the_list(context: str, extra: str, *, allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIST, extra)
    assert api.allowed_context(context) is allowed


@dataclass
class SomebodysCluster:
    """A provider of a cluster that is up; notes what is asked of it."""

    state: Path
    asked: list[str] = field(default_factory=list)
    name: str = "current"

    def check(self) -> None:
        self.asked.append("check")

    def up(self, _steps: Steps) -> tuple[Kube, Images]:
        self.asked.append("up")
        return Kube(Path("kubectl"), Path("helm"), Path("kubeconfig"), "production"), Images({}, "", "")

    def shape(self, _images: Images) -> services.Shape:
        self.asked.append("shape")
        raise AssertionError("something was going to be put on the cluster")


def test_nothing_is_put_on_another_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = SomebodysCluster(tmp_path)
    monkeypatch.delenv(LIST, raising=False)
    monkeypatch.setenv("GENPOOL_DEV_NETNS", "unit")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(api, "make", lambda _name, _settings: cluster)
    with pytest.raises(ClusterError, match=r"refuse the context production.*GENPOOL_E2E_CONTEXTS=production"):
        api.ensure_up("current", for_tests=True)
    assert cluster.asked == ["check", "up"]
