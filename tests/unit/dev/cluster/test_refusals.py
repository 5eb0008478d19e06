"""Why a cluster cannot start here, in a sentence that says what to do."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from genpool_dev.cluster.addresses import Route, collision, divide
from genpool_dev.cluster.errors import ClusterError, explain
from genpool_dev.cluster.model import allowed_context
from genpool_dev.cluster.node.places import Places, claim
from genpool_dev.cluster.preflight import GIB, Facts, available_memory, refusal
from genpool_dev.cluster.settings import load
from genpool_dev.privilege import carried, sudo_command

SUBNET = IPv4Network("10.213.0.0/16")
FINE = Facts(
    system="Linux",
    root=True,
    disk=((Path("/cache"), 20 * GIB, 9 * GIB),),
    memory=8 * GIB,
    routes=(),
)


def test_a_machine_that_has_everything_is_not_refused() -> None:
    assert refusal(FINE, SUBNET, "genpool-host") is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": "Darwin"}, ("Darwin", "PROVIDER=kind", "PROVIDER=current")),
        ({"root": False}, ("root", "sudo", "PROVIDER=kind")),
        ({"disk": ((Path("/cache"), GIB, 9 * GIB),)}, ("/cache", "1.0 GiB", "XDG_CACHE_HOME")),
        ({"memory": GIB}, ("3 GiB of memory", "1.0 GiB are available")),
        (
            {"routes": (Route(IPv4Network("10.213.7.0/24"), "eth1"),)},
            ("10.213.7.0/24", "eth1", "GENPOOL_DEV_SUBNET"),
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(
    change: dict[str, object], words: tuple[str, ...]
) -> None:
    sentence = refusal(replace(FINE, **change), SUBNET, "genpool-host")  # type: ignore[arg-type]
    assert sentence is not None
    assert all(word in sentence for word in words)


@pytest.mark.parametrize(
    ("network", "device", "collides"),
    [
        ("10.213.0.0/16", "genpool-host", False),  # our own, of the last run
        ("10.213.0.0/16", "tun0", True),
        ("10.213.255.252/30", "eth0", True),
        ("10.0.0.0/8", "tun0", False),  # ours is preferred while it is there
        ("192.0.2.0/24", "eth0", False),
    ],
)
def test_a_subnet_that_another_route_has_is_refused(network: str, device: str, *, collides: bool) -> None:
    found = collision(SUBNET, [Route(IPv4Network(network), device)], "genpool-host")
    assert (found is not None) is collides


def test_a_subnet_is_divided_without_overlap() -> None:
    plan = divide(SUBNET)
    assert (str(plan.pods), str(plan.services)) == ("10.213.0.0/24", "10.213.64.0/24")
    assert (str(plan.host), str(plan.node)) == ("10.213.255.253", "10.213.255.254")
    link = IPv4Network(f"{plan.host}/{plan.link_bits}", strict=False)
    assert plan.node in link
    assert not any(link.overlaps(network) for network in (plan.pods, plan.services))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PROVIDER", "minikube", "PROVIDER is wrong.*'local', 'kind' or 'current'"),
        ("GENPOOL_DEV_SUBNET", "10.1.0.0/24", "GENPOOL_DEV_SUBNET is wrong: must be a /16"),
        ("GENPOOL_DEV_NETNS", "Much-Too-Long", "GENPOOL_DEV_NETNS is wrong: must be at most 10"),
        ("GENPOOL_DEV_GPUS", "-1", "GENPOOL_DEV_GPUS is wrong"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ClusterError, match=words):
        load()


def test_a_folder_with_somebody_elses_files_never_becomes_the_state(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(ClusterError, match="GENPOOL_DEV_STATE"):
        claim(Places(tmp_path, tmp_path / "kept"))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_state_folder_can_be_claimed_again(tmp_path: Path) -> None:
    places = Places(tmp_path / "state", tmp_path / "kept")
    claim(places)
    (places.logs / "x.log").write_text("kept")
    claim(places)
    assert (places.logs / "x.log").read_text() == "kept"


@pytest.mark.parametrize(
    ("name", "extra", "allowed"),
    [
        ("genpool-local", "", True),
        ("kind-genpool", "", True),
        ("production", "", False),
        ("staging", "dev,staging", True),
        ("", ",", False),
    ],
)
def test_only_listed_contexts_are_allowed(name: str, extra: str, *, allowed: bool) -> None:
    assert allowed_context(name, extra) is allowed


def test_meminfo_is_read_and_unknown_is_none() -> None:
    assert available_memory("MemTotal: 9 kB\nMemAvailable:  2048 kB\n") == 2048 * 1024
    assert available_memory("") == 0


def test_an_error_shows_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "etcd.log"
    log.write_text("\n".join(f"line {number}" for number in range(40)))
    shown = explain(ClusterError("etcd ended.", log=log))
    assert shown.startswith("etcd ended.\nMore in ")
    assert "line 39" in shown
    assert "line 24\n" not in shown


def test_sudo_carries_settings_by_name_and_never_a_value() -> None:
    env = {
        "PATH": "/bin",
        "PIP_INDEX_URL": "https://user:secret@example.org",
        "GENPOOL_DEV_GPUS": "2",
        "KEEP": "1",
        "EDITOR": "vi",
    }
    assert carried(env) == ["GENPOOL_DEV_GPUS", "KEEP", "PIP_INDEX_URL"]
    command = sudo_command(["demo"], env, "/x/python")
    assert command[-4:] == ["/x/python", "-m", "genpool_dev", "demo"]
    assert "PATH=/bin" in command
    assert not any("secret" in word for word in command)
