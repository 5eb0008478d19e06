"""What happens to a cluster of kind on people's machines, made to happen.

Each case raises AssertionError with what is wrong.
"""

from __future__ import annotations

import signal
import subprocess

from genpool_dev.cluster.model import NAMESPACE
from genpool_dev.cluster.node.health import until
from genpool_dev.cluster.providers import kind_node
from genpool_dev.kindtest.checkout import Checkout, programs_of

_SECONDS = 300
_RABBITMQ = ("exec", "--namespace", NAMESPACE, "rabbitmq-0", "--", "rabbitmqctl", "--quiet")


def interrupted(checkout: Checkout) -> None:
    """SIGTERM while kind makes the node, as Ctrl-C: nothing of the node is left."""
    running = _half_way(checkout)
    programs_of(running)[0].send_signal(signal.SIGTERM)
    running.wait(_SECONDS)
    _check(running.returncode != 0, "cluster-up says that it went well")
    _check(not checkout.containers(), "the interrupted creation left its container")


def killed(checkout: Checkout) -> None:
    """SIGKILL of all programs while kind makes the node: the next run makes the cluster anew."""
    running = _half_way(checkout)
    for program in reversed(programs_of(running)):
        program.kill()
    running.wait(_SECONDS)
    left = set(checkout.containers())
    _check(checkout.command("cluster-up") == 0, "cluster-up fails after one that was killed")
    _check(left.isdisjoint(checkout.containers()), "the half-made node is used")


def images(checkout: Checkout) -> None:
    """RabbitMQ and S3 run with the images that Docker has: this node can pull none."""
    _check(checkout.command("cluster-up") == 0, "cluster-up fails")
    listed = checkout.engine.run(
        "docker", "exec", kind_node.NAME, "ctr", "-n", "k8s.io", "images", "list", "-q"
    )
    for image in (kind_node.RABBITMQ_IMAGE, kind_node.S3_IMAGE):
        _check(kind_node.full_name(image) in listed.split(), f"{image} is not in the node")


def stopped(checkout: Checkout) -> None:
    """The node is stopped: it is started again, and RabbitMQ has what it had."""
    _check(checkout.command("cluster-up") == 0, "cluster-up fails")
    before = checkout.containers()
    checkout.kubectl(*_RABBITMQ, "add_vhost", "kept")
    checkout.engine.run("docker", "stop", kind_node.NAME)
    _check(checkout.command("cluster-up") == 0, "cluster-up fails on a stopped node")
    _check(checkout.containers() == before, "the stopped node was made anew")
    _check("kept" in checkout.kubectl(*_RABBITMQ, "list_vhosts").split(), "RabbitMQ's data is lost")
    checkout.kubectl(*_RABBITMQ, "delete_vhost", "kept")


def somebodys(checkout: Checkout) -> None:
    """A container of the node's name that is not ours: it is neither used nor taken away."""
    node = ("docker", "create", "--name", kind_node.NAME, "--label", "io.x-k8s.kind.cluster=genpool")
    checkout.engine.run(*node, "--entrypoint", "/bin/true", checkout.node_image)
    _check(checkout.command("cluster-up") != 0, "somebody else's cluster is used")
    _check(checkout.command("cluster-down") != 0, "somebody else's cluster is taken away")
    _check(len(checkout.containers()) == 1, "somebody else's cluster is gone")
    checkout.engine.run("docker", "rm", kind_node.NAME)


CASES = (somebodys, interrupted, killed, images, stopped)
"""In their order: the later ones use the cluster that the earlier ones leave."""


def _half_way(checkout: Checkout) -> subprocess.Popen[bytes]:
    """Start ``cluster-up`` and return when the node's container is there and Kubernetes is not."""
    running = checkout.start("-m", "genpool_dev", "cluster-up")
    made = until(lambda: bool(checkout.containers()) or running.poll() is not None, _SECONDS, 0.1)
    _check(made and running.poll() is None, "cluster-up ended before it made a node")
    return running


def _check(holds: bool, sentence: str) -> None:  # noqa: FBT001 - an assertion that ruff and -O leave in
    if not holds:
        raise AssertionError(sentence)
