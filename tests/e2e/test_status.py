"""The status is true on real pods: what a worker waits for is told, and what Kubernetes refuses starts no pod."""

from __future__ import annotations

import pytest

from e2e.lab import Lab
from e2e.manifests import task
from e2e.results import succeeded
from e2e.scenes import START_SECONDS, Manifest
from genpool_core import conditions
from support.waiting import wait_until

STATUS_SECONDS = 60
#: From a Secret's correction to True. The kubelet alone takes up to a minute until the files of a volume are new.
CORRECTED_SECONDS = 120
#: The kubelet measures volumes every ten seconds, and needs some rounds.
EVICTED_SECONDS = 240


@pytest.mark.together(seconds=100)
def test_wrong_s3_keys_are_told_with_the_buckets_name(lab: Lab) -> None:
    with lab.scene("wrong-keys", storage={"s3": {"credentials": {"name": "wrong-keys"}}}) as scene:
        keys = ("--from-literal=AWS_ACCESS_KEY_ID=nobody", "--from-literal=AWS_SECRET_ACCESS_KEY=made-up")
        scene.kubectl("create", "secret", "generic", "wrong-keys", *keys)
        scene.apply()
        scene.send(task("waits"))
        wait_until(scene.pods, bool, f"{scene.place}: a pod", seconds=STATUS_SECONDS)
        told = wait_until(
            lambda: condition(scene.pool(), conditions.READY),
            lambda found: found.get("status") == "False",
            f"{scene.place}: Ready False",
            seconds=START_SECONDS,
        )
        assert told["reason"] == "StorageUnavailable"
        assert f"the bucket {scene.manifest()['spec']['storage']['s3']['bucket']} at " in told["message"]
        assert "made-up" not in told["message"]

        s3 = lab.info.s3
        right = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
        of = {"name": "wrong-keys", "namespace": scene.place}
        lab.kubectl.apply_plain({"apiVersion": "v1", "kind": "Secret", "metadata": of, "stringData": right})
        wait_until(
            lambda: condition(scene.pool(), conditions.READY),
            lambda found: found.get("status") == "True",
            f"{scene.place}: Ready True after the correction, with the pool and its pods left alone",
            seconds=CORRECTED_SECONDS,
        )
        assert succeeded(scene, scene.wait_ends("waits")["waits"]).attempt == 1


@pytest.mark.together(seconds=60)
def test_a_pod_that_the_kubelet_evicts_is_told_with_its_reason(lab: Lab) -> None:
    """ComfyUI writes more than its scratch volume may hold."""
    fill = "import time; open('/scratch/output/x', 'wb').write(bytes(64 << 20)); time.sleep(3600)"
    comfyui = {"command": ["python3", "-c", fill], "scratchSize": "1Mi"}
    with lab.scene("evicted", comfyui=comfyui, scaling={"mode": "Pinned", "replicas": 1}) as scene:
        scene.apply()
        told = wait_until(
            lambda: condition(scene.pool(), conditions.WORKERS_READY),
            lambda found: found.get("reason") == "Evicted",
            f"{scene.place}: WorkersReady says that a pod was evicted",
            seconds=EVICTED_SECONDS,
        )
        assert told["status"] == "False"
        assert 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ' in told["message"]
        assert "raise comfyui.scratchSize" in told["message"]


def condition(pool: Manifest, kind: str) -> Manifest:
    """A condition; empty while there is none."""
    found = pool.get("status", {}).get("conditions", [])
    return next((item for item in found if item["type"] == kind), {})
