"""What is built again, and what is not: keys of binaries and images."""

from __future__ import annotations

from pathlib import Path

import pytest

from genpool_dev.cluster.artifacts import catalog, golang, hashing
from genpool_dev.cluster.artifacts.catalog import Component

CHANGES = [
    ("a file's content", [("a", b"1"), ("b", b"3")]),
    ("a file's name", [("a", b"1"), ("c", b"2")]),
    ("a file more", [("a", b"1"), ("b", b"2"), ("c", b"")]),
    ("a byte that moves from one file to the next", [("a", b"12"), ("b", b"")]),
    ("a byte that moves from content to name", [("a1", b""), ("b", b"2")]),
]


@pytest.mark.parametrize(("what", "parts"), CHANGES, ids=[what for what, _ in CHANGES])
def test_a_key_changes_with(what: str, parts: list[tuple[str, bytes]]) -> None:
    assert hashing.key(parts) != hashing.key([("a", b"1"), ("b", b"2")]), what


def test_a_key_does_not_depend_on_the_order_of_its_parts() -> None:
    assert hashing.key([("a", b"1"), ("b", b"2")]) == hashing.key([("b", b"2"), ("a", b"1")])


def _checkout(root: Path) -> Path:
    for name, text in {
        "images/Dockerfile": "FROM x",
        "requirements/worker.txt": "pika==1",
        "core/genpool_core/a.py": "a = 1",
        "core/genpool_core/__pycache__/a.pyc": "x",
        "operator/other.py": "o = 1",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


WORKER = Component("worker", ("core/genpool_core",))


@pytest.mark.parametrize(
    ("file", "rebuilt"),
    [
        ("images/Dockerfile", True),
        ("requirements/worker.txt", True),
        ("core/genpool_core/a.py", True),
        ("core/genpool_core/new.py", True),
        ("core/genpool_core/__pycache__/a.pyc", False),
        ("operator/other.py", False),
    ],
)
def test_an_image_is_built_again_when_a_file_of_it_changes(
    tmp_path: Path, file: str, *, rebuilt: bool
) -> None:
    root = _checkout(tmp_path)
    before = catalog.component_name(WORKER, "base:1", root)
    (root / file).write_text("changed")
    assert (catalog.component_name(WORKER, "base:1", root) != before) is rebuilt


def test_an_image_is_built_again_on_another_base(tmp_path: Path) -> None:
    root = _checkout(tmp_path)
    names = {catalog.component_name(WORKER, base, root) for base in ("base:1", "base:2")}
    assert len(names) == 2


def test_a_snapshot_has_the_key_of_what_it_was_made_from(tmp_path: Path) -> None:
    root = _checkout(tmp_path / "checkout")
    catalog.snapshot(WORKER, tmp_path / "copy", root)
    copied = catalog.component_name(WORKER, "base:1", tmp_path / "copy")
    assert copied == catalog.component_name(WORKER, "base:1", root)
    assert not (tmp_path / "copy" / "operator").exists()
    assert not list((tmp_path / "copy").rglob("__pycache__"))


def test_every_image_names_files_that_the_checkout_has() -> None:
    names = catalog.component_names("base:1")
    assert sorted(names) == ["comfyui-standin", "gateway", "operator", "worker"]
    for image in (*catalog.SUPPORT, catalog.PYTHON_BASE):
        assert catalog.support_name(image).startswith(f"localhost/genpool/{image.name}:")


def test_the_gpu_image_carries_no_operator() -> None:
    worker = next(each for each in catalog.COMPONENTS if each.name == "worker")
    assert "worker/genpool_worker" in worker.sources
    assert not [source for source in worker.sources if "operator" in source or "gateway" in source]


def test_a_binary_is_built_again_when_its_module_or_a_flag_changes(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    module = tmp_path / "tools" / "go.mod"
    module.write_text("module a")
    binary = golang.Binary("helm", "tools", "example.org/helm")
    keys = {golang.binary_key(binary, tmp_path)}
    flagged = golang.Binary("helm", "tools", "example.org/helm", variables=("v=1",))
    keys.add(golang.binary_key(flagged, tmp_path))
    module.write_text("module b")
    keys.add(golang.binary_key(binary, tmp_path))
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26)),
        ("go version go1.27rc1 linux/arm64", (1, 27)),
        ("go version devel +abc", None),
    ],
)
def test_a_go_version_is_read(said: str, version: tuple[int, int] | None) -> None:
    assert golang.parse_version(said) == version
