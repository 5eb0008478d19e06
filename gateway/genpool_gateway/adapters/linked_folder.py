"""A pool's folder with links that the gateway signs."""

from __future__ import annotations

from pathlib import Path

from genpool_adapters.objectstore.folder import FolderStore
from genpool_core.workerconfig import FolderConfig
from genpool_gateway.pools.file_links import FileLinks, Grant, folder_id


class LinkedFolder(FolderStore):
    """A folder that the gateway may use. Used by many threads."""

    def __init__(self, config: FolderConfig, links: FileLinks) -> None:
        super().__init__(Path(config.path))
        self._id = folder_id(config.path)
        self._ttl = config.url_ttl_seconds
        self._links = links

    def sign(self, key: str, *, save_as: str | None = None) -> str:
        """A link that is valid as long as the pool says. ``save_as``: a browser saves it so. Raises SettingsError."""
        expires = self._links.expiry(self._ttl)
        return self._links.make(
            Grant(method="GET", folder=self._id, key=key, expires=expires, save_as=save_as or "")
        )

    def sign_put(self, key: str, content_type: str, size: int, seconds: float) -> str:
        """A link by which one file of exactly this size and type may be put. Raises SettingsError."""
        return self._links.make(
            Grant(
                method="PUT",
                folder=self._id,
                key=key,
                expires=self._links.expiry(seconds),
                content_type=content_type,
                size=size,
            )
        )
