"""Which kind of storage a pool on Kubernetes may have."""

from __future__ import annotations

from genpool_core.api.pool import GenerationPool
from genpool_core.errors import InvalidManifest

REASON = "FolderStorage"
_MESSAGE = (
    "storage.type Folder is for genpool local on one machine: pods on several nodes do not see one folder. Give "
    "storage.type S3 and the block s3 with a bucket."
)


def refused_storage(pool: GenerationPool) -> InvalidManifest | None:
    """Why nothing is created for the pool; None where its storage can be used."""
    return InvalidManifest(_MESSAGE, reason=REASON) if pool.spec.storage.type == "Folder" else None
