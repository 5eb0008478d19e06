"""Takes away what a local GenPool keeps."""

from __future__ import annotations

import shutil

from genpool_cli.errors import CliError
from genpool_cli.local.folder import Folder


def erase(folder: Folder) -> None:
    """Delete what GenPool made below its folder, and nothing else there. Raises CliError."""
    try:
        for path in (folder.secrets, folder.logs, folder.data, folder.work):
            if path.exists():
                shutil.rmtree(path)
        if folder.root.exists() and not any(folder.root.iterdir()):
            folder.root.rmdir()
    except OSError as error:
        raise CliError(
            f"{error.filename} cannot be deleted: {error.strerror}.", reason="Unwritable"
        ) from error
