"""The provider kind, with a docker, a kind and a kubectl that only write down what they are asked."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from genpool_dev.cluster.artifacts import catalog, docker
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.providers import kind_node
from genpool_dev.cluster.providers.kind import KindProvider
from genpool_dev.cluster.services import NODE_PORTS
from genpool_dev.cluster.settings import ClusterSettings
from genpool_dev.progress import Steps

#: What the three programs share: a folder of files that say how they are to behave.
PROGRAM = """#!/bin/sh
here="$(dirname "$0")/.."
name="$(basename "$0")"
echo "$name $*" >> "$here/asked"
case "$name $*" in
  "docker info"*) exit 0 ;;
  "docker version"*) echo "$(cat "$here/client" 2>/dev/null || echo 20.10.24)" ;;
  "docker buildx"*) test -e "$here/buildx" ;;
  "docker container ls"*) test ! -e "$here/node" || echo 0123 ;;
  "docker container inspect"*) test ! -e "$here/unknown" && cat "$here/node" ;;
  "docker start"*|"docker unpause"*|"docker restart"*) touch "$here/answers" ;;
  "docker exec"*"images list"*) cat "$here/in-node" 2>/dev/null || true ;;
  "docker image inspect"*) eval "last=\\${$#}"; grep -qxF "$last" "$here/in-docker" ;;
  "docker image ls"*) grep "^localhost/genpool/" "$here/in-docker" ;;
  "kind create"*)
    echo "creating"
    if [ -e "$here/fails" ]; then cp "$here/made" "$here/node"; touch "$here/stays"; exit 1; fi
    cp "$here/made" "$here/node"; touch "$here/answers" ;;
  "kind delete"*) if [ -e "$here/stays" ]; then rm "$here/stays"; else rm -f "$here/node"; fi ;;
  "kubectl "*readyz*) test -e "$here/answers" ;;
  "kubectl "*"get node"*) cat "$here/kubernetes-node" ;;
