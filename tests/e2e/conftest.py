"""The e2e tier: GenPool installed by its chart on a real cluster, real pods, RabbitMQ and S3.

Order: what needs nothing but the chart's files, then the tests marked ``together`` side by side, then those marked
``alone``, which restart what others use, then those marked ``last``, which take GenPool away.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from e2e.lab import Lab, clean, explained, open_lab
from e2e.manifests import VHOST
from genpool_dev.cluster import api
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.stack import layout
from genpool_dev.stack.install import Stack, install, look
from support.quiet import tell_quiet
from support.together import MARKER, Together

_STAGES = {
    MARKER: "runs side by side with the others of its kind",
    "alone": "restarts or changes what all tests use; runs after those that run together",
    "last": "takes GenPool away; runs at the end, in the order of the file",
}
#: So many tests run side by side; fewer where machine or cluster is slow.
_WIDTH = int(os.environ.get("GENPOOL_E2E_WIDTH", "8"))
_PLUGIN = "genpool-together"


def pytest_configure(config: pytest.Config) -> None:
    """Register markers and the plugin, once for all folders."""
    for name, meaning in _STAGES.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    if not config.pluginmanager.has_plugin(_PLUGIN):
        config.pluginmanager.register(Together(_WIDTH), _PLUGIN)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by stage; other tiers' tests have none and stay in front."""
    stages = list(_STAGES)

    def stage(item: pytest.Item) -> int:
        return max((stages.index(name) + 1 for name in stages if item.get_closest_marker(name)), default=0)

    items.sort(key=stage)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """One at a time, they mostly wait."""
    if item.get_closest_marker("alone"):
        tell_quiet()


@contextmanager
def _set_up(stack: Stack, namespace: str) -> Iterator[None]:
    """Without what is set up here no test means anything: a failure ends the run, told once and with its reasons."""
    try:
        with explained(stack, namespace):
            yield
    except (ClusterError, AssertionError) as error:
        pytest.exit("\n".join([str(error), *getattr(error, "__notes__", ())]), returncode=1)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """GenPool, freshly installed. Refuses a cluster that is not for tests before it changes anything there."""
    info = api.ensure_up()
    clean(info)
    with _set_up(look(info), layout.SYSTEM_NAMESPACE):
        found = install(info, vhosts=["/", VHOST])
    try:
        yield found
    finally:
        clean(info)


@pytest.fixture(scope="session")
def lab(
    stack: Stack, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """The installed GenPool with everything that a test needs around it."""
    folder: Path = tmp_path_factory.mktemp("servers")
    with ExitStack() as exits:
        with _set_up(stack, layout.SYSTEM_NAMESPACE):
            opened = exits.enter_context(open_lab(stack, folder))
        plugin = request.config.pluginmanager.get_plugin(_PLUGIN)
        if isinstance(plugin, Together):
            exits.callback(plugin.end)
        yield opened
