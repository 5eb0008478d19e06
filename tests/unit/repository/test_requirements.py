"""What is tested is what ships: all files below ``requirements`` come from one resolution, and pin what they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "requirements"
FILES = sorted(FOLDER.glob("*.txt"))
#: A pinned package: its name, its version, and what follows (a marker, hashes).
_PIN = re.compile(r"([a-z0-9][a-z0-9.-]*)==([^\s;]+)(.*)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}(\s|$)")


def requirements(text: str) -> list[str]:
    """The requirements of a file, each on one line, without comments."""
    joined = text.replace("\\\n", " ")
    lines = (line.split(" #")[0].strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def versions(text: str) -> dict[str, set[str]]:
    """The versions of each package; more than one where markers tell apart."""
    found: dict[str, set[str]] = {}
    for line in requirements(text):
        pin = _PIN.fullmatch(line)
        assert pin, line
        found.setdefault(pin[1], set()).add(pin[2])
    return found


@pytest.mark.parametrize("program", ["operator", "worker", "gateway", "comfyui-standin"])
def test_what_ships_is_installed_for_tests(program: str) -> None:
    shipped, installed = (versions((FOLDER / f"{name}.txt").read_text()) for name in (program, "dev"))
    assert shipped
    assert set(shipped) <= set(installed)


def test_a_package_has_one_version_in_all_files() -> None:
    by_file = {file.name: versions(file.read_text()) for file in FILES}
    packages = sorted({package for found in by_file.values() for package in found})
    different = {}
    for package in packages:
        where = {name: found[package] for name, found in by_file.items() if package in found}
        if len({frozenset(found) for found in where.values()}) > 1:
            different[package] = where
    assert not different


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_package_has_hashes(file: Path) -> None:
    without = [line for line in requirements(file.read_text()) if not _HASH.search(line)]
    assert not without


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_host_is_named(file: Path) -> None:
    """Neither an index nor a package by URL: where packages come from is the business of the machine."""
    text = file.read_text()
    assert "://" not in text
    assert not [line for line in requirements(text) if line.startswith("-")]
