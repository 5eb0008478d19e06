"""The operator's keys and what they open, on a real API server and a real RabbitMQ: rotation, conflicts, neighbours."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pika
import pytest

from genpool_adapters.kube.api import KubeApi
from genpool_adapters.kube.login import load_configuration
from genpool_core import names, timing
from genpool_core.errors import ClusterError
from genpool_core.operatorkeys import KEYS, Installation, OperatorKey, key_line, parse_keys
from genpool_core.topology.rights import gateway_permissions
from genpool_operator.adapters.key_secret import KubeKeySecret
from genpool_operator.adapters.kube import KubeCluster
from genpool_operator.decide.manifests.gateway import build_gateway_login
from integration.broker import Vhost, until
from integration.operator.harness import Json, Kubectl, OperatorProcess, pool_manifest

KEY_SECRET, GATEWAY_SECRET = "genpool-operator-key", "genpool-gateway"
NEW_KEY = OperatorKey(b"n" * 32)
#: A key is read, pools and the gateway's Secret follow: without the kubelet's part.
SOON = timing.ACCESS_SECONDS + timing.RESYNC_SECONDS


def keys_of(kubectl: Kubectl) -> tuple[OperatorKey, ...]:
    text = until(lambda: kubectl.secret(KEY_SECRET).get(KEYS), "the operator's key")
    return tuple(OperatorKey(key) for key in parse_keys(text, KEY_SECRET))


def write_keys(kubectl: Kubectl, *keys: OperatorKey) -> None:
    """As the how-to says."""
    lines = "\n".join(key_line(key.secret) for key in keys)
    data = {KEYS: base64.b64encode(lines.encode()).decode()}
    kubectl.patch("secret", KEY_SECRET, {"data": data})


def gateway_login(kubectl: Kubectl) -> tuple[str, str]:
    data = kubectl.secret(GATEWAY_SECRET)
    username, password = (data.get(key, "") for key in names.login_keys("default"))
    return username, password


def opens(vhost: Vhost, login: tuple[str, str]) -> bool:
    try:
        vhost.raw(*login).close()
    except pika.exceptions.ProbableAuthenticationError:
        return False
    return True


def users(vhost: Vhost, kind: str) -> set[str]:
    found = vhost.api("GET", f"vhosts/{vhost.name}/permissions")
    return {row["user"] for row in found if row["user"].startswith(f"genpool.{kind}.")}


@pytest.fixture
def neighbour(rabbitmq: Vhost) -> Iterator[str]:
    """A user of another operator's pool on the same broker, of a key that nobody here knows."""
    name = names.worker_user(f"of-{rabbitmq.name}", "99999999")
    rabbitmq.add_user(name, "x", tags="genpool-installation-of-another")
    yield name
    assert rabbitmq.api("GET", f"users/{name}")["tags"] == ["genpool-installation-of-another"]


