"""An archive of photos: the command is killed in the middle, typed again, and each photo is coloured once.

``GENPOOL_ALBUM`` is how many photos; 10,000 take some minutes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from genpool_cli.batch.run import JOURNAL
from genpool_cli.errors import ExitCode
from genpool_dev.stack.servers import drawing
from integration.broker import until
from integration.cli.machine import Machine

PEOPLE = "DDColor人物黑白修复.json"
PHOTOS = int(os.environ.get("GENPOOL_ALBUM", "200"))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    storage = {"type": "Folder", "folder": {"path": str(tmp_path / "results")}}
    made = Machine(tmp_path, storage, workflow=PEOPLE)
    made.write_pool()
    made.up()
    yield made
    made.local("down")
    made.clean()


@pytest.mark.long
@pytest.mark.timeout(120 + PHOTOS)
def test_each_photo_is_coloured_once_although_the_command_is_killed(machine: Machine) -> None:
    album, coloured = machine.root / "album", machine.root / "coloured"
    _draw(album)
    words = ("submit", "-w", PEOPLE, "--each", f"{album}/**/*.jpg", "--download", str(coloured), "-o", "json")
    began = time.monotonic()
    _run_and_kill(machine, words, coloured / JOURNAL)
    before = _saved(coloured / JOURNAL)
    assert before < PHOTOS, "it was done before it was killed"
    count = json.loads(machine.types(*words, seconds=120 + PHOTOS))
    seconds, memory = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{PHOTOS} photos, killed after {before}: {seconds:.0f} s, at most {memory / 1024:.0f} MiB")  # noqa: T201
    assert count["already"] >= before
    assert (count["already"] + count["succeeded"], count["failed"]) == (PHOTOS, 0)
    # As many results as photos, tasks and runs: nothing is missing and nothing was paid for twice.
    assert sorted(path.relative_to(coloured).with_suffix("") for path in coloured.rglob("*.png")) == sorted(
        path.relative_to(album).with_suffix("") for path in album.rglob("*.jpg")
    )
    assert len(json.loads(machine.types("list", "--limit", "0", "-o", "json"))) == PHOTOS
    assert len(list((machine.root / "comfyui" / "output").rglob("*.png"))) == PHOTOS
    # Typed a third time it has nothing to do.
    again = json.loads(machine.types(*words, expect=ExitCode.DONE))
    assert (again["already"], again["succeeded"]) == (PHOTOS, 0)


def _draw(album: Path) -> None:
    for number in range(PHOTOS):
        path = album / f"{number % 7}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawing.photo(number, "people", "jpeg"))


def _run_and_kill(machine: Machine, words: tuple[str, ...], journal: Path) -> None:
    """Kill it, with no word to it, when a third of the photos is done."""
    command = [sys.executable, "-m", "genpool_cli", *words]
    with subprocess.Popen(command, env=machine.environment, stdout=subprocess.DEVNULL) as running:
        try:
            until(lambda: _saved(journal) >= PHOTOS // 3, "a third of the photos is done", 120 + PHOTOS)
        finally:
            running.send_signal(signal.SIGKILL)


def _saved(journal: Path) -> int:
    """Photos whose results are there, as the journal says."""
    return journal.read_text(encoding="utf-8").count('"saved": ["') if journal.exists() else 0
