"""The operator's keys, the gateway's users and Secret, and the end of users whose key was taken away."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig, BrokersFile
from genpool_core.errors import BrokerError, ClusterError
from genpool_core.names import gateway_user, worker_user
from genpool_core.operatorkeys import Installation, OperatorKey, key_line
from genpool_core.topology.desired import parse_version
from genpool_core.topology.password import UserFact
from genpool_core.topology.plan import DeleteUser, PutPermissions, PutUser, VhostFacts
from genpool_core.topology.rights import gateway_permissions
from genpool_operator.adapters.store import Store
from genpool_operator.decide.access import gateway_users, plan_access, queues_of_pools
from genpool_operator.reconcile.broker_access import BrokerAccess
from genpool_operator.reconcile.operator_keys import OperatorKeys
from unit.operator.fakes import FakeBrokers, FakeCluster
from unit.operator.pools import BROKER, INSTALLATION, KEY, NEW_KEY, NOW, make_pool

OTHERS = Installation((OperatorKey(b"x" * 32),), "genpool-installation-2")
GATEWAY = gateway_users("default", INSTALLATION)
SECRET = ("sys", "genpool-gateway")
USED = UserFact("", "unknown to us", (INSTALLATION.tag,))
EMPTY = VhostFacts(parse_version("4.3.6"), admin="root", users={"root": UserFact("", "")})


# The plan -----------------------------------------------------------------------------------------------------------


def test_the_gateways_user_on_a_vhost() -> None:
    name = gateway_user(KEY.id)
    made = PutUser(name, KEY.gateway_password("default"), INSTALLATION.tag)
    rights = PutPermissions(name, tuple(sorted(gateway_permissions().items())))
    assert plan_access(GATEWAY, INSTALLATION, EMPTY) == [made, rights]
    assert plan_access(GATEWAY, INSTALLATION, replace(EMPTY, exists=False)) == [made]
    done = replace(EMPTY, users={name: USED}, permissions={name: gateway_permissions()})
    assert plan_access(GATEWAY, INSTALLATION, done) == []


@pytest.mark.parametrize(
    ("name", "tags", "gone"),
    [
        pytest.param(worker_user("u", "99999999"), (INSTALLATION.tag,), True, id="a key that was taken away"),
        pytest.param(gateway_user("99999999"), ("x", INSTALLATION.tag), True, id="the gateway's, the same"),
        pytest.param(worker_user("unknown", KEY.id), (INSTALLATION.tag,), False, id="a pool nobody knows"),
        pytest.param(worker_user("u", "99999999"), (OTHERS.tag,), False, id="another operator's pool"),
        pytest.param(gateway_user("99999999"), (OTHERS.tag,), False, id="another operator's gateway"),
        pytest.param(worker_user("u", "99999999"), (), False, id="without a tag"),
        pytest.param("root", (INSTALLATION.tag,), False, id="no name of ours"),
    ],
)
def test_only_users_of_this_installation_whose_key_is_gone_are_deleted(
    name: str, tags: tuple[str, ...], *, gone: bool
) -> None:
    seen = replace(EMPTY, users={name: UserFact("", "unknown to us", tags)})
    steps = [step for step in plan_access((), INSTALLATION, seen) if isinstance(step, DeleteUser)]
    assert steps == ([DeleteUser(name)] if gone else [])


def test_without_a_gateway_its_user_goes() -> None:
    seen = replace(EMPTY, users={gateway_user(KEY.id): USED, worker_user("u", KEY.id): USED})
    assert plan_access((), INSTALLATION, seen) == [DeleteUser(gateway_user(KEY.id))]


def test_two_operators_on_one_broker_leave_each_other_alone() -> None:
    """Each sees the other's users, of pools that it does not know."""
    brokers = FakeBrokers(seen=EMPTY)
    for number, installation in enumerate([INSTALLATION, OTHERS] * 2):
        users = gateway_users("default", installation)
        brokers.provision(BROKER, "/", plan_access(users, installation, brokers.seen))
        worker = worker_user(f"pool-{number % 2}", installation.key.id)
        seen = {**brokers.seen.users, worker: UserFact("", "unknown to us", (installation.tag,))}
        brokers.seen = replace(brokers.seen, users=seen)
    assert not brokers.deleted
    # One of them gets a new key, and the other's users stay.
    renewed = Installation((NEW_KEY,), INSTALLATION.tag)
    brokers.provision(BROKER, "/", plan_access(gateway_users("default", renewed), renewed, brokers.seen))
    assert sorted(brokers.deleted) == [gateway_user(KEY.id), worker_user("pool-0", KEY.id)]


def rights(brokers: FakeBrokers) -> dict[str, str]:
    return dict(brokers.seen.permissions[gateway_user(KEY.id)])


def reads(brokers: FakeBrokers, queue: str) -> bool:
    return re.search(rights(brokers)["read"], queue) is not None


