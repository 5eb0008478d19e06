"""The cache's OCI image layout: all images of the local cluster, with shared layers kept once."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

REFERENCE = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"
"""containerd takes the full name of an imported image from this annotation."""

Json = dict[str, Any]


def read_index(layout: Path) -> list[Json]:
    """Return the manifests' descriptors of a layout; none where there is no layout yet."""
    path = layout / "index.json"
    if not path.exists():
        return []
    manifests: list[Json] = json.loads(path.read_text())["manifests"]
    return manifests


def names(layout: Path) -> set[str]:
    """Return the full names of the images that a layout has."""
    return {str(_name(each)) for each in read_index(layout)}


def _name(descriptor: Json) -> str | None:
    name: str | None = descriptor.get("annotations", {}).get(REFERENCE)
    return name


def blobs_of(layout: Path, descriptor: Json) -> Iterator[str]:
    """Yield the digests of an image: manifest, configuration, layers."""
    yield str(descriptor["digest"])
    manifest = json.loads(_blob(layout, descriptor["digest"]).read_text())
    yield str(manifest["config"]["digest"])
    yield from (str(layer["digest"]) for layer in manifest["layers"])


def _blob(layout: Path, digest: str) -> Path:
    algorithm, _, value = digest.partition(":")
    return layout / "blobs" / algorithm / value


def stream(layout: Path, wanted: Iterable[str], to: IO[bytes]) -> None:
    """Write the ``wanted`` images as one tar archive of a layout, each blob once.

    Raises :class:`KeyError` for a name that the layout does not have.
    """
    by_name = {_name(each): each for each in read_index(layout)}
    chosen = [by_name[name] | {"annotations": {CONTAINERD_NAME: name, REFERENCE: name}} for name in wanted]
    index = json.dumps({"schemaVersion": 2, "manifests": chosen}).encode()
    with tarfile.open(fileobj=to, mode="w|", bufsize=1 << 20) as archive:
        _add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add(archive, "index.json", index)
        for digest in dict.fromkeys(d for each in chosen for d in blobs_of(layout, each)):
            path = _blob(layout, digest)
            archive.add(path, arcname=str(path.relative_to(layout)))


def export(layout: Path, name: str, reference: str, to: IO[bytes]) -> None:
    """Write an image as an archive that ``docker load`` reads, there named ``reference``.

    Raises :class:`KeyError` for a name that the layout does not have.
    """
    descriptor = {_name(each): each for each in read_index(layout)}[name]
    manifest = json.loads(_blob(layout, descriptor["digest"]).read_text())
    blobs = [_blob(layout, each["digest"]) for each in (manifest["config"], *manifest["layers"])]
    config, *layers = (str(path.relative_to(layout)) for path in blobs)
    listed = json.dumps([{"Config": config, "RepoTags": [reference], "Layers": layers}]).encode()
    with tarfile.open(fileobj=to, mode="w|", bufsize=1 << 20) as archive:
        _add(archive, "manifest.json", listed)
        for path in dict.fromkeys(blobs):
            archive.add(path, arcname=str(path.relative_to(layout)))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def superseded(index: Iterable[Json], keep: int) -> tuple[str, ...]:
    """Return the images that are older than the newest ``keep`` of their repository.

    An index lists its images in the order in which they were pushed.
    """
    by_repository: dict[str, list[str]] = {}
    for each in index:
        name = _name(each) or ""
        by_repository.setdefault(name.rpartition(":")[0], []).append(name)
    return tuple(name for all_of_one in by_repository.values() for name in all_of_one[:-keep])


def forget(layout: Path, gone: Iterable[str]) -> None:
    """Take images out of a layout, and every blob that no other image has."""
    drop = set(gone)
    kept = [each for each in read_index(layout) if _name(each) not in drop]
    half = layout / "index.json.part"
    half.write_text(json.dumps({"schemaVersion": 2, "manifests": kept}))
    half.replace(layout / "index.json")
    used = {digest for each in kept for digest in blobs_of(layout, each)}
    for blob in (layout / "blobs" / "sha256").iterdir():
        if f"sha256:{blob.name}" not in used:
            blob.unlink()
