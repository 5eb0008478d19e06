"""No password, key or signing secret is to be read where people look: logs, statuses, events, manifests."""

from __future__ import annotations

import base64

import pytest

from e2e.lab import Lab
from e2e.manifests import POOL, task
from genpool_core import names
from genpool_core.operatorkeys import KEYS
from genpool_dev.stack import layout
from genpool_dev.stack.callback_secrets import callback_secrets

#: Everything that many people may read. Secrets are for those who may.
READABLE = "generationpools.genpool.dev,deployments,pods,configmaps,events,replicasets"


@pytest.mark.alone
def test_no_secret_is_to_be_read_anywhere(lab: Lab) -> None:
    with lab.warm() as scene:
        scene.send(task("seen", callback_url=lab.receivers[0].url("seen?token=in-the-query")))
        scene.wait_ends("seen")
        begun = {
            scene.place: ["worker_ready"],
            layout.SYSTEM_NAMESPACE: ["operator_started", "gateway_started"],
        }
        for place, lines in begun.items():
            text = _everything(lab, place)
            assert [line for line in lines if line in text] == lines, f"the logs of {place} were not read"
            for what, secret in _secrets(lab, scene.place).items():
                assert secret not in text, f"{what} is to be read in {place}"


@pytest.mark.together
def test_what_runs_in_comfyui_reads_no_secret(lab: Lab) -> None:
    """A node reads the environment of every process and every file that it finds, and saves what it saw."""
    looking = {"env": [{"name": "COMFYUI_STANDIN_LOOKING", "value": "/"}]}
    graph = {"1": {"class_type": "StandinLook", "inputs": {"filename_prefix": "look"}}}
    with lab.scene("look", comfyui=looking, security={"allowGraphs": True}) as scene:
        scene.apply()
        scene.send({"task_id": "look", "prompt": graph})
        end = scene.wait_ends("look")["look"].end
        assert end is not None
        assert end.outcome == "succeeded", end.message
        (output,) = end.outputs
        seen = lab.bucket.read(output.key).decode()
        for known in ("COMFYUI_STANDIN_LOOKING=/", "genpool_dev.comfyui", "/etc/hosts"):
            assert known in seen, f"it did not even see {known}"
        assert "genpool_worker" not in seen, "it sees the worker's processes"
        for what, secret in _secrets(lab, scene.place).items():
            assert secret not in seen, f"a node reads {what}"


def _secrets(lab: Lab, place: str) -> dict[str, str]:
    def read(namespace: str, name: str, key: str) -> str:
        found = lab.kubectl.get("secret", name, f"--namespace={namespace}")
        return base64.b64decode(found["data"][key]).decode().strip()

    gateway = f"{layout.RELEASE}-gateway"
    return {
        "the workers' RabbitMQ password": read(place, names.WORKER_LOGINS, names.login_keys(POOL)[1]),
        "the gateway's RabbitMQ password": read(
            layout.SYSTEM_NAMESPACE, gateway, names.login_keys(layout.BROKER)[1]
        ),
        "the first API key": read(layout.SYSTEM_NAMESPACE, gateway, names.ADMIN_API_KEY),
        "the gateway's signing key": read(layout.SYSTEM_NAMESPACE, gateway, names.SIGNING_KEYS),
        "the operator's key": read(layout.SYSTEM_NAMESPACE, f"{layout.RELEASE}-operator-key", KEYS),
        "the administrator's RabbitMQ password": lab.info.rabbitmq.password,
        "the secret key of S3": lab.info.s3.secret_key,
        "the secret that signs callbacks": callback_secrets(lab.kubectl, place, POOL).removeprefix("whsec_"),
        "the query string of a callback URL": "in-the-query",
    }


def _everything(lab: Lab, place: str) -> str:
    here = f"--namespace={place}"
    pods = lab.kubectl.run("get", "pods", here, "--output=name").split()
    logs = [lab.kubectl.run("logs", pod, here, "--all-containers") for pod in pods]
    return "\n".join([lab.kubectl.run("get", READABLE, here, "--output=yaml"), *logs])
