"""What the doctor says of a folder of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from genpool_cli.doctor.storage import check_storage
from genpool_core.api.storage import StorageSpec


@pytest.mark.parametrize(
    ("path", "state", "message"),
    [
        ("there", "ok", "can be written, and its exclusive create is atomic"),
        ("not-yet", "warn", "genpool local up makes it"),
        ("no-disk/results", "wrong", "mount its disk"),
        ("file", "wrong", "is no folder"),
    ],
)
def test_a_folder(tmp_path: Path, path: str, state: str, message: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    spec = StorageSpec.model_validate({"type": "Folder", "folder": {"path": str(tmp_path / path)}})
    (found,) = check_storage(spec)
    assert (found.what, found.state) == ("folder", state)
    assert message in found.message
    assert list((tmp_path / "there").rglob("*.json")) == []
