"""What an end record tells that only a cluster knows: which image ComfyUI's container ran, and on which pod."""

from __future__ import annotations

import pytest

from e2e.lab import Lab
from e2e.manifests import task
from e2e.results import succeeded
from e2e.scenes import Manifest, pod_name
from genpool_core import names
from genpool_core.image_digest import digest_in
from genpool_core.podlayout import COMFYUI_CONTAINER, IMAGE_DIGEST_FILE, POD_FOLDER
from support.waiting import wait_until


@pytest.mark.together(seconds=45)
def test_the_image_that_ran_is_recorded(lab: Lab) -> None:
    with lab.scene("image-digest", scaling={"mode": "Pinned", "replicas": 1}) as scene:
        scene.apply()
        (pod,) = scene.wait_ready_pods(1)
        name = pod_name(pod)
        (image,) = [
            item["image"] for item in pod["spec"]["initContainers"] if item["name"] == COMFYUI_CONTAINER
        ]
        told = wait_until(
            lambda: _told(scene.pods()), bool, "image-digest: the operator to tell the digest", seconds=60
        )
        assert told == digest_in(_image_id(scene.pods()[0]))
        file = f"{POD_FOLDER}/{IMAGE_DIGEST_FILE}"
        wait_until(
            lambda: lab.kubectl.run(
                "exec", f"--namespace={scene.place}", name, "--container=worker", "--", "cat", file
            ),
            lambda text: text.strip() == told,
            "image-digest: the worker to see it",
            seconds=120,
        )
        scene.send(task("told"))
        end = succeeded(scene, scene.wait_ends("told")["told"])
        assert (end.comfyui_image, end.image_digest, end.worker) == (image, told, name)
        assert end.comfyui_version
        assert [(item.worker, item.outcome) for item in end.attempts] == [(name, "succeeded")]


def _told(pods: list[Manifest]) -> str | None:
    found = [pod["metadata"].get("annotations", {}).get(names.ANNOTATION_IMAGE_DIGEST) for pod in pods]
    return found[0] if found else None


def _image_id(pod: Manifest) -> str:
    statuses = pod["status"]["initContainerStatuses"]
    return next(str(item["imageID"]) for item in statuses if item["name"] == COMFYUI_CONTAINER)
