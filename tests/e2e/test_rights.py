"""What the operator's account may do with Secrets, asked of the real API server; and a new key on real pods."""

from __future__ import annotations

import secrets
import time

import pytest
import yaml

from e2e.lab import Lab
from e2e.manifests import POOL, task
from e2e.results import succeeded
from genpool_core import names, timing
from genpool_core.operatorkeys import KEY_BYTES, KEYS, OperatorKey, key_line, parse_keys
from genpool_dev.stack import layout
from genpool_dev.stack.callback_secrets import callback_secrets, hand_over
from support.waiting import wait_until

ACCOUNT = f"--as=system:serviceaccount:{layout.SYSTEM_NAMESPACE}:{layout.RELEASE}-operator"
KEY_SECRET = f"{layout.RELEASE}-operator-key"
GATEWAY_SECRET = f"{layout.RELEASE}-gateway"
SYSTEM = f"--namespace={layout.SYSTEM_NAMESPACE}"
GATEWAY_PODS = f"--selector=app.kubernetes.io/instance={layout.RELEASE},app.kubernetes.io/component=gateway"


@pytest.mark.together
def test_the_operator_may_write_two_secrets_of_a_namespace_and_read_none(lab: Lab) -> None:
    with lab.warm() as scene:
        here = f"--namespace={scene.place}"
        shared = (names.WORKER_LOGINS, names.CALLBACK_SECRETS)
        for name in (*shared, layout.STORAGE_SECRET):
            assert "forbidden" in _refused(lab, "get", "secret", name, here, ACCOUNT)
        for words in (("get", "secrets"), ("get", "secrets", "--all-namespaces")):
            assert "forbidden" in _refused(lab, *words, here, ACCOUNT)
        for name in shared:
            for verb in ("create", "patch"):
                assert _may(lab, verb, name, here)
        for verb in ("get", "list", "watch", "create", "patch", "update", "delete", "deletecollection"):
            assert not _may(lab, verb, layout.STORAGE_SECRET, here), verb
        for verb in ("get", "list", "watch", "update", "delete"):
            assert not any(_may(lab, verb, name, here) for name in shared), verb


@pytest.mark.together
def test_an_apply_that_creates_is_allowed_by_the_name_alone(lab: Lab) -> None:
    """Rights to create cannot be limited to a name in a POST; in an apply the name is in the path."""
    with lab.scene("apply-by-name") as scene:
        here = f"--namespace={scene.place}"
        _apply(lab, names.WORKER_LOGINS, here)
        assert scene.kubectl("get", "secret", names.WORKER_LOGINS, "--output=name").strip()
        for name in ("another", layout.STORAGE_SECRET):
            manifest = _manifest(name)
            words = ("apply", "--server-side", "--field-manager=e2e", "--filename=-", here, ACCOUNT)
            said = lab.kubectl.attempt(*words, stdin=manifest)
            assert said.returncode != 0
            assert "forbidden" in said.stderr


@pytest.mark.together
def test_in_its_own_namespace_it_reads_its_key_alone(lab: Lab) -> None:
    assert _may(lab, "get", KEY_SECRET, SYSTEM)
    for name in (GATEWAY_SECRET, layout.BROKER_SECRET):
        assert not _may(lab, "get", name, SYSTEM)
    for verb in ("list", "watch", "delete", "update"):
        assert not _may(lab, verb, KEY_SECRET, SYSTEM), verb