esac
"""


def inspected(status: str = "running", ports: dict[int, int] | None = None) -> str:
    mapped = ports or {NODE_PORTS[name]: port for name, port in kind_node.HOST_PORTS.items()}
    bindings = {f"{inside}/tcp": [{"HostPort": str(outside)}] for inside, outside in mapped.items()}
    return json.dumps([{"State": {"Status": status}, "HostConfig": {"PortBindings": bindings}}])


@dataclass(frozen=True)
class World:
    """The folder of what the programs know, and the provider that asks them."""

    folder: Path
    provider: KindProvider

    def asked(self, start: str) -> list[str]:
        return [line for line in (self.folder / "asked").read_text().splitlines() if line.startswith(start)]

    def has_node(self, status: str = "running", ports: dict[int, int] | None = None) -> None:
        (self.folder / "node").write_text(inspected(status, ports))
        self.provider.state.mkdir(parents=True, exist_ok=True)
        (self.provider.state / "kubeconfig").write_text("x")

    def up(self) -> None:
        self.provider.up(Steps())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("docker", "kind", "kubectl", "helm"):
        (programs / name).write_text(PROGRAM)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    (tmp_path / "made").write_text(inspected())
    components = catalog.component_names(docker.BASE).values()
    (tmp_path / "in-docker").write_text("".join(f"{name}\n" for name in components))
    (tmp_path / "asked").touch()
    gpus = {"nvidia.com/gpu": "8"}
    (tmp_path / "kubernetes-node").write_text(json.dumps({"status": {"capacity": gpus, "allocatable": gpus}}))
    settings = ClusterSettings(provider="kind", state=tmp_path / "state", kind_image="node.example/image:1")
    return World(tmp_path, KindProvider(settings, patience=0))


def test_a_new_cluster_has_the_node_image_that_is_set_and_the_images_that_docker_has(world: World) -> None:
    with (world.folder / "in-docker").open("a") as images:
        images.write("rabbitmq:4.3-management\n")
    world.up()
    (create,) = world.asked("kind create")
    assert create.endswith("--image node.example/image:1")
    ours, rabbitmq = world.asked("kind load")
    assert "localhost/genpool/worker:" in ours
    assert rabbitmq.endswith(" rabbitmq:4.3-management")
    assert not (world.provider.state / "half-made").exists()


def test_images_come_before_the_cluster(world: World) -> None:
    world.up()
    lines = (world.folder / "asked").read_text().splitlines()
    looked, created = (
        next(number for number, line in enumerate(lines) if line.startswith(start))
        for start in ("docker image inspect", "kind create")
    )
    assert looked < created


@pytest.mark.parametrize(
    ("status", "word"), [("exited", "start"), ("paused", "unpause"), ("running", "restart")]
)
def test_a_node_that_does_not_answer_is_started_and_never_made_anew(
    world: World, status: str, word: str
) -> None:
    world.has_node(status)
    world.up()
    assert world.asked(f"docker {word}") == [f"docker {word} genpool-control-plane"]
    assert not world.asked("kind create") + world.asked("kind delete")


def test_a_node_that_works_is_left_alone(world: World) -> None:
    world.has_node()
    (world.folder / "answers").touch()
    world.up()
    assert not world.asked("kind create") + world.asked("docker start") + world.asked("docker restart")


def test_a_kubeconfig_that_was_lost_is_asked_for(world: World) -> None:
    world.has_node()
    (world.folder / "answers").touch()
    (world.provider.state / "kubeconfig").unlink()
    world.up()
    assert world.asked("kind export kubeconfig")
    assert not world.asked("kind create")


def test_what_a_failed_create_left_is_cleared_and_its_log_is_its_own(world: World) -> None:
    world.provider.state.mkdir(parents=True)
    (world.provider.state / "kind.log").write_text("of the last time\n")
    (world.folder / "fails").touch()
    with pytest.raises(ClusterError, match="kind create cluster failed"):
        world.up()
    assert not (world.folder / "node").exists()
    assert (world.provider.state / "kind.log").read_text() == "creating\n"
    # Docker may make the container after all: the next time it is made anew.
    world.has_node()
    (world.folder / "fails").unlink()
    world.up()
    assert len(world.asked("kind create")) == 2


def test_what_a_killed_create_left_is_made_anew(world: World) -> None:
    world.has_node()
    (world.folder / "answers").touch()
    (world.provider.state / "half-made").touch()
    world.up()
    assert world.asked("kind delete")
    assert world.asked("kind create")


def test_images_that_docker_let_go_of_leave_the_node(world: World) -> None:
    world.has_node()
    (world.folder / "answers").touch()
    older = "localhost/genpool/worker:0123456789ab"
    (world.folder / "in-node").write_text(f"{older}\ndocker.io/library/rabbitmq:4.3-management\n")
    world.up()
    (removed,) = [line for line in world.asked("docker exec") if "images remove" in line]
    assert removed.endswith(f"images remove {older}")


def test_a_docker_without_buildx_is_seen_before_anything_is_made(world: World) -> None:
    (world.folder / "client").write_text("28.2.2")
    with pytest.raises(ClusterError, match="docker-buildx"):
        world.provider.check()
    (world.folder / "buildx").touch()
    world.provider.check()


def test_a_cluster_of_the_same_name_that_is_not_ours_is_left_alone(world: World) -> None:
    world.has_node(ports={6443: 40000})
    for refused in (world.provider.check, lambda: world.provider.down(Steps())):
        with pytest.raises(ClusterError, match="kind delete cluster --name genpool"):
            refused()
    assert not world.asked("kind")


def test_a_half_made_mark_of_long_ago_gives_no_right_to_a_cluster_that_is_not_ours(world: World) -> None:
    world.has_node(ports={6443: 40000})
    (world.provider.state / "half-made").touch()
    for refused in (world.provider.check, lambda: world.provider.down(Steps())):
        with pytest.raises(ClusterError, match="it is left alone"):
            refused()


def test_a_container_that_docker_lists_and_does_not_know_is_a_remainder(world: World) -> None:
    world.has_node()
    (world.folder / "unknown").touch()
    world.provider.check()
    world.provider.down(Steps())
    assert not (world.folder / "node").exists()


def test_the_way_to_a_cluster_of_an_older_version_is_its_own(world: World) -> None:
    world.has_node(ports={30672: 25672, 31672: 25673, 30900: 25900})
    found = world.provider.endpoints(None)  # type: ignore[arg-type]
    assert (found.amqp_port, found.s3_url) == (25672, "http://127.0.0.1:25900")


def test_down_takes_away_a_half_made_cluster_and_all_files(world: World) -> None:
    world.has_node()
    for name in ("half-made", "kind.log", "kind.yaml", "cluster.json"):
        (world.provider.state / name).touch()
    world.provider.down(Steps())
    assert not world.provider.state.exists()
    assert not (world.folder / "node").exists()