def test_the_gateway_has_a_login_before_there_is_a_pool(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    username, password = until(lambda: gateway_login(kubectl)[0] and gateway_login(kubectl), "its login")
    (key,) = keys_of(kubectl)
    assert (username, password) == (names.gateway_user(key.id), key.gateway_password("default"))
    assert kubectl.secret(GATEWAY_SECRET)[names.SIGNING_KEYS] == key_line(key.signing_key)
    assert kubectl.secret(GATEWAY_SECRET)[names.ADMIN_API_KEY] == key.admin_api_key
    rights = rabbitmq.api("GET", f"permissions/{rabbitmq.name}/{username}")
    assert {right: rights[right] for right in gateway_permissions()} == gateway_permissions()
    (tag,) = rabbitmq.api("GET", f"users/{username}")["tags"]
    assert tag.startswith("genpool-installation-")
    with rabbitmq.raw(username, password) as connection, pytest.raises(pika.exceptions.ChannelClosedByBroker):
        connection.channel().queue_declare("of-the-gateway")
    assert password not in operator.log.read_text()
    assert key.admin_api_key not in operator.log.read_text()
    assert key_line(key.secret) not in operator.log.read_text()


@pytest.mark.usefixtures("operator")
def test_a_new_key_without_a_gap(kubectl: Kubectl, rabbitmq: Vhost, neighbour: str) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    (old,) = keys_of(kubectl)
    logins = [kubectl.login(), until(lambda: gateway_login(kubectl)[0] and gateway_login(kubectl), "a login")]
    held = [rabbitmq.raw(*login) for login in logins]
    write_keys(kubectl, NEW_KEY, old)
    until(lambda: kubectl.login()[0].endswith(NEW_KEY.id), "the new login for the pods", SOON)
    until(lambda: gateway_login(kubectl)[0].endswith(NEW_KEY.id), "the new login for the gateway", SOON)
    for login in (*logins, kubectl.login(), gateway_login(kubectl)):
        assert opens(rabbitmq, login), login[0]
    secrets = kubectl.secret(names.CALLBACK_SECRETS)["pictures"].split("\n")
    uid = kubectl.pool()["metadata"]["uid"]
    assert secrets == [NEW_KEY.callback_secret(uid), old.callback_secret(uid)]
    for connection in held:
        connection.process_data_events()
        assert connection.is_open
    kubectl.wait_condition("Ready", "True")

    write_keys(kubectl, NEW_KEY)
    for kind in ("worker", "gateway"):
        expected = {name for name in users(rabbitmq, kind) if name.endswith(NEW_KEY.id)} | (
            {neighbour} if kind == "worker" else set()
        )
        until(lambda kind=kind, left=expected: users(rabbitmq, kind) == left, f"no old {kind}", SOON)
    for login in logins:
        assert not opens(rabbitmq, login), login[0]
    for connection in held:
        until(lambda connection=connection: not alive(connection), "RabbitMQ ends old connections")
    assert opens(rabbitmq, kubectl.login())


def alive(connection: pika.BlockingConnection) -> bool:
    try:
        connection.process_data_events()
    except pika.exceptions.AMQPError:
        return False
    return connection.is_open


@pytest.mark.usefixtures("operator")
def test_a_lost_key_is_replaced_and_ends_all_logins_of_the_old_one(kubectl: Kubectl, rabbitmq: Vhost) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    (old,), before = keys_of(kubectl), kubectl.login()
    kubectl("delete", "secret", KEY_SECRET)
    (new,) = until(lambda: keys_of(kubectl), "another key", SOON)
    assert new.id != old.id
    until(lambda: kubectl.login()[0].endswith(new.id), "another login", SOON)
    until(lambda: not opens(rabbitmq, before), "the end of the old one", SOON)
    assert opens(rabbitmq, kubectl.login())


def test_a_restart_finds_its_key_and_changes_no_login(
    kubectl: Kubectl, rabbitmq: Vhost, operator: OperatorProcess
) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    before = kubectl.login(), gateway_login(kubectl), keys_of(kubectl)
    operator.stop()
    operator.start()
    until(lambda: operator.lines("operator_keys_read")[1:], "its key is read again")
    kubectl.apply(pool_manifest(rabbitmq.name, worker={"env": [{"name": "A", "value": "1"}]}))
    kubectl.wait_condition("Ready", "True")
    assert (kubectl.login(), gateway_login(kubectl), keys_of(kubectl)) == before


@pytest.mark.usefixtures("operator")
def test_keys_that_somebody_else_wrote_are_told(kubectl: Kubectl, rabbitmq: Vhost) -> None:
    foreign: Json = {"metadata": {"name": names.WORKER_LOGINS}, "stringData": {"pictures.username": "mine"}}
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", **foreign})
    kubectl.apply(pool_manifest(rabbitmq.name))
    told = kubectl.wait_condition("TopologyReady", "False")
    until(lambda: kubectl.condition("TopologyReady").get("reason") == "SecretTaken", "the reason")
    told = kubectl.condition("TopologyReady")
    assert "kubectl" in told["message"]
    assert ".data.pictures.username" in told["message"]
    assert kubectl.secret(names.WORKER_LOGINS) == {"pictures.username": "mine"}
    kubectl.patch("secret", names.WORKER_LOGINS, {"data": {"pictures.username": None}})
    kubectl.wait_condition("Ready", "True")
    assert names.pool_of_user(kubectl.login()[0]) == kubectl.pool()["metadata"]["uid"]


@pytest.mark.usefixtures("operator")
def test_pools_of_a_namespace_share_a_secret_and_each_leaves_with_its_keys(
    kubectl: Kubectl, rabbitmq: Vhost
) -> None:
    for name in ("pictures", "photos"):
        kubectl.apply(pool_manifest(rabbitmq.name, name=name, queue={"name": f"{name}_tasks"}))
    for name in ("pictures", "photos"):
        kubectl.wait_condition("Ready", "True", name)
    left = {key: value for key, value in kubectl.secret(names.WORKER_LOGINS).items() if "photos" in key}
    assert kubectl.secret(names.WORKER_LOGINS).keys() - left == {*names.login_keys("pictures")}
    kubectl("delete", "generationpool", "pictures", "--timeout=20s")
    until(lambda: kubectl.secret(names.WORKER_LOGINS) == left, "its keys are gone", 40)
    until(lambda: kubectl.secret(names.CALLBACK_SECRETS).keys() == {"photos"}, "its secret is gone", 40)
    assert opens(rabbitmq, kubectl.login("photos"))


@pytest.mark.long
@pytest.mark.usefixtures("operator")
def test_a_secret_that_somebody_deleted_is_written_again(kubectl: Kubectl, rabbitmq: Vhost) -> None:
    kubectl.apply(pool_manifest(rabbitmq.name))
    kubectl.wait_condition("Ready", "True")
    before = kubectl.login()
    kubectl("delete", "secret", names.WORKER_LOGINS, GATEWAY_SECRET)
    again = timing.SECRET_APPLY_SECONDS + SOON
    until(lambda: kubectl.secret(names.WORKER_LOGINS), "the pool's login", again)
    whole = {*names.login_keys("default"), names.SIGNING_KEYS, names.ADMIN_API_KEY}
    until(lambda: kubectl.secret(GATEWAY_SECRET).keys() == whole, "the gateway's Secret", again)
    assert kubectl.login() == before


@pytest.fixture
def kube(kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeApi]:
    monkeypatch.setenv("KUBECONFIG", str(kubectl.info.kubeconfig))
    made = KubeApi(load_configuration(), "genpool-operator")
    yield made
    made.close()


def test_a_key_is_never_written_over(kubectl: Kubectl, kube: KubeApi) -> None:
    """Two operators that begin at once: one makes the key, the other is refused and reads it."""
    one, other = (KubeKeySecret(kube, kubectl.namespace, KEY_SECRET) for _ in range(2))
    assert one.read() is None
    assert one.create("first") == "first\n"
    with pytest.raises(ClusterError) as caught:
        other.create("second")
    assert caught.value.taken
    assert other.read() == "first\n"
    assert one.namespace_uid()


def test_keys_are_taken_out_of_a_secret_and_of_none(kubectl: Kubectl, kube: KubeApi) -> None:
    cluster, place = KubeCluster(kube), (kubectl.namespace, "shared")
    cluster.remove_keys(*place, names.login_keys("a"))
    assert kubectl.get("secret", "shared") is None
    for owner in ("a", "b"):
        manifest = build_gateway_login(*place, owner, Installation((NEW_KEY,), "tag"))
        cluster.apply(manifest, manager=names.broker_manager(owner))
    cluster.remove_keys(*place, names.login_keys("a"))
    assert kubectl.secret("shared").keys() == {*names.login_keys("b")}
