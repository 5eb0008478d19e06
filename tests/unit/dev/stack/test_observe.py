from typing import Any

from genpool_core import names
from genpool_dev.stack import observe
from genpool_dev.stack.observe import DeploymentReading


def pool(name: str, **status: object) -> dict[str, Any]:
    return {"kind": "GenerationPool", "metadata": {"name": name, "uid": f"uid-{name}"}, "status": status}


def deployment(name: str, wanted: int, **status: object) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": names.deployment(name)},
        "spec": {"replicas": wanted},
        "status": status,
    }


def pod(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": name, "labels": {**labels, "pod-template-hash": "x"}}}


def test_pods_belong_to_the_pool_whose_labels_they_carry() -> None:
    items = [
        pool("text", busyReplicas=1),
        pool("photo"),
        pool("other"),
        deployment("text", 2, replicas=2, readyReplicas=1),
        pod("a", names.pool_selector("text")),
        pod("b", names.pool_selector("text")),
        pod("c", names.pool_selector("photo")),
        {"kind": "Pod", "metadata": {"name": "somebody-elses"}},
    ]
    found = observe.parse(items, ["text", "photo"])
    assert found.keys() == {"text", "photo"}
    assert found["text"].pods == ("a", "b")
    assert found["text"].deployment == DeploymentReading(wanted=2, replicas=2, ready_replicas=1)
    assert found["text"].status.busy_replicas == 1
    assert found["photo"].pods == ("c",)
    assert found["photo"].deployment is None


def test_figures_that_the_server_leaves_out_of_a_deployment_are_zero() -> None:
    found = observe.parse([pool("text"), deployment("text", 0)], ["text"])
    assert found["text"].deployment == DeploymentReading(wanted=0, replicas=0, ready_replicas=0)
