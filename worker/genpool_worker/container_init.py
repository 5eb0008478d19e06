"""Copies the init under which ComfyUI runs to a volume: ``python -m genpool_worker.container_init FOLDER``.

Kubernetes sends SIGTERM to a container's first process, and a first process without a handler ignores it: so does
ComfyUI. The pod's init container runs this, and ComfyUI's container starts the copy, which comes with the worker's
packages: the images of ComfyUI that people have need none of their own.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path

from genpool_core.podlayout import INIT_NAME

_EXECUTABLE = 0o755


def install(folder: Path) -> Path:
    """Copy the init into ``folder``, also where an older copy is running; its path there.

    Raises
    ------
    OSError
        The package dumb-init is not installed, or the folder cannot be written.
    """
    source = Path(sysconfig.get_path("scripts")) / INIT_NAME
    target, part = folder / INIT_NAME, folder / f"{INIT_NAME}.part"
    shutil.copyfile(source, part)
    part.chmod(_EXECUTABLE)
    return part.replace(target)


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1]))
    except OSError as error:
        sys.exit(
            f"The init for ComfyUI's container was not copied: {error}. Use the worker image of this release."
        )
