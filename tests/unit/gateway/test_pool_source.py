"""Where the gateway takes its pools from."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from genpool_core.errors import SettingsError
from genpool_gateway.adapters.file_pools import FilePools
from genpool_gateway.adapters.kube_pools import KubePools
from genpool_gateway.factory.pools import build_pool_source
from genpool_gateway.settings import GatewaySettings

KUBECONFIG = {
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "made-up"}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}


def test_files_where_they_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENPOOL_POOLS_FILE", str(tmp_path))
    settings = GatewaySettings.load()
    assert (settings.builtin_workflows / "text-to-image" / "workflow.yaml").is_file()
    assert isinstance(build_pool_source(settings), FilePools)


def test_kubernetes_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(KUBECONFIG))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("GENPOOL_NAMESPACES", "art, photos")
    settings = GatewaySettings.load()
    assert settings.namespaces == ("art", "photos")
    assert isinstance(build_pool_source(settings), KubePools)


def test_without_either_it_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="Or set GENPOOL_POOLS_FILE to a file"):
        build_pool_source(GatewaySettings.load())
