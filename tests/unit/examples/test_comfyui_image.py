"""docs/how-to/comfyui-image.md names what the photo workflows need, and the check that it shows holds back ComfyUI."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_core.api import GenerationPool
from genpool_operator.decide.manifests.comfyui import comfyui_container

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/how-to/comfyui-image.md").read_text()
WORKFLOWS = sorted((ROOT / "workflows").glob("DDColor*"))
#: Classes that every ComfyUI has.
OWN_CLASSES = {"LoadImage", "SaveImage"}
#: Rows of the page's table: file, size in MB, SHA-256.
MODELS = re.findall(r"^\| `(\S+\.pth)` \| (\d+) \| `([0-9a-f]{64})` \|$", PAGE, re.MULTILINE)


def comfyui() -> dict[str, Any]:
    block = re.search(r"```yaml\n(comfyui:\n.*?)```", PAGE, re.DOTALL)
    assert block is not None
    found: dict[str, Any] = yaml.safe_load(block[1])["comfyui"]
    return found


def workflow(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "workflow.yaml").read_text())
    return found


def test_the_workflows_are_found() -> None:
    assert len(WORKFLOWS) == 2


@pytest.mark.parametrize("folder", WORKFLOWS, ids=lambda folder: folder.name)
def test_the_page_names_the_workflow_its_classes_and_its_pinned_pack(folder: Path) -> None:
    graph = json.loads((folder / "template.json").read_text())
    classes = {node["class_type"] for node in graph.values()} - OWN_CLASSES
    assert f"`{folder.name}`" in PAGE
    assert classes
    for name in classes:
        assert f"| node class | `{name}` |" in PAGE
    for pack in workflow(folder)["requires"]["customNodes"]:
        assert re.search(rf"\| node pack \| `{re.escape(pack)}`.* commit `[0-9a-f]{{40}}`", PAGE)


@pytest.mark.parametrize("folder", WORKFLOWS, ids=lambda folder: folder.name)
def test_every_model_that_a_task_may_name_is_on_the_page(folder: Path) -> None:
    parameters = workflow(folder)["parameters"]
    tables = [target.get("values", {}) for target in parameters["model"]["targets"]]
    assert {file for table in tables for file in table.values()} == {file for file, _, _ in MODELS}


@pytest.mark.parametrize("folder", WORKFLOWS, ids=lambda folder: folder.name)
def test_the_volume_is_mounted_where_the_pack_looks(folder: Path) -> None:
    mounted = Path(comfyui()["models"]["mountPath"])
    for required in workflow(folder)["requires"]["models"]:
        assert mounted == Path("/comfyui", required).parent
        assert f"(cd {Path(required).parent} && sha256sum -c)" in comfyui()["command"][2]


def test_the_check_has_the_sums_of_the_table() -> None:
    found = re.findall(r"^([0-9a-f]{64})  (\S+)$", comfyui()["command"][2], re.MULTILINE)
    assert [(file, total) for total, file in found] == [(file, total) for file, _, total in MODELS]


def test_the_pool_is_accepted_and_comfyui_gets_its_arguments_behind_the_check() -> None:
    body = yaml.safe_load((ROOT / "docs/examples/photo-pool.yaml").read_text())
    body["metadata"]["uid"] = "uid-1"
    body["spec"]["comfyui"] = comfyui()
    container: Any = comfyui_container(GenerationPool.parse(body).spec.comfyui)
    assert container["command"][-4:] == comfyui()["command"]
    assert "--listen" in container["args"]


@pytest.mark.parametrize("fault", ["none", "missing", "cut", "no folder"])
def test_comfyui_starts_only_with_whole_models(tmp_path: Path, fault: str) -> None:
    """The command of the page, run with small files as models and a ``main.py`` that prints its arguments."""
    command = comfyui()["command"]
    folder = tmp_path / "custom_nodes/ComfyUI-DDColor/checkpoints"
    folder.mkdir(parents=True)
    script = command[2]
    for file, _, total in MODELS:
        (folder / file).write_text(file)
        script = script.replace(total, hashlib.sha256(file.encode()).hexdigest())
    (tmp_path / "main.py").write_text("import sys\nprint(*sys.argv[1:])\n")
    last = folder / MODELS[-1][0]
    if fault == "missing":
        last.unlink()
    elif fault == "cut":
        last.write_text(last.name[:-1])
    elif fault == "no folder":
        folder.rename(folder.with_name("elsewhere"))
    words = [*command[:2], script, *command[3:], "--port", "8188"]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, "--port 8188" in ended.stdout) == ((0, True) if fault == "none" else (1, False))
    if fault in {"missing", "cut"}:
        assert f"{last.name}: FAILED" in ended.stdout
