"""The tests install and delete things: they refuse every cluster that is not on their list."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from genpool_dev.cluster import api
from genpool_dev.cluster.errors import ClusterError
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

    def context(self) -> str:
        self.asked.append("context")
        return "production"

    def check(self) -> None:
        raise AssertionError("the context is refused before anything else")

    def up(self, _steps: Steps) -> None:
        raise AssertionError("images were going to be pushed")


def test_nothing_is_built_or_pushed_for_another_cluster_and_nothing_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = SomebodysCluster(tmp_path)
    monkeypatch.delenv(LIST, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(api, "make", lambda _name, _settings: cluster)
    with pytest.raises(ClusterError, match=r"context production is refused.*GENPOOL_E2E_CONTEXTS=production"):
        api.ensure_up(api.ref_of("current"))
    assert cluster.asked == ["context"]
