"""The stand-in's image holds aiohttp and Pillow and nothing else of ours."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import genpool_dev.comfyui

ALLOWED = sys.stdlib_module_names | {"aiohttp", "PIL"}


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield str(node.module)


def test_the_package_stands_alone() -> None:
    files = list(Path(genpool_dev.comfyui.__path__[0]).rglob("*.py"))
    assert files
    foreign = {
        (path.name, name)
        for path in files
        for name in _imported(path)
        if name.split(".")[0] not in ALLOWED and not name.startswith("genpool_dev.comfyui")
    }
    assert not foreign
