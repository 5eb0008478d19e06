"""Pools of files: what manifests mean without a Kubernetes, and files that change, go and break."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_core.errors import InvalidManifest
from genpool_core.identity import pool_uid_of
from genpool_core.workflow.files import MissingFiles, WorkflowFiles
from genpool_gateway.adapters.file_pools import FilePools
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.manifests import pools_of
from support.pool_objects import PEOPLE, TEXT, WORKFLOWS, pool_object

EXAMPLES = WORKFLOWS.parent / "docs" / "examples"
OWN = {"configMap": {"name": "mine", "key": "a.json", "parametersKey": "a.yaml"}}
FILES = WorkflowFiles(
    (WORKFLOWS / TEXT / "template.json").read_text(), (WORKFLOWS / TEXT / "workflow.yaml").read_text()
)
LATE = 20.0


def manifest(name: str = "pictures", *workflows: str, **spec: object) -> dict[str, Any]:
    """As somebody writes it: no UID, no status, no namespace."""
    body = pool_object(name, *workflows, queue=name, **spec)
    return {key: body[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": name}}


def config_map(**fields: object) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, **fields}


def shipped(name: str) -> WorkflowFiles | MissingFiles:
    return FILES if name == TEXT else MissingFiles(f"GenPool ships no workflow {name}.")


# Manifests -----------------------------------------------------------------------------------------------------------


def test_a_pool_without_a_uid_has_one_that_stays() -> None:
    (pool,) = pools_of([manifest(), {"kind": "Secret", "metadata": {"name": "x"}}], shipped).pools
    assert (pool.name, pool.trouble) == ("default/pictures", None)
    assert pool.ref.uid == pool_uid_of("default", "pictures") != pool_uid_of("team", "pictures")
    assert pool.serving is not None
    assert pool.serving.config.pool == pool.ref
    assert pool.serving.catalog.names == TEXT


def test_a_pool_with_a_uid_keeps_it() -> None:
    (pool,) = pools_of([pool_object()], shipped).pools
    assert (pool.name, pool.ref.uid) == ("team/pictures", "uid-team-pictures")


@pytest.mark.parametrize(
    "fields",
    [
        {"data": {"a.json": FILES.template, "a.yaml": FILES.parameters}},
        {
            "data": {"a.json": FILES.template},
            "binaryData": {"a.yaml": base64.b64encode(FILES.parameters.encode("utf-16")).decode()},
        },
    ],
)
def test_a_workflow_in_a_config_map_of_the_files(fields: dict[str, Any]) -> None:
    own = manifest(workflows=[{"name": "mine.json", "source": OWN}])
    (pool,) = pools_of([config_map(**fields), own], shipped).pools
    assert pool.trouble is None
    assert pool.serving is not None
    assert pool.serving.catalog.names == "mine.json"


@pytest.mark.parametrize(
    ("pool", "others", "part"),
    [
        (manifest("pictures", PEOPLE), [], "workflow DDColor人物黑白修复.json: GenPool ships no workflow"),
        (
            manifest(workflows=[{"name": "m", "source": OWN}]),
            [],
            "there is no ConfigMap mine of namespace default",
        ),
        (manifest(workflows=[{"name": "m", "source": OWN}]), [config_map()], "no key a.json; it has no key"),
        (
            manifest(workflows=[{"name": "m", "source": OWN}]),
            [config_map(data={"a.json": "{", "a.yaml": FILES.parameters})],
            "workflow m, template: not JSON",
        ),
        (
            manifest(workflows=[{"name": "m", "source": OWN}]),
            [config_map(data={"a.json": "{}"}, binaryData={"a.yaml": "é"})],
            "key a.yaml of ConfigMap mine is no base64",
        ),
        (manifest(workflows=[]), [], "cannot be read: spec: workflows is empty"),
        (manifest(nonsense=1), [], "cannot be read: spec.nonsense"),
    ],
)
def test_a_pool_that_cannot_work_says_why(
    pool: dict[str, Any], others: list[dict[str, Any]], part: str
) -> None:
    good = manifest("good")
    first, second = pools_of([pool, good, *others], shipped).pools
    assert part in (second.trouble or "")
    assert second.serving is None
    assert first.trouble is None, "its neighbour serves"


@pytest.mark.parametrize(
    ("manifests", "part"),
    [
        ([manifest(), manifest()], "GenerationPool default/pictures is there twice"),
        ([{"kind": "GenerationPool"}], r"GenerationPool \(no name\): metadata.name"),
    ],
)
def test_manifests_that_are_none(manifests: list[dict[str, Any]], part: str) -> None:
    with pytest.raises(InvalidManifest, match=part):
        pools_of(manifests, shipped)


# Files ---------------------------------------------------------------------------------------------------------------


def until(check: Callable[[], object], what: str) -> None:
    ends = time.monotonic() + LATE
    while not check():
        assert time.monotonic() < ends, f"not in time: {what}"
        time.sleep(0.01)


def until_known(pools: FilePools, *names: str) -> None:
    until(lambda: _names(pools) == list(names), f"{names} are known")


def until_told(pools: FilePools, part: str) -> None:
    until(lambda: part in (pools.outdated() or ""), f"{part} is told")


def _names(pools: FilePools) -> list[str] | None:
    try:
        return [pool.ref.name for pool in pools.snapshot().pools if pool.serving is not None]
    except PoolsUnknown:
        return None


@contextmanager
def reading(path: Path) -> Iterator[FilePools]:
    pools = FilePools(path, WORKFLOWS, seconds=0.02)
    assert "has not been read yet" in (pools.trouble() or "")
    pools.start()
    yield pools
    pools.stop()


def test_the_examples() -> None:
    with reading(EXAMPLES) as pools:
        until(lambda: pools.trouble() is None, "read")
        assert [(pool.name, pool.trouble) for pool in pools.snapshot().pools if pool.trouble] == []
        assert {TEXT, PEOPLE} <= set(pools.snapshot().workflow_names)


def test_files_that_change_break_and_come_back(tmp_path: Path) -> None:
    file = tmp_path / "pools.yaml"
    (tmp_path / "notes.txt").write_text("{")
    (tmp_path / ".hidden.yaml").write_text("{")
    file.write_text(yaml.safe_dump(manifest()))
    with reading(tmp_path) as pools:
        until_known(pools, "pictures")
        before = pools.snapshot()
        file.write_text(
            yaml.safe_dump_all([manifest(), {"kind": "List", "items": [manifest("photos", PEOPLE), 5]}])
        )
        until_known(pools, "photos", "pictures")
        assert [pool.ref.name for pool in before.pools] == ["pictures"]
        good = pools.snapshot()
        file.write_text("")
        until_told(pools, "pools.yaml is empty")
        assert pools.snapshot() is good, "a file that is being written is empty for a moment"
        file.write_text("a: [")
        until_told(pools, "pools.yaml, line 1 is not YAML")
        assert pools.snapshot() is good, "what was known stays"
        assert pools.trouble() is None
        file.write_text(yaml.safe_dump_all([manifest(), manifest()]))
        until_told(pools, "is there twice")
        file.unlink()
        (tmp_path / "more.json").write_text('{"kind": "GenerationPool"}')
        until_told(pools, "metadata.name")
        (tmp_path / "more.json").unlink()
        until_known(pools)
        assert pools.outdated() is None


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    file = tmp_path / "pool.yaml"
    with reading(file) as pools:
        until_told(pools, "pool.yaml cannot be read (No such file or directory)")
        with pytest.raises(PoolsUnknown, match="No such file"):
            pools.snapshot()
        file.write_text(yaml.safe_dump(manifest()))
        until_known(pools, "pictures")
        saved = tmp_path / "saved"
        file.rename(saved)
        until_told(pools, "No such file")
        saved.rename(file)
        until(lambda: pools.outdated() is None, "read again")
