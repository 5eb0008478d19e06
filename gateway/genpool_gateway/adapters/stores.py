"""The buckets and folders that the gateway may use: for links, uploads, and ends that no worker makes.

From the chart's list and the setting ``GENPOOL_FOLDERS`` alone: a pool's spec names any path.

The gateway reads no Secret of a pool's namespace. A pool whose bucket is not listed keeps the links that its workers
signed, and its waiting tasks cannot be ended here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from genpool_adapters.ledger import Ledger
from genpool_adapters.objectstore.folder import FolderStore
from genpool_adapters.objectstore.s3 import S3Store, StoreFields
from genpool_core.errors import SettingsError
from genpool_core.validation import first_fault
from genpool_core.workerconfig import FolderConfig, S3Config, StoreConfig, WorkerConfig
from genpool_gateway.adapters.linked_folder import LinkedFolder
from genpool_gateway.pools.file_links import FileLinks, folder_id

REASON = "InvalidStoresFile"
#: The keys are not those of the pool's own Secret, which the gateway never reads.
_FIELDS = StoreFields(
    bucket="storage.s3.bucket of the pool and gateway.stores[].bucket", keys="gateway.stores[].existingSecret"
)


class ListedStore(BaseModel):
    """A bucket, and where its keys lie."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, validate_by_name=True)

    endpoint: str | None = None
    """URL of the store as pools name it; AWS when absent."""
    public_endpoint: str | None = None
    """URL of the store in links; the pool's own when absent."""
    bucket: Annotated[str, Field(min_length=3, max_length=63)]
    region: str | None = None
    """The pool's own when absent."""
    credentials_path: Path | None = None
    """Folder with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the gateway's own identity when absent."""


class StoresFile(BaseModel):
    """The file of the chart's ``gateway.stores``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stores: list[ListedStore] = []


class _Clock:
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Stores:
    """Stores by endpoint and bucket, or by path, each made when it is first needed. Used by many threads.

    ``folders``: absolute paths. ``links``: signs links to files in them.
    """

    def __init__(self, listed: Sequence[ListedStore], folders: Sequence[Path], links: FileLinks) -> None:
        self._listed = {(_plain(item.endpoint), item.bucket): item for item in listed}
        self._folders = {folder_id(str(path)): FolderStore(path) for path in folders}
        self._links = links
        self._made: dict[StoreConfig, S3Store | LinkedFolder] = {}
        self._lock = threading.Lock()

    def folder(self, identity: str) -> FolderStore | None:
        """A folder that is listed, by what stands for it in a link."""
        return self._folders.get(identity)

    def of(self, config: StoreConfig) -> S3Store | LinkedFolder | None:
        """The store of a pool; None where it is not listed.

        Raises
        ------
        SettingsError
            It cannot be used as it is set up.
        """
        with self._lock:
            store = self._made.get(config)
            if store is None:
                store = self._bucket(config) if isinstance(config, S3Config) else self._linked(config)
                if store is not None:
                    self._made[config] = store
            return store

    def _bucket(self, s3: S3Config) -> S3Store | None:
        listed = self._listed.get((_plain(s3.endpoint), s3.bucket))
        if listed is None:
            return None
        changes = {
            "public_endpoint": listed.public_endpoint or s3.public_endpoint,
            "region": listed.region or s3.region,
        }
        return S3Store(s3.model_copy(update=changes), listed.credentials_path, fields=_FIELDS)

    def _linked(self, config: FolderConfig) -> LinkedFolder | None:
        return LinkedFolder(config, self._links) if folder_id(config.path) in self._folders else None

    def ledger(self, config: WorkerConfig) -> Ledger | None:
        """The ledger of a pool's tasks; None where its store is not listed. Raises as :meth:`of` does."""
        return self.ledger_at(config.store)

    def ledger_at(self, config: StoreConfig) -> Ledger | None:
        """The ledger that lies there; None where the store is not listed. Raises as :meth:`of` does."""
        store = self.of(config)
        return None if store is None else Ledger(store, config.prefix, _Clock())


def load_stores(path: Path | None, folders: Sequence[Path], links: FileLinks) -> Stores:
    """Read the file; no file lists no bucket.

    Raises
    ------
    SettingsError
        It cannot be read, or a field is wrong; the message names file and field.
    """
    if path is None:
        return Stores((), folders, links)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Stores(StoresFile.model_validate(content or {}).stores, folders, links)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problem = " ".join(str(error).split())
        raise SettingsError(f"the stores file {path} cannot be read: {problem}.", reason=REASON) from None
    except ValidationError as error:
        fault = first_fault(error, whole="the file")
        raise SettingsError(
            f"the stores file {path}: {fault}. Correct it in the chart's values (gateway.stores).",
            reason=REASON,
        ) from None


def _plain(endpoint: str | None) -> str:
    return (endpoint or "").rstrip("/").lower()
