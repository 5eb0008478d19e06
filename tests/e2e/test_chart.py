"""The chart: lint, install (every other test), upgrade, uninstall."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from e2e.lab import Lab
from e2e.manifests import POOL, task
from e2e.results import succeeded
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.stack import layout
from genpool_dev.stack.install import CHART, Stack, chart_values
from genpool_dev.stack.uninstall import CRD
from support.waiting import wait_until

SYSTEM = f"--namespace={layout.SYSTEM_NAMESPACE}"
RELEASE = f"--selector=app.kubernetes.io/instance={layout.RELEASE}"
CLUSTER_KINDS = (
    "clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations"
)
KINDS = "deployments,statefulsets,jobs,pods,services,configmaps,secrets,serviceaccounts,roles,rolebindings"


@pytest.mark.parametrize("own_values", [False, True], ids=["default values", "values of a user"])
def test_helm_lint_is_clean(stack: Stack, *, own_values: bool) -> None:
    values = chart_values(stack.info) if own_values else {}
    done = _helm(stack.info, "lint", str(CHART), "--strict", "--values=-", stdin=yaml.safe_dump(values))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout
    assert "[ERROR]" not in done.stdout


def test_a_wrong_value_is_refused_by_its_name(stack: Stack) -> None:
    values = yaml.safe_dump({**chart_values(stack.info), "operatr": {}})
    done = _helm(stack.info, "template", "genpool", str(CHART), "--values=-", stdin=values)
    assert done.returncode != 0
    assert "operatr" in done.stderr


@pytest.mark.alone
def test_an_upgrade_rolls_the_operator_and_leaves_pools_and_pods(lab: Lab) -> None:
    with lab.warm() as scene:
        (pod,) = scene.wait_ready_pods(1)
        pool, operator = scene.pool(), _operator_pods(lab)
        assert operator
        changed = ["--set=operator.podAnnotations.example\\.com/reason=e2e"]
        lab.helm.run("upgrade", layout.RELEASE, str(CHART), "--reuse-values", "--wait", *changed, timeout=180)
        wait_until(
            lambda: _operator_pods(lab),
            lambda now: now and not now & operator,
            "the operator's pods to be other ones",
            seconds=60,
        )
        scene.send(task("after-the-upgrade"))
        succeeded(scene, scene.wait_ends("after-the-upgrade")["after-the-upgrade"])
        (still,) = scene.wait_ready_pods(1)
        assert still["metadata"]["uid"] == pod["metadata"]["uid"]
        assert scene.pool()["metadata"]["uid"] == pool["metadata"]["uid"]
        assert scene.pool()["metadata"]["generation"] == pool["metadata"]["generation"]
        assert scene.replicas_seen() == [0, 1]


@pytest.mark.last
def test_uninstall_takes_all_but_the_crd_and_the_pools(lab: Lab) -> None:
    with lab.warm() as scene:
        lab.helm.uninstall(layout.RELEASE)
        assert lab.helm.find(layout.RELEASE) is None
        wait_until(lambda: _left_of_release(lab), lambda left: not left, "the release to be gone", seconds=60)
        assert lab.kubectl.find("crd", CRD) is not None
        (pool,) = lab.kubectl.get("gp", f"--namespace={scene.place}")["items"]
        assert pool["metadata"].get("finalizers", []) == []


@pytest.mark.last
def test_pools_can_be_deleted_without_the_operator(lab: Lab) -> None:
    with lab.warm() as scene:
        scene.kubectl("delete", "gp", POOL, "--timeout=30s")
        here = f"--namespace={scene.place}"
        wait_until(
            lambda: lab.kubectl.get("deployments,pods", here)["items"],
            lambda items: not items,
            "what belonged to the pool to be gone with it",
            seconds=60,
        )
        selector = "--selector=app.kubernetes.io/managed-by=genpool-operator"
        wait_until(
            lambda: lab.kubectl.get("configmaps,secrets,poddisruptionbudgets", here, selector)["items"],
            lambda items: not items,
            "the pool's ConfigMap and Secret to be gone with it",
            seconds=60,
        )


@pytest.mark.last
def test_every_namespace_can_be_deleted(lab: Lab) -> None:
    # The deletion of a test's own may have begun before.
    places = (*lab.places(), layout.SYSTEM_NAMESPACE)
    words = ("delete", "namespace", *places, "--timeout=120s", "--ignore-not-found")
    lab.kubectl.run(*words, timeout=130)
    assert lab.places() == []


def _operator_pods(lab: Lab) -> set[str]:
    """Uids of the operator's pods that are not ending."""
    pods = lab.kubectl.get("pods", SYSTEM, f"{RELEASE},app.kubernetes.io/component=operator")["items"]
    return {pod["metadata"]["uid"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def _left_of_release(lab: Lab) -> list[str]:
    words = ((KINDS, SYSTEM), (CLUSTER_KINDS,))
    items = [item for each in words for item in lab.kubectl.get(*each, RELEASE)["items"]]
    return [f"{item['kind']}/{item['metadata']['name']}" for item in items]


def _helm(info: ClusterInfo, *words: str, stdin: str) -> subprocess.CompletedProcess[str]:
    """Helm without a cluster."""
    command = [str(info.helm), *words]
    return subprocess.run(command, input=stdin, check=False, capture_output=True, text=True, timeout=60)
