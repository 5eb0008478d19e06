"""Which bucket the gateway may use, and what is told of a list that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from genpool_core.errors import SettingsError, StorageError
from genpool_core.workerconfig import FolderConfig, S3Config
from genpool_gateway.adapters.stores import Stores, load_stores
from genpool_gateway.pools.file_links import FileLinks, folder_id

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
FILE = """
stores:
  - endpoint: http://S3.example:9000/
    publicEndpoint: https://files.example.com
    bucket: results
    credentialsPath: {folder}
"""


def load(path: Path | None, *folders: Path) -> Stores:
    return load_stores(path, folders, FileLinks(lambda: [b"k" * 32], lambda: NOW))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "AWS_ACCESS_KEY_ID").write_text("made-up")
    (tmp_path / "AWS_SECRET_ACCESS_KEY").write_text("made-up-too")
    return tmp_path


def test_a_listed_bucket_is_found_however_its_endpoint_is_written(folder: Path) -> None:
    path = folder / "stores.yaml"
    path.write_text(FILE.format(folder=folder))
    stores = load(path)
    own = S3Config(endpoint="http://s3.example:9000", bucket="results", prefix="a/")
    store = stores.of(own)
    assert store is not None
    assert store is stores.of(own), "it is made once"
    assert store.sign("a/x.png").startswith("https://files.example.com/results/a/x.png?")
    other = own.model_copy(update={"prefix": "b/", "url_ttl_seconds": 60})
    assert "X-Amz-Expires=60&" in str(stores.of(other) and stores.of(other).sign("b/y.png"))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "s3",
    [
        S3Config(endpoint="http://s3.example:9000", bucket="others"),
        S3Config(endpoint="http://other.example:9000", bucket="results"),
        S3Config(bucket="results"),
    ],
)
def test_what_is_not_listed_is_not_used(folder: Path, s3: S3Config) -> None:
    path = folder / "stores.yaml"
    path.write_text(FILE.format(folder=folder))
    assert load(path).of(s3) is None
    assert load(None).of(s3) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stores: [{bucket: x}]", r"stores\.0\.bucket"),
        ("stores: [{bucket: results, secret: y}]", r"stores\.0\.secret"),
        ("- a", "the file"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_wrong_file_is_told_with_its_field(folder: Path, text: str, said: str) -> None:
    path = folder / "stores.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        load(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load(folder / "nothing.yaml")


def test_what_is_wrong_with_the_keys_names_the_charts_field(folder: Path) -> None:
    path = folder / "stores.yaml"
    path.write_text(FILE.format(folder=folder / "nothing"))
    store = load(path).of(S3Config(endpoint="http://s3.example:9000", bucket="results"))
    assert store is not None
    with pytest.raises(StorageError, match=r"gateway\.stores\[\]\.existingSecret: .*/nothing/") as caught:
        store.get("a")
    assert "the bucket results at http://s3.example:9000 was not asked" in caught.value.message
    assert (caught.value.reason, caught.value.refusal) == ("StorageCredentialsMissing", True)


def test_a_folder_is_used_where_the_setting_lists_it(tmp_path: Path) -> None:
    stores = load(None, tmp_path)
    store = stores.of(FolderConfig(path=str(tmp_path)))
    assert store is not None
    assert store is stores.of(FolderConfig(path=str(tmp_path))), "it is made once"
    store.put("a", b"1")
    found = stores.folder(folder_id(str(tmp_path)))
    assert found is not None
    assert found.keys("") == ["a"]
    assert store.sign("a").startswith("/v1/files/")
    for other in (str(tmp_path.parent), str(tmp_path / "b"), f"{tmp_path}b"):
        assert stores.of(FolderConfig(path=other)) is None
        assert stores.folder(folder_id(other)) is None


def test_a_listed_folder_is_found_however_it_is_written(tmp_path: Path) -> None:
    assert load(None, Path(f"{tmp_path}/")).of(FolderConfig(path=str(tmp_path))) is not None
