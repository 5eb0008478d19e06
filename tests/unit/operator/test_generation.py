"""``observedGeneration``: the newest spec that was applied as a whole, or refused for good; never one only seen."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from genpool_core.errors import BrokerError, ClusterError, GenPoolError
from genpool_core.workflow.files import MissingFiles
from unit.operator.pools import spec
from unit.operator.world import World

OTHER = {"image": "example/comfyui:other"}


@pytest.fixture
def world() -> World:
    """A pool whose first generation is in force."""
    world = World()
    world.tasks(0)
    world.put()
    world.look()
    assert world.status.observed_generation == 1
    return world


def image(world: World) -> str:
    deployment = world.cluster.objects["Deployment", "pictures-worker"]
    return str(deployment["spec"]["template"]["spec"]["initContainers"][1]["image"])


def test_an_edit_that_comes_with_the_answer_to_a_status_write_is_not_missed(world: World) -> None:
    world.cluster.edits.append(spec(comfyui=OTHER))
    world.tasks(1)
    world.look(full=False, later=1)
    record = world.store.record(("team", "pictures"))
    assert record is not None
    assert record.meta.generation == 2, "the store has it from the answer: the watch's event is no news"
    assert world.status.observed_generation == 1, "seen, not applied"
    world.look(full=False, later=1)
    assert image(world) == "example/comfyui:other"
    assert world.status.observed_generation == 2


def test_a_spec_is_applied_whatever_asks_for_the_pass(world: World) -> None:
    world.put(generation=2, comfyui=OTHER)
    world.look(full=False)
    assert image(world) == "example/comfyui:other"
    assert world.condition("Ready").observed_generation == 2


def outage(world: World) -> None:
    world.cluster.fail["apply"] = [ClusterError("Kubernetes does not answer about it.", status=0)] * 9


def broker_away(world: World) -> None:
    world.brokers.down = BrokerError("The management API does not answer.")


def broker_refuses(world: World) -> None:
    world.brokers.seen = replace(world.brokers.seen, policies={})
    world.brokers.refuse = BrokerError("not now", reason="BrokerUnreachable")


@pytest.mark.parametrize("trouble", [outage, broker_away, broker_refuses])
def test_what_is_tried_again_is_not_observed_yet(world: World, trouble: object) -> None:
    assert callable(trouble)
    trouble(world)
    world.put(generation=2, comfyui=OTHER)
    for _ in range(2):
        with suppress(GenPoolError):
            world.look(later=1)
        world.look(full=False, later=1)
        assert world.status.observed_generation == 1
        assert {item.observed_generation for item in world.status.conditions if item.status == "True"} <= {1}
        assert world.condition("Ready").status != "True"
    world.cluster.fail.clear()
    world.brokers.down = world.brokers.refuse = None
    world.look(later=1)
    assert world.status.observed_generation == 2
    assert world.condition("Ready").observed_generation == 2
    assert world.condition("Ready").status == "True"


def test_an_apply_that_got_no_answer_is_told(world: World) -> None:
    outage(world)
    world.put(generation=2, comfyui=OTHER)
    with pytest.raises(ClusterError):
        world.look()
    told = world.condition("Accepted")
    assert (told.status, told.reason, told.observed_generation) == ("Unknown", "NotApplied", 2)
    assert told.message == (
        "The newest spec (generation 2) is not applied yet and is tried again: Kubernetes does not answer about it."
    )


def test_drift_that_cannot_be_mended_now_is_no_new_generation(world: World) -> None:
    del world.cluster.objects["ConfigMap", "pictures-workflows"]
    outage(world)
    with pytest.raises(ClusterError):
        world.look()
    assert world.condition("Accepted").status == "True"
    assert world.status.observed_generation == 1


def test_what_is_refused_for_good_is_observed(world: World) -> None:
    world.workflows.found = {"text-to-image": MissingFiles("there is no ConfigMap mine.")}
    world.put(generation=2)
    world.look()
    assert world.condition("Accepted").status == "False"
    assert world.status.observed_generation == 2


def test_what_kubernetes_refused_stays_refused_while_it_does_not_answer(world: World) -> None:
    """Also for an operator that was restarted in between."""
    world.cluster.fail["apply"] = [ClusterError("no quota", status=403, refusal=True)]
    world.put(generation=2, comfyui=OTHER)
    with pytest.raises(GenPoolError):
        world.look()
    assert (world.condition("Accepted").reason, world.status.observed_generation) == ("KubernetesRefused", 2)
    for restart in (False, True):
        if restart:
            world.restart()
        outage(world)
        with pytest.raises(ClusterError):
            world.look(later=5)
        assert world.condition("Accepted").reason == "KubernetesRefused"
    world.cluster.fail.clear()
    world.look()
    assert world.condition("Accepted").status == "True"


def test_after_a_restart_the_number_is_the_one_that_was_written(world: World) -> None:
    world.restart()
    broker_away(world)
    world.put(generation=2, comfyui=OTHER)
    world.look()
    assert world.status.observed_generation == 1


def test_a_new_spec_that_cannot_be_read_now_is_asked_for_at_its_own_time(world: World) -> None:
    """Not at every tick: a pass that failed has its own retry."""
    world.put(generation=2, comfyui=OTHER)
    world.cluster.fail["get"] = [ClusterError("no answer", status=0)]
    with pytest.raises(ClusterError):
        world.look(full=False)
    world.cluster.fail["get"] = [ClusterError("no answer", status=0)]
    world.look(full=False, later=1)
    assert world.cluster.fail["get"], "a quick pass reads no object"
    assert world.status.observed_generation == 1