def test_the_queues_of_pools_are_those_of_their_own_vhost_that_they_may_use() -> None:
    file = BrokersFile(brokers=[BROKER.model_copy(update={"vhosts": ["/", "photos"]})])
    pools = [
        make_pool(queue={"name": "b"}),
        make_pool(queue={"name": "a"}, uid="2"),
        make_pool(queue={"name": "c"}, uid="3", broker={"vhost": "photos"}),
        make_pool(queue={"name": "d"}, uid="4", broker={"vhost": "closed"}),
        make_pool(queue={"name": "e"}, uid="5", broker={"name": "unknown"}),
    ]
    # Of one age, so the UIDs decide; whatever the order in which they come.
    expected = {("default", "/"): ("b", "a"), ("default", "photos"): ("c",)}
    assert queues_of_pools(pools, file) == queues_of_pools(reversed(pools), file) == expected


def test_the_gateways_rights_follow_the_pools(cluster: FakeCluster) -> None:
    brokers, pools = FakeBrokers(seen=EMPTY), [make_pool()]
    access = make(cluster, brokers, pools)
    access.bring_up_to_date(INSTALLATION, NOW)
    assert reads(brokers, "generation_tasks")
    assert not reads(brokers, "photo_repair_tasks")
    pools.append(make_pool(uid="2", queue={"name": "photo_repair_tasks"}))
    access.bring_up_to_date(INSTALLATION, NOW)
    assert reads(brokers, "photo_repair_tasks")
    brokers.steps.clear()
    access.bring_up_to_date(INSTALLATION, NOW)
    assert not brokers.steps
    del pools[0]
    access.bring_up_to_date(INSTALLATION, NOW)
    assert not reads(brokers, "generation_tasks")
    assert [type(step) for step in brokers.steps] == [PutPermissions]


def test_while_the_pools_are_not_known_rights_stay_as_they_are(cluster: FakeCluster) -> None:
    """An operator that starts: it has not listed the pools yet, and the gateway goes on."""
    brokers = FakeBrokers(seen=EMPTY)
    make(cluster, brokers, None).bring_up_to_date(INSTALLATION, NOW)
    assert rights(brokers) == gateway_permissions()
    make(cluster, brokers, [make_pool()]).bring_up_to_date(INSTALLATION, NOW)
    make(cluster, brokers, None).bring_up_to_date(INSTALLATION, NOW)
    assert reads(brokers, "generation_tasks")
    # A user of somebody's doing without rights here, or of a new key, gets those that need no pool.
    make(cluster, brokers, None).bring_up_to_date(Installation((NEW_KEY, KEY), INSTALLATION.tag), NOW)
    assert brokers.seen.permissions[gateway_user(NEW_KEY.id)] == gateway_permissions()
    assert reads(brokers, "generation_tasks")


