"""What ComfyUI's image was: read from its pod, told to its worker by an annotation, and no more than once."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_core import names
from genpool_core.errors import ClusterError
from genpool_core.podlayout import IMAGE_DIGEST_FILE, POD_FOLDER
from genpool_operator.decide.image_digests import image_digests
from genpool_operator.decide.manifests import build_deployment
from genpool_operator.decide.objects import parse_pod
from unit.operator.pools import SETTINGS, make_pool, pod
from unit.operator.world import POD_LABELS, World

OLD, NEW = f"sha256:{'0a' * 32}", f"sha256:{'1b' * 32}"


@pytest.fixture
def world() -> World:
    world = World()
    world.tasks(0)
    world.put()
    return world


def body(name: str, image_id: object, *, told: str | None = None) -> dict[str, Any]:
    annotations = {} if told is None else {names.ANNOTATION_IMAGE_DIGEST: told}
    return {
        "metadata": {
            "name": name,
            "namespace": "team",
            "labels": POD_LABELS,
            "annotations": annotations,
            "resourceVersion": "1",
        },
        "status": {
            "initContainerStatuses": [
                {"name": "init", "imageID": f"worker@{OLD}"},
                {"name": "comfyui", "imageID": image_id},
            ]
        },
    }


@pytest.mark.parametrize(
    ("image_id", "digest"),
    [
        (f"registry.example/comfyui@{NEW}", NEW),
        (f"docker-pullable://comfyui@{NEW}", NEW),
        (NEW, NEW),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_what_the_node_says(image_id: object, digest: str | None) -> None:
    assert parse_pod(body("a", image_id)).image_digest == digest


def test_only_what_is_news_is_written() -> None:
    pods = [
        pod("new", image_digest=NEW),
        pod("known", image_digest=NEW, told_image_digest=NEW),
        pod("changed", image_digest=NEW, told_image_digest=OLD),
        pod("pulling"),
        pod("leaving", image_digest=NEW, terminating=True),
        pod("evicted", image_digest=NEW, finished=True),
    ]
    assert image_digests(pods) == {"new": NEW, "changed": NEW}


def test_a_quick_look_tells_the_worker(world: World) -> None:
    world.look()
    world.store.put_pod(body("a", f"comfyui@{NEW}"))
    world.look(full=False)
    assert world.cluster.digests == {"a": NEW}
    world.store.put_pod(body("a", f"comfyui@{NEW}", told=NEW))
    world.look(full=False)
    assert world.cluster.calls.count("digest a") == 1


def test_an_annotation_that_cannot_be_written_stops_nothing(world: World) -> None:
    world.look()
    world.store.put_pod(body("a", f"comfyui@{NEW}"))
    world.cluster.fail["digest"] = [ClusterError("no", status=403)]
    world.look(full=False)
    assert not world.cluster.digests
    world.look(full=False)
    assert world.cluster.digests == {"a": NEW}


def test_the_worker_reads_it_as_a_file() -> None:
    deployment: Any = build_deployment(make_pool(), SETTINGS, "x")
    spec = deployment["spec"]["template"]["spec"]
    (volume,) = [item for item in spec["volumes"] if "downwardAPI" in item]
    (item,) = volume["downwardAPI"]["items"]
    assert item["path"] == IMAGE_DIGEST_FILE
    assert item["fieldRef"] == {"fieldPath": f"metadata.annotations['{names.ANNOTATION_IMAGE_DIGEST}']"}
    (worker,) = spec["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in worker["volumeMounts"]}
    assert mounts[volume["name"]] == POD_FOLDER
