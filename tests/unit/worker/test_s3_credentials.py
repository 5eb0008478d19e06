"""S3 keys of a mounted Secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.credentials import RefreshableCredentials

from genpool_adapters.objectstore.s3 import S3Store
from genpool_core import timing
from genpool_core.errors import StorageError
from genpool_core.workerconfig import S3Config
from support.secret_volume import write_secret

SECRET = "k3y"
CONFIG = S3Config(bucket="bucket", endpoint="http://127.0.0.1:9")


def keys(access: str, secret: str = SECRET) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}


def test_each_link_is_signed_with_the_keys_of_the_moment(tmp_path: Path) -> None:
    write_secret(tmp_path, **keys("FIRST\n"))
    store = S3Store(CONFIG, tmp_path)
    assert "Credential=FIRST%2F" in store.sign("key")
    write_secret(tmp_path, **keys("SECOND"))
    assert "Credential=SECOND%2F" in store.sign("key")


def test_no_other_keys_are_taken_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that names a Secret never works with what the environment or the node happens to have."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "environment")
    store = S3Store(CONFIG, tmp_path)
    with pytest.raises(StorageError, match="Secret needs the keys AWS_ACCESS_KEY_ID and") as caught:
        store.sign("key")
    assert caught.value.reason == "StorageCredentialsMissing"
    with pytest.raises(StorageError, match="Secret needs the keys"):
        store.get("key")
    write_secret(tmp_path, **keys("FILES"))
    assert "Credential=FILES%2F" in store.sign("key")


@pytest.mark.parametrize("wrong", ["A KEY", "A\nKEY", "SCHLÜSSEL", "A\tKEY"])
def test_a_key_that_is_none_is_named_and_not_shown(tmp_path: Path, wrong: str) -> None:
    write_secret(tmp_path, **keys("KEY", wrong))
    with pytest.raises(StorageError, match="AWS_SECRET_ACCESS_KEY has a space") as caught:
        S3Store(CONFIG, tmp_path).sign("key")
    assert wrong not in caught.value.message


@pytest.mark.parametrize(("left", "renewed"), [(-1, True), (1, True), (3600, False)])
def test_a_session_that_signs_lasts_as_long_as_is_said(left: float, *, renewed: bool) -> None:
    """The condition LinkLifetimeKept promises what boto3 does: it signs with no session that has less left."""
    asked: list[str] = []

    def session(key: str, seconds: float) -> dict[str, str]:
        asked.append(key)
        end = datetime.now(UTC) + timedelta(seconds=timing.IDENTITY_LINK_SECONDS + seconds)
        return {"access_key": key, "secret_key": SECRET, "token": "t", "expiry_time": end.isoformat()}

    keys = RefreshableCredentials.create_from_metadata(
        session("FIRST", left), lambda: session("SECOND", 3600), "made-up"
    )
    assert keys.get_frozen_credentials().access_key == ("SECOND" if renewed else "FIRST")
    assert asked == (["FIRST", "SECOND"] if renewed else ["FIRST"])
