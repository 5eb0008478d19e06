"""The init that the worker's image brings for ComfyUI's container."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from genpool_worker import container_init


def test_it_is_copied_over_one_that_runs(tmp_path: Path) -> None:
    """After a restart of the whole pod the volume still has the last copy."""
    first = container_init.install(tmp_path)
    running = subprocess.Popen([first, "cat"], stdin=subprocess.PIPE)
    try:
        again = container_init.install(tmp_path)
        assert again == first
        assert os.access(again, os.X_OK)
        assert [path.name for path in tmp_path.iterdir()] == ["dumb-init"]
    finally:
        running.communicate(timeout=10)
    assert subprocess.run([again, "true"], check=False, timeout=10).returncode == 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", container_init.__name__, str(tmp_path / "missing")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert "missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_needs_nothing_but_its_own_package() -> None:
    """It is on the way of every pod that starts."""
    code = (
        f"import sys, {container_init.__name__}; print([n for n in sys.modules if n.startswith('pydantic')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