@pytest.mark.alone
def test_a_new_key_reaches_running_pods_and_no_task_notices(lab: Lab) -> None:
    """As the how-to says: the new key before the old one, two minutes later the new one alone."""
    with lab.warm() as scene:
        (pod,) = scene.wait_ready_pods(1)
        old = lab.kubectl.run("get", "secret", KEY_SECRET, SYSTEM, "--output=jsonpath={.data.keys}")
        new = OperatorKey(secrets.token_bytes(KEY_BYTES))
        before = yaml.safe_load(f"x: !!binary {old}")["x"].decode().strip()
        ended = {OperatorKey(key).id for key in parse_keys(before, KEY_SECRET)}
        secret_before = callback_secrets(lab.kubectl, scene.place, POOL)
        _write_keys(lab, key_line(new.secret), before)
        (gateway,) = lab.kubectl.run("get", "pods", SYSTEM, GATEWAY_PODS, "--output=name").split()
        worker = f"pod/{pod['metadata']['name']}"
        wait_until(
            lambda: _file(lab, worker, scene.place, "/run/genpool/broker/username"),
            lambda user: user.endswith(new.id),
            "the new login in the running pod",
            seconds=timing.ROTATION_SECONDS,
        )
        assert secret_before in callback_secrets(lab.kubectl, scene.place, POOL).split()
        wait_until(
            lambda: _file(
                lab, gateway, layout.SYSTEM_NAMESPACE, f"/etc/genpool-gateway/{layout.BROKER}.username"
            ),
            lambda user: user.endswith(new.id),
            "the new login in the gateway",
            seconds=timing.ROTATION_SECONDS,
        )
        scene.send(task("in-hand", "slow=15"))
        scene.wait_progress("in-hand")
        _write_keys(lab, key_line(new.secret))
        wait_until(
            lambda: [user for user in lab.broker.users() if names.key_of_user(user) in ended],
            lambda left: not left,
            "the end of the old users",
            seconds=60,
        )
        assert succeeded(scene, scene.wait_ends("in-hand")["in-hand"]).attempt == 1
        hand_over(lab.kubectl, scene.place, POOL, lab.secrets)
        scene.send(task("after-the-rotation", callback_url=lab.receivers[0].url("after-the-rotation")))
        succeeded(scene, scene.wait_ends("after-the-rotation")["after-the-rotation"])
        wait_until(
            lambda: [each.verified for each in lab.receivers[0].deliveries("after-the-rotation")],
            lambda verified: verified and verified[-1],
            "a callback with the signature of the new key",
            seconds=90,
        )
        (still,) = scene.wait_ready_pods(1)
        assert still["metadata"]["uid"] == pod["metadata"]["uid"]
        assert not [each for each in still["status"]["containerStatuses"] if each["restartCount"]]


def _write_keys(lab: Lab, *lines: str) -> None:
    words = ("create", "secret", "generic", KEY_SECRET, f"--from-file={KEYS}=/dev/stdin", SYSTEM)
    text = "".join(f"{line}\n" for line in lines)
    manifest = lab.kubectl.run(*words, "--dry-run=client", "--output=yaml", stdin=text)
    lab.kubectl.run("replace", "--filename=-", SYSTEM, stdin=manifest)


def _file(lab: Lab, pod: str, place: str, path: str) -> str:
    """A file in the first container of a pod. The kubelet renews it now and not within a minute, as the pod changes."""
    here = f"--namespace={place}"
    lab.kubectl.run("annotate", "--overwrite", pod, here, f"example.com/looked-at={time.monotonic()}")
    return lab.kubectl.run("exec", pod, here, "--", "cat", path)


def _may(lab: Lab, verb: str, name: str, place: str) -> bool:
    """As the API server answers a SelfSubjectAccessReview of the operator's account."""
    said = lab.kubectl.attempt("auth", "can-i", verb, f"secrets/{name}", place, ACCOUNT).stdout.strip()
    assert said in {"yes", "no"}, said
    return said == "yes"


def _refused(lab: Lab, *words: str) -> str:
    done = lab.kubectl.attempt(*words)
    assert done.returncode != 0, done.stdout
    return done.stderr.lower()


def _apply(lab: Lab, name: str, place: str) -> None:
    words = ("apply", "--server-side", "--field-manager=e2e", "--filename=-", place, ACCOUNT)
    lab.kubectl.run(*words, stdin=_manifest(name))


def _manifest(name: str) -> str:
    return yaml.safe_dump(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"e2e": "eA=="}}
    )
