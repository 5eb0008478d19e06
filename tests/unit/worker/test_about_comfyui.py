"""What runs in ComfyUI's container: asked once, and never in anybody's way."""

from __future__ import annotations

import pytest

from fakes.worker_loop import Loop
from fakes.worker_world import World
from genpool_core import timing
from genpool_core.image_digest import digest_in
from genpool_worker.comfyui.about import AboutComfyUI
from genpool_worker.errors import ComfyUIRefused

DIGEST = f"sha256:{'0a' * 32}"


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (None, None),
        ("", None),
        ("registry.example/comfyui:1.2", None),
        (f"registry.example/comfyui:1.2@{DIGEST}", DIGEST),
        (f"{DIGEST}\n", DIGEST),
        ("comfyui@sha256:0a", None),
        (f"{DIGEST}/x", None),
    ],
)
def test_a_digest(text: str | None, digest: str | None) -> None:
    assert digest_in(text) == digest


def test_the_node_knows_better_than_the_name(world: World) -> None:
    node, other = world.worker("w1"), f"sha256:{'1b' * 32}"
    about = AboutComfyUI(node.comfyui, world.clock, f"comfyui@{other}", lambda: DIGEST)
    assert about.digest == DIGEST
    about = AboutComfyUI(node.comfyui, world.clock, f"comfyui@{other}", lambda: None)
    assert about.digest == other


def test_it_is_asked_once(world: World) -> None:
    node = world.worker("w1")
    about = node.context.about
    about.look()
    about.look()
    assert about.version == "0.33.0"
    assert node.steps.names.count("comfyui.version") == 1


def test_a_lost_card_keeps_nobody_waiting(world: World) -> None:
    """``/system_stats`` asks torch."""
    node = world.worker("w1")
    about = node.context.about
    node.steps.down, node.steps.fail_with = "comfyui.version", ComfyUIRefused("500", status=500)
    about.look()
    about.look()
    assert about.version is None
    assert node.steps.names.count("comfyui.version") == 1
    node.steps.down = None
    world.clock.sleep(timing.WORKFLOW_CHECK_SECONDS)
    about.look()
    assert about.version == "0.33.0"


def test_it_is_asked_before_the_first_task(world: World) -> None:
    node = world.worker("w1")
    Loop(world, node).run()
    assert node.context.about.version == "0.33.0"
