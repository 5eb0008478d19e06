"""Help, completion and a command against a named gateway wait for nothing that they do not use."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("kubernetes", "boto3", "pika", "structlog", "genpool_core.api.spec")


@pytest.mark.parametrize("module", HEAVY)
def test_the_program_begins_without(module: str) -> None:
    code = f"import sys, genpool_cli.app; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0, f"{module} is imported"