def test_queues_too_many_to_be_named_are_read_all_and_that_is_told_once(
    cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    pools = [make_pool(uid=f"{n:03}", queue={"name": f"{n:03}-generation-tasks"}) for n in range(100)]
    brokers = FakeBrokers(seen=EMPTY)
    access = make(cluster, brokers, pools)
    for _ in range(2):
        access.bring_up_to_date(INSTALLATION, NOW)
    assert capsys.readouterr().out.count("gateway_reads_all_queues") == 1
    assert reads(brokers, "099-generation-tasks.dead")
    assert reads(brokers, "of-somebody-else")
    assert not reads(brokers, "genpool.retry.5s")
    del pools[10:]
    access.bring_up_to_date(INSTALLATION, NOW)
    assert not reads(brokers, "of-somebody-else")


# The pass -----------------------------------------------------------------------------------------------------------


@dataclass
class Away(FakeBrokers):
    """Of two brokers one is away."""

    away: str = ""

    def facts(self, broker: BrokerConfig, vhost: str, *, settled: bool) -> VhostFacts:
        if broker.name == self.away:
            raise BrokerError("does not answer.")
        return super().facts(broker, vhost, settled=settled)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(Store())


def make(
    cluster: FakeCluster,
    brokers: FakeBrokers,
    pools: Sequence[GenerationPool] | None = (),
    *,
    secret: tuple[str, str] | None = SECRET,
    other: BrokerConfig | None = None,
) -> BrokerAccess:
    file = BrokersFile(brokers=[BROKER] if other is None else [BROKER, other])
    return BrokerAccess(cluster, brokers, file, secret, lambda: pools)


def data(cluster: FakeCluster) -> dict[str, str]:
    found = cluster.objects["Secret", "genpool-gateway"]["data"]
    return {key: base64.b64decode(value).decode() for key, value in found.items()}


def test_a_broker_that_is_away_holds_up_no_other(cluster: FakeCluster) -> None:
    other = BROKER.model_copy(update={"name": "eu"})
    brokers = Away(seen=EMPTY, away="default")
    access = make(cluster, brokers, other=other)
    access.bring_up_to_date(INSTALLATION, NOW)
    expected = {
        "signing-keys": key_line(KEY.signing_key),
        "admin-api-key": KEY.admin_api_key,
        "eu.username": gateway_user(KEY.id),
        "eu.password": KEY.gateway_password("eu"),
    }
    assert data(cluster) == expected
    brokers.away = ""
    access.bring_up_to_date(INSTALLATION, NOW)
    assert data(cluster)["default.password"] == KEY.gateway_password("default") != expected["eu.password"]
    assert key_line(KEY.secret) not in data(cluster).values()


def test_what_is_there_is_written_again_only_after_a_time(cluster: FakeCluster) -> None:
    access = make(cluster, FakeBrokers(seen=EMPTY))
    access.bring_up_to_date(INSTALLATION, NOW)
    assert len(cluster.calls) == 2
    access.bring_up_to_date(INSTALLATION, NOW + timedelta(seconds=timing.SECRET_APPLY_SECONDS - 1))
    assert len(cluster.calls) == 2
    access.bring_up_to_date(INSTALLATION, NOW + timedelta(seconds=timing.SECRET_APPLY_SECONDS))
    assert len(cluster.calls) == 4


def test_while_two_keys_are_there_the_first_ones_login_is_told_and_both_sign(cluster: FakeCluster) -> None:
    brokers = FakeBrokers(seen=EMPTY)
    access = make(cluster, brokers)
    access.bring_up_to_date(INSTALLATION, NOW)
    access.bring_up_to_date(Installation((NEW_KEY, KEY), INSTALLATION.tag), NOW)
    assert data(cluster)["default.username"] == gateway_user(NEW_KEY.id)
    assert data(cluster)["signing-keys"].split("\n") == [key_line(key.signing_key) for key in (NEW_KEY, KEY)]
    assert data(cluster)["admin-api-key"] == NEW_KEY.admin_api_key
    assert not brokers.deleted
    access.bring_up_to_date(Installation((NEW_KEY,), INSTALLATION.tag), NOW)
    assert brokers.deleted == [gateway_user(KEY.id)]


def test_without_a_gateway_there_is_no_secret(cluster: FakeCluster) -> None:
    brokers = FakeBrokers(seen=EMPTY)
    make(cluster, brokers, secret=None).bring_up_to_date(INSTALLATION, NOW)
    assert not cluster.calls
    assert not brokers.steps


def test_a_refused_secret_holds_up_no_user(cluster: FakeCluster) -> None:
    brokers = FakeBrokers(seen=EMPTY)
    cluster.fail["apply"] = [ClusterError("no", status=403)] * 2
    make(cluster, brokers).bring_up_to_date(INSTALLATION, NOW)
    assert gateway_user(KEY.id) in brokers.seen.users


# The keys -----------------------------------------------------------------------------------------------------------


@dataclass
class FakeKeySecret:
    """A Secret in memory."""

    text: str | None = None
    fail: list[ClusterError] = field(default_factory=list)
    name: str = "genpool-operator-key"

    def namespace_uid(self) -> str:
        return "uid"

    def read(self) -> str | None:
        if self.fail:
            raise self.fail.pop(0)
        return self.text

    def create(self, line: str) -> str:
        self.text = f"{line}\n"
        return self.text


def test_a_key_is_made_once_and_kept() -> None:
    secret = FakeKeySecret()
    keys = OperatorKeys(secret, lambda: KEY.secret)
    assert keys.current() is None
    assert keys.trouble()
    assert keys.refresh()
    assert secret.text == f"{key_line(KEY.secret)}\n"
    assert not keys.refresh()
    again = OperatorKeys(secret, lambda: NEW_KEY.secret)
    assert again.refresh()
    assert again.current() == keys.current()
    assert keys.trouble() is None


def test_a_read_that_fails_keeps_the_keys_before() -> None:
    secret = FakeKeySecret()
    keys = OperatorKeys(secret, lambda: KEY.secret)
    keys.refresh()
    before = keys.current()
    secret.fail = [ClusterError("does not answer", status=0)]
    assert not keys.refresh()
    secret.text = "rubbish"
    assert not keys.refresh()
    assert keys.current() == before
    assert keys.trouble() is None
    assert secret.text == "rubbish", "what somebody wrote is not written over"


def test_a_changed_secret_counts() -> None:
    secret = FakeKeySecret()
    keys = OperatorKeys(secret, lambda: KEY.secret)
    keys.refresh()
    first = keys.current()
    assert first is not None
    secret.text = f"{key_line(NEW_KEY.secret)}\n{secret.text}"
    assert keys.refresh()
    assert keys.current() == Installation((NEW_KEY, KEY), first.tag)


def test_a_key_that_cannot_be_read_is_told() -> None:
    secret = FakeKeySecret(fail=[ClusterError("forbidden", status=403)])
    keys = OperatorKeys(secret, lambda: KEY.secret)
    assert not keys.refresh()
    assert keys.trouble() == "forbidden"
