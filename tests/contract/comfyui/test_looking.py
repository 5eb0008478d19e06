"""The stand-in's node that looks for secrets, run as a job; a real ComfyUI has no such node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from contract.comfyui import graphs
from contract.comfyui.process import Standin

pytestmark = pytest.mark.standin


def test_a_job_saves_what_it_could_read(standin: Callable[..., Standin], tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "run" / "genpool").mkdir(parents=True)
    (root / "run" / "genpool" / "password").write_text("to-be-seen")
    # Of all processes of this machine its own, as in a container.
    (root / "proc").mkdir()
    server = standin("--standin-looking", str(root), env={"GENPOOL_SEEN": "in-its-own-environment"})
    (root / "proc" / "1").symlink_to(f"/proc/{server.process.pid}")
    graph = {"1": graphs.node("StandinLook", filename_prefix="genpool/look")}
    (file,) = server.ended(server.queue(graph))["outputs"]["1"]["files"]
    assert (file["subfolder"], file["type"]) == ("genpool", "output")
    seen = server.view(file).text
    assert "GENPOOL_SEEN=in-its-own-environment" in seen
    assert "to-be-seen" in seen
