"""Files of folders, for those who have a link."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from dataclasses import dataclass

from genpool_adapters.objectstore.folder import FolderStore, OpenFile
from genpool_gateway.pools.file_links import FileLinks, Grant, LinkRefused

#: What a browser shows and never runs; all else is saved.
SHOWN = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "image/bmp"})
_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True)
class ServedFile:
    """A file that is open; whoever has it closes its descriptor."""

    file: OpenFile
    name: str
    """Under which a browser saves it."""
    content_type: str
    is_shown: bool
    """Whether a browser may show it on its own."""


@dataclass(frozen=True)
class LinkedFiles:
    """Used by many threads. ``folder``: one that the gateway may use, by its id; None where it may not."""

    links: FileLinks
    folder: Callable[[str], FolderStore | None]

    def open(self, token: str) -> ServedFile | None:
        """The file of a link; None where it was deleted. Raises LinkRefused, StorageError, SettingsError."""
        grant = self.links.read(token, "GET")
        file = self._folder(grant).open(grant.key)
        if file is None:
            return None
        name = grant.key.rpartition("/")[2]
        content_type = mimetypes.guess_type(name)[0] or _UNKNOWN
        return ServedFile(
            file, grant.save_as or name, content_type, content_type in SHOWN and not grant.save_as
        )

    def place(self, token: str) -> tuple[Grant, FolderStore]:
        """Where the file of an upload goes. Raises LinkRefused, SettingsError."""
        grant = self.links.read(token, "PUT")
        return grant, self._folder(grant)

    def _folder(self, grant: Grant) -> FolderStore:
        folder = self.folder(grant.folder)
        if folder is None:
            raise LinkRefused("the link's folder is none that this gateway may use now (GENPOOL_FOLDERS).")
        return folder
