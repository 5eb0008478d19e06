"""The suite of every object store against a real bucket."""

from __future__ import annotations

import pytest

from genpool_adapters.objectstore.s3 import S3Store
from genpool_core.workerconfig import S3Config
from integration.bucket import Bucket
from support.object_store_contract import ObjectStoreContract


@pytest.fixture
def store(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", bucket.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", bucket.secret_key)
    return S3Store(S3Config(endpoint=bucket.endpoint, bucket=bucket.name))


class TestBucket(ObjectStoreContract):
    """The same as of a folder."""
