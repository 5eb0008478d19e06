"""What is seen of this machine before a provider is chosen, with a docker that does as it is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from genpool_dev.cluster.providers import looking
from genpool_dev.cluster.settings import ClusterSettings

#: Its registry has what its second line says; the others it would wait for.
DOCKER = """#!/bin/sh
case "$1 $2" in
  "info ") exit 0 ;;
  "container ls") exit 0 ;;
  "image inspect") case "$5" in python:*) exit 0 ;; esac; exit 1 ;;
  "manifest inspect") case "$3" in rabbitmq:*|versity/*) exit 0 ;; esac; exec sleep 60 ;;
esac
exit 1
"""


@pytest.fixture(autouse=True)
def _path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("docker", "kind"):
        (tmp_path / name).write_text(DOCKER)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(looking, "PULL_SECONDS", 0.5)


def test_an_image_that_is_neither_here_nor_to_be_had_is_named_in_seconds() -> None:
    began = time.monotonic()
    seen = looking.look(ClusterSettings())
    assert time.monotonic() - began < 10
    assert (seen.docker, seen.kind) == (True, True)
    assert seen.missing_images == (looking.NODE_IMAGE,)


def test_without_an_engine_no_registry_is_asked(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text('#!/bin/sh\n[ "$1" = info ] && exit 1\nexec sleep 60\n')
    seen = looking.look(ClusterSettings())
    assert not seen.docker
    assert seen.missing_images == ()
