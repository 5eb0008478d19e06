"""``genpool workflow`` beside ComfyUI's stand-in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from genpool_adapters.shipped_workflows import default_workflows
from genpool_cli.errors import ExitCode
from integration.broker import until
from support.ports import free_port

TEMPLATE = default_workflows() / "text-to-image" / "template.json"


@pytest.fixture(scope="module")
def comfyui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    base = tmp_path_factory.mktemp("comfyui")
    port = free_port()
    words = [
        "-m",
        "genpool_dev.comfyui",
        "--listen",
        "127.0.0.1",
        "--port",
        str(port),
        "--base-directory",
        str(base),
    ]
    with (
        (base / "log").open("wb") as log,
        subprocess.Popen([sys.executable, *words], stdout=log, stderr=log) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(url), "the stand-in answers", 30)
        yield url
        process.kill()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/system_stats", timeout=5).ok
    except requests.RequestException:
        return False


def types(*words: str, expect: ExitCode = ExitCode.DONE) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "genpool_cli", "workflow", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", ["text-to-image", "DDColor人物黑白修复.json"])
def test_a_shipped_workflow_lacks_nothing(comfyui: str, name: str) -> None:
    assert "has all that" in types("check", name, "--comfyui", comfyui)


def test_what_is_missing_is_named(comfyui: str, tmp_path: Path) -> None:
    graph = json.loads(TEMPLATE.read_text())
    graph["4"]["inputs"]["ckpt_name"] = "mine.safetensors"
    graph["99"] = {"class_type": "TheirNode", "inputs": {}}
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    said = types("check", str(tmp_path / "graph.json"), "--comfyui", comfyui, expect=ExitCode.NOT_SUCCEEDED)
    assert "missing: the model file mine.safetensors (ckpt_name of node 4" in said
    assert "missing: the node class TheirNode of node 99" in said


def test_an_exported_graph_becomes_a_workflow_that_can_be_applied(comfyui: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    said = types("new", str(TEMPLATE), "--to", str(folder), "--comfyui", comfyui)
    assert "prompt: string, input text of node 6" in said
    found = yaml.safe_load((folder / "workflow.yaml").read_text())["parameters"]
    assert {"prompt", "negative_prompt", "seed", "steps", "width", "height", "model"} <= set(found)
    assert "has all that" in types("check", str(folder), "--comfyui", comfyui)
    types("new", str(TEMPLATE), "--to", str(folder), "--comfyui", comfyui, expect=ExitCode.REFUSED)
    manifest = yaml.safe_load(types("apply", str(folder), "-n", "art", "--dry-run"))
    assert manifest["metadata"] == {"name": "workflow-mine", "namespace": "art"}
    assert set(manifest["data"]) == {"template.json", "workflow.yaml"}


def test_what_is_no_workflow_and_no_comfyui(comfyui: str, tmp_path: Path) -> None:
    (tmp_path / "editor.json").write_text(json.dumps({"nodes": [], "links": []}))
    said = types("check", str(tmp_path / "editor.json"), "--comfyui", comfyui, expect=ExitCode.REFUSED)
    assert "Export (API)" in said
    assert "is no file and no folder" in types(
        "check", "nothing", "--comfyui", comfyui, expect=ExitCode.REFUSED
    )
    types("check", "text-to-image", "--comfyui", "http://127.0.0.1:1", expect=ExitCode.AWAY)
