"""What is done with the node of a kind cluster, and what it is made with."""

from __future__ import annotations

import pytest
import yaml

from genpool_dev.cluster.artifacts.docker import build_refusal, superseded
from genpool_dev.cluster.providers import kind_node
from genpool_dev.cluster.providers.kind_node import Node
from genpool_dev.cluster.services import NODE_PORTS

PORTS = {NODE_PORTS[name]: port for name, port in kind_node.HOST_PORTS.items()}


def node(status: str = "running") -> Node:
    return Node(status, PORTS)


@pytest.mark.parametrize(
    ("found", "action"),
    [
        (None, "create"),
        (node(), "use"),
        (node("restarting"), "use"),
        (node("exited"), "start"),
        (node("created"), "start"),
        (node("paused"), "unpause"),
        (node("dead"), "create"),
    ],
)
def test_a_node_with_data_is_never_made_anew(found: Node | None, action: str) -> None:
    assert kind_node.action(found) == action


def test_ports_are_read_from_the_container() -> None:
    inspected = {
        "State": {"Status": "exited"},
        "HostConfig": {
            "PortBindings": {
                "6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40123"}],
                "30672/tcp": [{"HostIp": "127.0.0.1", "HostPort": "25672"}],
                "31672/tcp": [{"HostIp": "127.0.0.1", "HostPort": "25673"}],
                "30900/tcp": [{"HostIp": "127.0.0.1", "HostPort": "25900"}],
                "80/tcp": None,
            }
        },
    }
    found = kind_node.parse(inspected)
    assert found.is_ours
    assert not found.runs
    assert found.host_ports() == {"amqp": 25672, "management": 25673, "s3": 25900}


def test_a_cluster_without_our_ports_is_somebody_elses() -> None:
    assert not Node("running", {6443: 40123}).is_ours
    assert node().is_ours


def test_no_port_is_one_that_a_rabbitmq_of_this_machine_takes() -> None:
    rabbitmq = {4369, 5671, 5672, 15671, 15672, 15692, 25672, *range(35672, 35683)}
    ours = set(kind_node.HOST_PORTS.values())
    assert not ours & rabbitmq
    assert all(1024 < port < 32768 for port in ours), "not among the ports of outgoing connections"


def test_kubelet_starts_on_control_groups_of_version_1() -> None:
    config = yaml.safe_load(kind_node.cluster_config())
    (patch,) = (yaml.safe_load(each) for each in config["kubeadmConfigPatches"])
    assert patch == {"kind": "KubeletConfiguration", "failCgroupV1": False}


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("rabbitmq:4.3-management", "docker.io/library/rabbitmq:4.3-management"),
        ("versity/versitygw:v1.8.0", "docker.io/versity/versitygw:v1.8.0"),
        ("localhost/genpool/worker:abc", "localhost/genpool/worker:abc"),
        ("registry.example.org/a:1", "registry.example.org/a:1"),
        ("registry:5000/a:1", "registry:5000/a:1"),
    ],
)
def test_names_of_images_as_the_node_has_them(image: str, full: str) -> None:
    assert kind_node.full_name(image) == full


def test_only_what_the_node_lacks_is_loaded() -> None:
    wanted = ["localhost/genpool/worker:2", "rabbitmq:4.3-management", "localhost/genpool/worker:2"]
    present = {"docker.io/library/rabbitmq:4.3-management", "localhost/genpool/worker:1"}
    assert kind_node.to_load(wanted, present) == ["localhost/genpool/worker:2"]


def test_older_images_go_but_not_the_newest_few_nor_one_that_is_wanted() -> None:
    worker, gateway = "localhost/genpool/worker", "localhost/genpool/gateway"
    newest_first = [f"{worker}:5", f"{gateway}:1", f"{worker}:4", f"{worker}:3", f"{worker}:2", f"{worker}:1"]
    assert superseded(newest_first, {f"{worker}:1"}, keep=2) == [f"{worker}:3", f"{worker}:2"]


@pytest.mark.parametrize(
    ("client", "buildx", "refused"),
    [
        ("20.10.24+dfsg1", False, False),
        ("28.2.2", False, True),
        ("28.2.2", True, False),
        ("", False, False),
    ],
)
def test_a_docker_that_cannot_build_is_told_what_it_lacks(
    client: str, *, buildx: bool, refused: bool
) -> None:
    sentence = build_refusal(client, buildx=buildx)
    assert (sentence is not None) is refused
    if sentence is not None:
        assert all(word in sentence for word in (client, "docker-buildx-plugin", "missing"))
