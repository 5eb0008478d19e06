"""A gateway whose stores are set up wrong says so: its readiness, its pools, the doctor, and who cancels is told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_cli.client import Gateway, direct
from genpool_cli.doctor.gateway import check_gateway
from genpool_cli.reach import Reach
from genpool_core.podlayout import S3_ACCESS_KEY, S3_SECRET_KEY
from integration.broker import Vhost, until
from integration.bucket import Bucket
from integration.gateway.api import Api, pool_manifest, prepare, running
from integration.gateway.conftest import GatewayProcess

SECRET = "a-secret-that-is-wrong"


def _keys(folder: Path, access: str, secret: str) -> str:
    folder.mkdir()
    (folder / S3_ACCESS_KEY).write_text(access)
    (folder / S3_SECRET_KEY).write_text(secret)
    return str(folder)


@pytest.fixture
def api(gateway_process: GatewayProcess, vhost: Vhost, bucket: Bucket, tmp_path: Path) -> Iterator[Api]:
    """A gateway with five pools: one whose keys are wrong, and one of each other kind."""
    s3 = {"endpoint": bucket.endpoint, "bucket": bucket.name, "prefix": f"{vhost.name}/"}
    made = prepare(gateway_process, storage={"type": "S3", "s3": {**s3, "bucket": "wrong-keys"}})
    stores = {
        "right": {"type": "S3", "s3": s3},
        "no-bucket": {"type": "S3", "s3": {**s3, "bucket": "there-is-no-such-bucket"}},
        "no-keys": {"type": "S3", "s3": {**s3, "bucket": "without-keys"}},
        "no-folder": {"type": "Folder", "folder": {"path": str(tmp_path / "nothing")}},
    }
    file = tmp_path / "pool.yaml"
    manifests: list[dict[str, Any]] = [yaml.safe_load(file.read_text())]
    for name, storage in stores.items():
        manifest = pool_manifest(vhost.name, storage=storage, queue={"name": name})
        manifest["metadata"] |= {"name": name, "uid": str(uuid.uuid4())}
        manifests.append(manifest)
    file.write_text(yaml.safe_dump_all(manifests))
    right = _keys(tmp_path / "right", bucket.access_key, bucket.secret_key)
    wrong = _keys(tmp_path / "wrong", bucket.access_key, SECRET)
    keys = {
        bucket.name: right,
        "there-is-no-such-bucket": right,
        "wrong-keys": wrong,
        "without-keys": "/none",
    }
    listed = [
        {"endpoint": bucket.endpoint, "bucket": name, "credentialsPath": path} for name, path in keys.items()
    ]
    (tmp_path / "stores.yaml").write_text(yaml.safe_dump({"stores": listed}))
    gateway_process.environment |= {
        "GENPOOL_STORES_FILE": str(tmp_path / "stores.yaml"),
        "GENPOOL_FOLDERS": str(tmp_path / "nothing"),
    }
    with running(made):
        yield made


def test_a_store_that_refuses_the_gateway_is_told_to_people(api: Api, bucket: Bucket, tmp_path: Path) -> None:
    def looked() -> dict[str, Any] | None:
        pools = {
            pool["name"].partition("/")[2]: pool for pool in api.call("GET", "/v1/pools").json()["pools"]
        }
        return pools if all(pool["store"]["looked_at"] for pool in pools.values()) else None

    pools = until(looked, "a look at each store")
    assert pools["right"]["store"]["state"] == "works"
    assert pools["right"]["links"] == "signed when they are given out, valid for 86400 s."
    assert bucket.client().list_objects_v2(Bucket=bucket.name, Prefix=api.process.vhost.name)["KeyCount"] == 0
    wanted = {
        "text": (f"bucket wrong-keys at {bucket.endpoint}", "refused (SignatureDoesNotMatch)"),
        "no-bucket": (f"bucket there-is-no-such-bucket at {bucket.endpoint}", "refused (NoSuchBucket)"),
        "no-keys": (
            "bucket without-keys",
            "existingSecret: /none/AWS_ACCESS_KEY_ID cannot be read",
        ),
        "no-folder": (f"folder {tmp_path}/nothing", "does not exist: make it, or mount the disk"),
    }
    remark = api.process.get("/readyz")
    assert remark.status_code == 200, "the API can answer"
    reach = Reach()
    reach.__dict__["gateway"] = Gateway(direct(api.url, api.key))
    found = {each.what: each for each in check_gateway(reach) if each.state == "wrong"}
    for name, parts in wanted.items():
        store = pools[name]["store"]
        assert store["state"] == "refused"
        for part in parts:
            assert part in store["message"]
            assert part in pools[name]["links"]
        assert found.pop(f"store of pool art/{name}").message == store["message"]
    assert "correct the Secret in gateway.stores[].existingSecret" in pools["text"]["store"]["message"]
    told = [name for name in wanted if pools[name]["store"]["message"] in remark.text]
    assert len(told) == 3
    assert "And 1 more: see store in GET /v1/pools." in remark.text
    assert not [each for each in found if each.startswith("store of")], "the right one is no finding"

    task = api.submit()
    refused = api.call("POST", f"/v1/tasks/{task['id']}/cancel")
    assert (refused.status_code, refused.json()["reason"]) == (409, "StoreRefused")
    assert "SignatureDoesNotMatch" in refused.json()["detail"]
    assert api.task(task["id"])["status"] == "queued"
    for text in (remark.text, refused.text, str(pools), api.process.log):
        assert SECRET not in text
        assert bucket.secret_key not in text
