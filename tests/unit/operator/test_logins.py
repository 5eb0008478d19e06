"""A pool's login: made of the operator's keys, told to the pods once it works, and gone with the pool."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.errors import BrokerError, ClusterError, GenPoolError, SettingsError
from genpool_core.names import worker_user
from genpool_core.operatorkeys import Installation
from genpool_core.topology.plan import PutUser
from genpool_core.topology.rights import worker_permissions
from unit.operator.pools import INSTALLATION, KEY, NEW_KEY, UID
from unit.operator.world import POD_LABELS, World

LOGINS, CALLBACKS = ("Secret", "genpool-worker-logins"), ("Secret", "genpool-callback-secrets")
BOTH = Installation((NEW_KEY, KEY), INSTALLATION.tag)


@pytest.fixture
def world() -> World:
    world = World()
    world.tasks(0)
    world.put()
    return world


def login(world: World) -> tuple[str, str]:
    """What the pods are told."""
    data = world.cluster.objects[LOGINS]["data"]
    username, password = (
        base64.b64decode(data[f"pictures.{key}"]).decode() for key in ("username", "password")
    )
    return username, password


def pool_of(world: World) -> GenerationPool:
    record = world.store.record(("team", "pictures"))
    assert record is not None
    assert record.pool is not None
    return record.pool


def test_a_login_is_told_after_its_user_is_there(world: World) -> None:
    world.brokers.refuse = BrokerError("no")
    with pytest.raises(BrokerError):
        world.look()
    assert LOGINS not in world.cluster.objects
    assert CALLBACKS in world.cluster.objects
    world.brokers.refuse = None
    world.look()
    assert login(world) == (worker_user(UID, KEY.id), KEY.worker_password(UID))


def test_a_new_key_before_the_old_one_leaves_no_gap(world: World) -> None:
    world.look()
    world.installation = BOTH
    world.brokers.refuse = BrokerError("no")
    with pytest.raises(BrokerError):
        world.look()
    assert login(world)[0] == worker_user(UID, KEY.id), "pods keep the login that works"
    world.brokers.refuse = None
    world.look()
    assert login(world) == (worker_user(UID, NEW_KEY.id), NEW_KEY.worker_password(UID))
    users = {worker_user(UID, key.id) for key in (KEY, NEW_KEY)}
    assert world.brokers.seen.users.keys() == users
    rights = worker_permissions("generation_tasks", UID)
    assert [world.brokers.seen.permissions[user] for user in users] == [rights] * 2
    lines = base64.b64decode(world.cluster.objects[CALLBACKS]["data"]["pictures"]).decode().split("\n")
    assert lines == [key.callback_secret(UID) for key in (NEW_KEY, KEY)]
    assert not world.look().acts


def test_users_carry_the_tag_of_their_installation(world: World) -> None:
    world.look()
    assert [step.tag for step in world.brokers.steps if isinstance(step, PutUser)] == [INSTALLATION.tag]


def test_a_secret_that_somebody_deleted_comes_back(world: World) -> None:
    world.look()
    del world.cluster.objects[LOGINS]
    world.look(later=timing.SECRET_APPLY_SECONDS - 1)
    assert LOGINS not in world.cluster.objects, (
        "the operator may not look, and writes no more often than that"
    )
    world.look(later=1)
    assert login(world)[0] == worker_user(UID, KEY.id)


def test_keys_that_somebody_else_wrote_are_told_and_left_alone(world: World) -> None:
    taken = 'Kubernetes refuses Secret genpool-worker-logins: conflict with "kubectl-edit": .data.pictures.username.'
    error = ClusterError(taken, status=409, taken=True)
    world.cluster.fail["apply genpool-worker-logins"] = [error, error]
    for _ in range(2):
        with pytest.raises(GenPoolError):
            world.look(later=1)
        told = world.condition("TopologyReady")
        assert (told.status, told.reason) == ("False", "SecretTaken")
        assert "kubectl-edit" in told.message
        assert "take them out there (kubectl edit)" in told.message
        assert world.condition("Ready").status == "False"
    assert [event.reason for event in world.cluster.events].count("TopologyFaulty") == 1
    world.look()
    assert world.condition("Ready").status == "True"


def test_a_conflict_that_passes_is_nobodys_fault(world: World) -> None:
    world.cluster.fail["apply genpool-worker-logins"] = [ClusterError("busy", status=409)]
    with pytest.raises(ClusterError):
        world.look()
    assert world.condition("TopologyReady").reason != "SecretTaken"


def test_without_a_key_nothing_is_made_on_the_broker_and_pods_go_on(world: World) -> None:
    world.look()
    world.restart()
    world.installation = None
    world.tasks(1)
    world.brokers.steps.clear()
    world.look()
    told = world.condition("TopologyReady")
    assert (told.status, told.reason) == ("Unknown", "NoOperatorKey")
    assert not world.brokers.steps
    assert world.replicas == 1


def test_a_login_goes_with_its_pool_after_its_pods(world: World) -> None:
    world.installation = BOTH
    world.look()
    world.cluster.objects[LOGINS]["data"]["another.username"] = "x"
    world.pod("a")
    pool = pool_of(world)
    world.store.drop_pool({"metadata": pool.metadata.model_dump(by_alias=True, mode="json")})
    assert not world.controller.delete_login(pool, overdue=False)
    assert world.controller.delete_login(pool, overdue=True)
    assert world.brokers.deleted == [worker_user(UID, NEW_KEY.id), worker_user(UID, KEY.id)]
    world.store.drop_pod({"metadata": {"name": "a", "namespace": "team", "labels": POD_LABELS}})
    assert world.controller.delete_login(pool, overdue=False)
    assert world.cluster.objects[LOGINS]["data"] == {"another.username": "x"}
    assert world.cluster.objects[CALLBACKS]["data"] == {}


def test_the_login_of_a_new_pool_of_the_same_name_stays(world: World) -> None:
    world.look()
    pool = pool_of(world)
    gone = pool.model_copy(update={"metadata": pool.metadata.model_copy(update={"uid": "before"})})
    assert world.controller.delete_login(gone, overdue=False)
    assert world.brokers.deleted == [worker_user("before", KEY.id)]
    assert login(world)[0] == worker_user(UID, KEY.id)


def test_without_a_key_a_deletion_is_tried_again(world: World) -> None:
    world.look()
    world.installation = None
    with pytest.raises(SettingsError):
        world.controller.delete_login(pool_of(world), overdue=False)


def test_a_user_whose_tag_somebody_took_gets_it_back(world: World) -> None:
    world.look()
    user = next(iter(world.brokers.seen.users))
    bare = replace(world.brokers.seen.users[user], tags=())
    world.brokers.seen = replace(world.brokers.seen, users={user: bare})
    world.look()
    assert world.brokers.seen.users[user].tags == (INSTALLATION.tag,)
