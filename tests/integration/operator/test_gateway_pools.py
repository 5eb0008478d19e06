"""What a gateway with the chart's rights sees of pools on a real API server, while an operator works on them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_adapters.kube.api import KubeApi
from genpool_adapters.kube.list_watch import ListWatchTimes
from genpool_adapters.kube.login import load_configuration
from genpool_gateway.adapters.kube_pools import KubePools
from genpool_gateway.pools.check import check_request
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.view_models import StoreView
from genpool_gateway.pools.views import pool_view, workflow_views
from integration.broker import Vhost, until
from integration.operator.harness import ROOT, Kubectl, OperatorProcess, pool_manifest

QUICK = ListWatchTimes(watch=20, relist=0.1, retries=(0.2,))
ACCOUNT = "genpool-gateway"


def chart_rights(kubectl: Kubectl) -> list[dict[str, Any]]:
    """The gateway's account, Role and RoleBinding of the chart, for the test's namespace."""
    values = {
        "brokers": [{"name": "default", "host": "mq", "existingSecret": "mq"}],
        "operator": {"namespaces": [kubectl.namespace]},
    }
    command = [str(kubectl.info.helm), "template", "genpool", str(ROOT / "charts/genpool")]
    command += [f"--namespace={kubectl.namespace}", "--values=-"]
    done = subprocess.run(
        command, input=yaml.safe_dump(values), check=True, capture_output=True, text=True, timeout=60
    )
    return [
        item
        for item in yaml.safe_load_all(done.stdout)
        if item
        and item["metadata"]["name"] == ACCOUNT
        and item["kind"] in {"ServiceAccount", "Role", "RoleBinding"}
    ]


@pytest.fixture
def login(kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Log in as the gateway's account, which has no rights yet; the rights that it is to have."""
    account, *rights = sorted(chart_rights(kubectl), key=lambda item: item["kind"] != "ServiceAccount")
    kubectl.apply(account)
    admin = yaml.safe_load(kubectl.info.kubeconfig.read_text())
    context = next(item["context"] for item in admin["contexts"] if item["name"] == kubectl.info.context)
    config = {
        "clusters": [item for item in admin["clusters"] if item["name"] == context["cluster"]],
        "users": [{"name": "gateway", "user": {"token": kubectl("create", "token", ACCOUNT).strip()}}],
        "contexts": [{"name": "x", "context": {"cluster": context["cluster"], "user": "gateway"}}],
        "current-context": "x",
    }
    (tmp_path / "gateway-kubeconfig").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "gateway-kubeconfig"))
    return rights


@pytest.fixture
def pools(kubectl: Kubectl, login: list[dict[str, Any]]) -> Iterator[KubePools]:
    """The pools of the test's namespace, as the gateway sees them."""
    del login
    pools = KubePools(KubeApi(load_configuration(), "genpool-gateway"), [kubectl.namespace], waits=QUICK)
    pools.start()
    yield pools
    pools.stop()


def test_a_gateway_sees_what_the_operator_makes(
    kubectl: Kubectl,
    rabbitmq: Vhost,
    operator: OperatorProcess,
    login: list[dict[str, Any]],
    pools: KubePools,
) -> None:
    name = f"{kubectl.namespace}/pictures"
    until(lambda: "forbidden" in (pools.trouble() or ""), "the missing right is told")
    with pytest.raises(PoolsUnknown, match="Give the gateway's ServiceAccount the rights"):
        pools.snapshot()
    for right in login:
        kubectl.apply(right)
    until(lambda: pools.trouble() is None, "the pools are known")
    assert pools.snapshot().pools == ()

    kubectl.apply(pool_manifest(rabbitmq.name))
    until(lambda: [pool for pool in pools.snapshot().pools if pool.serving], "the pool serves")
    store = StoreView(state="unknown", message=None, looked_at=None)
    until(
        lambda: pool_view(pools.snapshot().find(name), "", store).scaling.message,
        "the scaler's sentence",
    )
    checked = check_request(pools.snapshot(), {"workflow": "text-to-image", "prompt": "x"}, new_id="n")
    assert (checked.serving.vhost, checked.serving.queue) == (rabbitmq.name, "generation_tasks")

    alias = {"name": "text-to-image", "aliases": ["t2i"], "source": {"builtin": "text-to-image"}}
    kubectl.patch("generationpool", "pictures", {"spec": {"workflows": [alias]}})
    until(lambda: pools.snapshot().serving("t2i"), "the new alias is served")
    (view,) = workflow_views(pools.snapshot())
    assert (view.aliases, view.pools) == (["t2i"], [name])

    kubectl("delete", "generationpool", "pictures", "--wait=true")
    until(lambda: pools.snapshot().pools == (), "the pool is gone")
    assert pools.outdated() is None
    assert operator.process is not None


def test_a_pool_of_the_same_name_is_another_one(
    kubectl: Kubectl,
    rabbitmq: Vhost,
    operator: OperatorProcess,
    login: list[dict[str, Any]],
    pools: KubePools,
) -> None:
    """Until the operator has written its ConfigMap anew it takes no task: the key of a task holds the pool's UID."""
    for right in login:
        kubectl.apply(right)
    kubectl.apply(pool_manifest(rabbitmq.name))
    until(lambda: pools.trouble() is None and pools.snapshot().serving("text-to-image"), "served")
    (before,) = pools.snapshot().pools
    operator.stop()
    kubectl("delete", "generationpool", "pictures", "--cascade=orphan")
    kubectl.apply(pool_manifest(rabbitmq.name))

    def trouble() -> str:
        found = pools.snapshot().pools
        return (found[0].trouble or "") if found and found[0].ref.uid != before.ref.uid else ""

    until(lambda: "is of an earlier pool" in trouble(), "it is told")
    operator.start()
    until(lambda: pools.snapshot().serving("text-to-image"), "served again", 60)
    assert pools.snapshot().pools[0].ref.uid != before.ref.uid
