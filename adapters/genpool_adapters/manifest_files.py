"""Kubernetes' manifests in files: YAML or JSON, several documents in each, lists too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def manifest_files(path: Path) -> list[Path]:
    """The file itself, or those of a folder whose names end as manifests' do. Raises OSError."""
    if not path.is_dir():
        return [path]
    return sorted(
        item for item in path.iterdir() if item.suffix in _SUFFIXES and not item.name.startswith(".")
    )


def manifests_of(path: Path) -> Iterator[JsonObject]:
    """All objects of a file, or of the files of a folder.

    Raises
    ------
    InvalidManifest
        A file is empty, or no YAML.
    OSError
        One cannot be read.
    """
    for item in manifest_files(path):
        raw = item.read_bytes()
        if not raw.strip():
            # Whoever writes a file empties it first, and no pool is gone in that moment.
            raise InvalidManifest(
                f"{item.name} is empty, or is being written: write a pool into it, or delete it."
            )
        try:
            documents = list(yaml.safe_load_all(raw))
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            line = "" if mark is None else f", line {mark.line + 1}"
            raise InvalidManifest(f"{item.name}{line} is not YAML.") from None
        for document in documents:
            if isinstance(document, dict):
                nested = document.get("items") if document.get("kind") == "List" else None
                found = nested if isinstance(nested, list) else [document]
                yield from (body for body in found if isinstance(body, dict))
