"""The pool of ``make try`` is one that can be served."""

from __future__ import annotations

from pathlib import Path

import yaml

from genpool_cli.local.wishes import read_pool
from genpool_dev.trying import manifest


def test_the_pool_of_make_try(tmp_path: Path) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text(yaml.safe_dump(manifest(tmp_path / "results"), allow_unicode=True), encoding="utf-8")
    wanted = read_pool(path)
    assert wanted.pool.spec.storage.s3 is None
    assert [each.name for each in wanted.pool.spec.workflows if each.fallback] == ["text-to-image"]
    assert wanted.pool.spec.worker.previews
