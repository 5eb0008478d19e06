"""The node that looks for secrets: a test that relies on it means nothing where it sees nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from genpool_dev.comfyui.catalog import DEFAULT_CHECKPOINTS, build_catalog
from genpool_dev.comfyui.looking import look


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with one secret in each place that a node may find it in."""
    for number, place in enumerate(
        ("run/genpool/s3", "etc", "proc/7", "proc/8/root/run/genpool", "tmp/deep/er")
    ):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / ("environ" if place == "proc/7" else "key")).write_text(f"secret-{number}")
    (tmp_path / "secret-at-the-top").write_text("secret-5")
    os.mkfifo(tmp_path / "tmp" / "pipe")
    (tmp_path / "tmp" / "bytes").write_bytes(b"\xff\x00secret-6\xff")
    return tmp_path


@pytest.mark.timeout(20)
def test_it_finds_what_there_is(root: Path) -> None:
    seen = look(root)
    assert [number for number in range(7) if f"secret-{number}" not in seen] == []


def test_it_is_there_on_request_only() -> None:
    assert "StandinLook" not in build_catalog(DEFAULT_CHECKPOINTS, "ddcolor")
    assert "StandinLook" in build_catalog(DEFAULT_CHECKPOINTS, "ddcolor", looking=True)
