"""The server under test: the stand-in in both versions, or the one that COMFYUI_URL names.

Tests marked `standin` need a process and folders of their own. They are no part of a run against a
real ComfyUI, where they are deselected.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.comfyui import graphs
from contract.comfyui.client import ComfyUI
from contract.comfyui.process import Standin

REAL_URL = os.environ.get("COMFYUI_URL", "")
VERSIONS = ("0.33.0", "0.3.64")
_HERE = Path(__file__).parent
_DATA = Path(__file__).parents[2] / "data" / "comfyui"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "standin: needs a stand-in process of its own")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not REAL_URL:
        return
    left_out = [item for item in items if item.get_closest_marker("standin") and _HERE in item.path.parents]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "comfyui" in metafunc.fixturenames:
        servers = ("real",) if REAL_URL else VERSIONS
        metafunc.parametrize("comfyui", servers, indirect=True, scope="session")


@pytest.fixture(scope="session")
def comfyui(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    if request.param == "real":
        server = ComfyUI(REAL_URL)
    else:
        folder = tmp_path_factory.mktemp("comfyui")
        server = Standin(folder, "--standin-version", request.param)
    yield server
    server.close()


@pytest.fixture(autouse=True)
def idle(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no job of one test to the next."""
    asked = "comfyui" in request.fixturenames
    server: ComfyUI | None = request.getfixturevalue("comfyui") if asked else None
    yield
    if server is not None:
        server.post("/queue", json={"clear": True})
        server.post("/interrupt")
        server.wait_until_idle()


@pytest.fixture
def slow_graph() -> Callable[[], graphs.Graph]:
    """A graph that runs for seconds, and notices an interrupt at once."""
    if REAL_URL:
        return graphs.long_chain
    return lambda: graphs.text_to_image("[standin:slow=60]", steps=2000)


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Callable[..., Standin]]:
    """Start stand-ins with flags; they share folders, as after a restart."""
    started: list[Standin] = []

    def start(*flags: str, env: dict[str, str] | None = None) -> Standin:
        started.append(Standin(tmp_path / "comfyui", *flags, env=env))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture(scope="session")
def recorded() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((_DATA / "recorded.yaml").read_text())
    return data
