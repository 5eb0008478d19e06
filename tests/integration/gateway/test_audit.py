"""The audit log: each route that changes something leaves a line with who, what and when, or is excused by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pika
import pytest
import requests
import yaml

from genpool_core import names
from genpool_core.messages import headers
from genpool_core.podlayout import S3_ACCESS_KEY, S3_SECRET_KEY
from genpool_core.topology.desired import intake_topology
from integration.broker import Vhost, until
from integration.bucket import Bucket
from integration.gateway.api import PASSWORD, POOL, QUEUE, WORKER, Api, prepare
from integration.gateway.conftest import GatewayProcess, Receiver

INTAKE = "photos"
#: Routes without a line, by the name that the OpenAPI document gives them, and why.
EXCUSED = {
    "submit_task": "the task itself says who sent it and when",
    "submit_tasks": "each task says it",
    "make_upload": "it makes a link; the file is used by a task that says who sent it, or goes unused",
    "send_upload": "as making its link",
    "put_file": "as making its link, which it was sent to",
}
CHANGING = {"post", "put", "patch", "delete"}


@dataclass
class Rig:
    """A gateway, and an operator who does things in it."""

    api: Api
    bucket: Bucket
    receiver: Receiver
    operator: str
    secret: str

    def ended(self, outcome: str = "succeeded", **fields: Any) -> str:  # noqa: ANN401 - of the request
        """A task that has ended, in the ledger too."""
        task = self.api.submit(**fields)
        callback = {} if not fields else {"callback_url": fields["callback_url"]}
        end = self.api.ended(task, outcome, reason="NodeFailed", **callback)
        key = f"{self.api.process.vhost.name}/tasks/{task['id']}/runs/1/end.json"
        self.bucket.client().put_object(Bucket=self.bucket.name, Key=key, Body=end.model_dump_json().encode())
        self.api.until_status(task["id"], "failed" if outcome == "dead" else outcome)
        return str(task["id"])

    def do(self, method: str, path: str, body: object = None, *, admin: bool = False) -> dict[str, Any]:
        answer = self.api.call(method, path, body, key=self.api.key if admin else self.secret)
        assert answer.status_code in {200, 201, 202}, answer.text
        return dict(answer.json())


@pytest.fixture
def rig(gateway_process: GatewayProcess, vhost: Vhost, bucket: Bucket, receiver: Receiver) -> Iterator[Rig]:
    process = gateway_process
    assert vhost is process.vhost
    s3 = {"endpoint": bucket.endpoint, "bucket": bucket.name, "prefix": f"{vhost.name}/"}
    vhost.apply(intake_topology(INTAKE, vhost.version))
    api = prepare(
        process,
        queue={"name": QUEUE, "intake": INTAKE},
        storage={"type": "S3", "s3": s3},
        security={"callbackHosts": receiver.allow},
    )
    process.queues = [QUEUE, INTAKE]
    folder = process.folder / "store"
    folder.mkdir()
    (folder / S3_ACCESS_KEY).write_text(bucket.access_key)
    (folder / S3_SECRET_KEY).write_text(bucket.secret_key)
    listed = {"endpoint": bucket.endpoint, "bucket": bucket.name, "credentialsPath": str(folder)}
    (process.folder / "stores.yaml").write_text(yaml.safe_dump({"stores": [listed]}))
    process.environment["GENPOOL_STORES_FILE"] = str(process.folder / "stores.yaml")
    process.start()
    process.until_ready()
    made = api.call("POST", "/v1/keys", {"name": "olga", "role": "operator"}).json()
    yield Rig(api, bucket, receiver, made["id"], made["key"])
    api.session.close()


# What is done on each route, the action in the log, and its subject ------------------------------------------------


def cancel(rig: Rig) -> str:
    task = str(rig.api.submit()["id"])
    for _ in range(2):
        rig.do("POST", f"/v1/tasks/{task}/cancel")
    return task


def replay(rig: Rig) -> str:
    task = rig.ended()
    rig.do("POST", f"/v1/tasks/{task}/replay")
    return task


def replay_callback(rig: Rig) -> str:
    task = rig.ended(callback_url=rig.receiver.url("200"))
    rig.do("POST", f"/v1/tasks/{task}/callbacks/replay")
    return task


def delete(rig: Rig) -> str:
    task = rig.ended()
    rig.do("DELETE", f"/v1/tasks/{task}")
    return task


def dead_letters(action: str) -> Callable[[Rig], str]:
    def act(rig: Rig) -> str:
        body = json.dumps({"task_id": action, "prompt": "x"}).encode()
        properties = pika.BasicProperties(
            user_id=WORKER, delivery_mode=2, headers={headers.REASON: "NodeFailed"}
        )
        with rig.api.process.vhost.raw(WORKER, PASSWORD) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", names.dead_queue(QUEUE), body, properties)
        rig.do("POST", f"/v1/dead-letters/{action}", {"pool": "text", "reason": "NodeFailed"})
        return f"{POOL.namespace}/{POOL.name}: 1, reason NodeFailed"

    return act


def intake_letters(action: str) -> Callable[[Rig], str]:
    def act(rig: Rig) -> str:
        vhost, dead = rig.api.process.vhost, names.dead_queue(INTAKE)
        with vhost.raw() as connection:
            connection.channel().basic_publish("", dead, b"no json")
        until(lambda: vhost.ready(dead), "the dead letter")
        rig.do("POST", f"/v1/dead-letters/intake/{action}", {"pool": "text", "all": True})
        if action == "replay":
            until(lambda: vhost.ready(dead), "it is refused again")
            vhost.purge(dead)
        return f"intake {INTAKE} before {POOL.namespace}/{POOL.name}: 1"

    return act


def make_key(rig: Rig) -> str:
    return str(rig.do("POST", "/v1/keys", {"name": "ann"}, admin=True)["id"])


def revoke_key(rig: Rig) -> str:
    key = make_key(rig)
    rig.do("DELETE", f"/v1/keys/{key}", admin=True)
    return key


def begin_session(rig: Rig) -> str:
    answer = requests.post(f"{rig.api.url}/v1/session", json={"key": rig.secret}, timeout=10)
    assert answer.status_code == 200, answer.text
    return rig.operator


def end_session(rig: Rig) -> str:
    with requests.Session() as browser:
        begun = browser.post(f"{rig.api.url}/v1/session", json={"key": rig.secret}, timeout=10)
        token = {"X-CSRF-Token": begun.json()["csrf"]}
        assert browser.delete(f"{rig.api.url}/v1/session", headers=token, timeout=10).status_code == 204
    return rig.operator


DONE: Mapping[str, tuple[str, Callable[[Rig], str]]] = {
    "cancel_task": ("task.canceled", cancel),
    "replay_task": ("task.replayed", replay),
    "replay_callback": ("callback.replayed", replay_callback),
    "delete_task": ("task.deleted", delete),
    "replay_dead_letters": ("dead-letters.replayed", dead_letters("replay")),
    "discard_dead_letters": ("dead-letters.discarded", dead_letters("discard")),
    "replay_intake_letters": ("dead-letters.replayed", intake_letters("replay")),
    "discard_intake_letters": ("dead-letters.discarded", intake_letters("discard")),
    "make_key": ("key.made", make_key),
    "revoke_key": ("key.revoked", revoke_key),
    "begin_session": ("session.begun", begin_session),
    "end_session": ("session.ended", end_session),
}


def test_every_change_has_its_line(rig: Rig) -> None:
    document = rig.api.call("GET", "/openapi.json").json()
    changing = {
        operation["operationId"]
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in CHANGING
    }
    assert changing == {*DONE, *EXCUSED}, "a new route needs a line in the audit log, and an entry here"
    began = datetime.now(UTC)
    for action, do in DONE.values():
        before = lines(rig)
        subject = do(rig)
        new = lines(rig)[: len(lines(rig)) - len(before)]
        mine = [line for line in new if line["action"] == action]
        who = "installation" if action.startswith("key.") else rig.operator
        assert [(line["key"], line["subject"]) for line in mine] == [(who, subject)], action
        assert began < datetime.fromisoformat(mine[0]["time"]) < datetime.now(UTC)
        assert len(new) == 1 + (action in {"key.revoked", "session.ended"}), new


def test_no_secret_is_in_it(rig: Rig) -> None:
    for _, do in DONE.values():
        do(rig)
    text = rig.api.call("GET", "/v1/audit").text
    assert not [secret for secret in ("gpk_", "s3cr3t", "lake", rig.secret, rig.api.key) if secret in text]


def lines(rig: Rig) -> list[dict[str, Any]]:
    return list(rig.api.call("GET", "/v1/audit").json()["entries"])
