"""Which volumes a pool may mount."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_core.errors import InvalidManifest
from genpool_operator.decide.volumes import USUAL_VOLUMES, check_volumes
from unit.operator.pools import make_pool
from unit.operator.world import World


def comfyui(volume: dict[str, Any]) -> dict[str, Any]:
    return {"image": "example/comfyui:1", "models": {"volume": volume}}


@pytest.mark.parametrize(
    "source", ["hostPath", "secret", "projected", "csi", "nfs", "downwardAPI", "configMap", "unheardOf"]
)
def test_a_volume_that_is_not_listed_is_refused_by_name(source: str) -> None:
    for volume in ({source: {}}, {"persistentVolumeClaim": {"claimName": "models"}, source: {}}):
        with pytest.raises(
            InvalidManifest, match=f"is a {source}, which the platform does not allow"
        ) as caught:
            check_volumes(make_pool(comfyui=comfyui(volume)), USUAL_VOLUMES)
        assert caught.value.reason == "VolumeNotAllowed"
    check_volumes(make_pool(comfyui=comfyui({source: {}})), (*USUAL_VOLUMES, source))


@pytest.mark.parametrize("source", USUAL_VOLUMES)
def test_what_is_listed_may_be_mounted(source: str) -> None:
    check_volumes(make_pool(comfyui=comfyui({source: {}})), USUAL_VOLUMES)


def test_a_pool_without_a_volume_has_nothing_to_be_allowed() -> None:
    check_volumes(make_pool(), ())


def test_no_pod_mounts_what_is_not_allowed() -> None:
    world = World()
    world.tasks(3)
    world.put(comfyui=comfyui({"hostPath": {"path": "/"}}))
    world.look()
    (accepted,) = [item for item in world.status.conditions if item.type == "Accepted"]
    assert (accepted.status, accepted.reason) == ("False", "VolumeNotAllowed")
    assert "Deployment" not in {kind for kind, _ in world.cluster.objects}
