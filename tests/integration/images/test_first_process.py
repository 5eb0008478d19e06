"""Each image's first process, in a process namespace as in a container: SIGTERM counts from its first moment on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from integration.broker import until

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = (ROOT / "images" / "Dockerfile").read_text(encoding="utf-8")
STAGE = re.compile(r"^FROM wheels AS (\S+)\n(?:(?!FROM).*\n)*?ENTRYPOINT (\[.*\])$", re.MULTILINE)
ENTRYPOINTS: dict[str, list[str]] = {name: json.loads(words) for name, words in STAGE.findall(DOCKERFILE)}


@pytest.mark.parametrize("name", ["operator", "worker", "gateway"])
def test_a_program_that_is_told_to_end_while_python_starts(tmp_path: Path, name: str) -> None:
    started = tmp_path / "started"
    (tmp_path / "sitecustomize.py").write_text(
        f"import pathlib, time\npathlib.Path({str(started)!r}).touch()\ntime.sleep(60)\n"
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["unshare", "--map-root-user", "--fork", "--pid", "--kill-child", "--", *ENTRYPOINTS[name]],
        env={**os.environ, "PATH": path, "PYTHONPATH": str(tmp_path)},
    )
    try:
        until(started.exists, "Python to start", 20)
        (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(first), signal.SIGTERM)
        assert process.wait(10) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
