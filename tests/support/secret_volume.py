"""A folder as the kubelet makes it of a Secret: real files behind a link that is moved as a whole."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path


def write_secret(folder: Path, **values: str) -> None:
    """Put a version into the folder, or another in the place of the last one, as the kubelet's AtomicWriter does."""
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "..data"
    old = link.resolve() if link.exists() else None
    version = Path(tempfile.mkdtemp(prefix="..2026_", dir=folder))
    for key, value in values.items():
        (version / key).write_text(value, encoding="utf-8", newline="")
    moved = folder / "..data_tmp"
    moved.symlink_to(version.name)
    moved.replace(link)
    for key in values:
        if not (folder / key).is_symlink():
            (folder / key).symlink_to(Path("..data") / key)
    if old is not None:
        shutil.rmtree(old)
