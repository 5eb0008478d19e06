"""What the folders promise: plain folders stay plain, import contracts and generated files are really guarded."""

from __future__ import annotations

import operator
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
PACKAGES = ("core", "adapters", "operator", "worker", "gateway", "dev")


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_deployables_folder_is_no_package(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


def test_the_standard_librarys_operator_is_found_from_the_root() -> None:
    code = "import operator; print(operator.itemgetter(1)('ab'), operator.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("b ")
    assert str(ROOT) not in done.stdout
    assert operator.itemgetter(0)("ab") == "a"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources in which a test may plant a fault."""
    for folder in (*PACKAGES, "crds", "charts", "docs", "workflows"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "go"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = ":".join(str(copy / folder) for folder in PACKAGES)
    env = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=copy, env=env, check=False, capture_output=True, text=True)


PLANTED = {
    "worker/genpool_worker/planted_operator.py": "import genpool_operator\n",
    "gateway/genpool_gateway/planted_worker.py": "import genpool_worker\n",
    "core/genpool_core/planted_adapters.py": "import genpool_adapters\n",
    "core/genpool_core/planted_requests.py": "import requests\n",
    "worker/genpool_worker/comfyui/planted_settle.py": "import genpool_worker.pipeline.settle\n",
    "worker/genpool_worker/messaging/planted_context.py": "import genpool_worker.context\n",
    "worker/genpool_worker/files/planted_fetch.py": "import genpool_worker.adapters.fetch\n",
    "worker/genpool_worker/pipeline/planted_consumer.py": "import genpool_worker.consumer\n",
    "worker/genpool_worker/planted_ports.py": "import genpool_worker.ports\n",
}


def test_planted_imports_break_the_contracts(copy: Path) -> None:
    lint = str(BIN / "lint-imports")
    assert _run(copy, lint, "--no-cache").returncode == 0
    for file, line in PLANTED.items():
        (copy / file).write_text(line)
    broken = _run(copy, lint, "--no-cache")
    assert broken.returncode != 0
    assert [file for file in PLANTED if Path(file).stem not in broken.stdout] == []


def test_a_hand_edit_of_the_crd_is_found(copy: Path) -> None:
    """That nothing is found where nobody has edited anything, ``make verify`` shows."""
    check = [
        sys.executable,
        "-c",
        "import sys; from genpool_dev.generate import main; sys.exit(main(check=True))",
    ]
    crd = copy / "crds/genpool.dev_generationpools.yaml"
    crd.write_text(crd.read_text().replace("maximum: 20", "maximum: 99"))
    edited = _run(copy, *check)
    assert edited.returncode == 1
    assert "make generate" in edited.stdout
    assert "maximum: 99" in edited.stdout
