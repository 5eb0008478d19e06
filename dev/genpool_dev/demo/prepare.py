"""Before the tasks: the servers on this machine, queues without old messages, the pools, the way to the API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genpool_core import names
from genpool_dev.cluster import handover
from genpool_dev.cluster.providers.gpus import GPU
from genpool_dev.demo import plan, state
from genpool_dev.demo.keyfile import key_file
from genpool_dev.demo.session import Session
from genpool_dev.progress import Steps
from genpool_dev.stack import pools as examples
from genpool_dev.stack.callback_secrets import hand_over
from genpool_dev.stack.gateway import GatewayApi, admin_api
from genpool_dev.stack.install import ROOT, Stack
from genpool_dev.stack.pools import Pool
from genpool_dev.stack.servers import process
from genpool_dev.stack.servers.process import ServerProcess
from genpool_dev.stack.waiting import wait_for

#: The stand-in starts in this many seconds, and works at the pace of a fast GPU, so that the scaling can be seen:
#: about 1.5 s a task. A picture has 20 steps, colouring counts as 4.
START_SECONDS = 1.0
STEP_SECONDS = {"text-pool.yaml": 0.07, "photo-pools.yaml": 0.35}
#: The gateway hears of a pool from Kubernetes at the same time as the operator does.
KNOWN_SECONDS = 30


@dataclass(frozen=True)
class Servers:
    """The two servers, and the files of the receiver."""

    photos: ServerProcess
    receiver: ServerProcess
    record: Path
    secrets: Path
    """Folder with the secrets that the receiver verifies with."""


def start_servers(stack: Stack, session: Session) -> Servers:
    """Start both on the address by which pods reach this machine; the session ends them."""
    folder, bind = state.folder(session.cluster), stack.info.host_address
    record, secrets = folder / "callbacks.jsonl", folder / "callback-secrets"
    record.unlink(missing_ok=True)
    secrets.mkdir(mode=0o700, exist_ok=True)
    photos = process.start("photos", "genpool_dev.stack.servers.photos", bind, folder)
    session.add(photos)
    words = ("--record", str(record), "--secrets", str(secrets))
    receiver = process.start("receiver", "genpool_dev.stack.servers.receiver", bind, folder, words)
    session.add(receiver)
    return Servers(photos, receiver, record, secrets)


def drop_old_messages(stack: Stack, steps: Steps) -> None:
    """Empty the queues that the demo will use: what a killed demo left there would be done again."""
    queues = stack.broker.queues()
    for work in plan.QUEUES:
        for name in (work, names.dead_queue(work)):
            if name in queues and queues[name].messages_ready:
                steps.say(
                    f"The queue {name} held {queues[name].messages_ready} messages from before: dropped."
                )
                stack.broker.purge(name)


def apply_examples(stack: Stack, servers: Servers, stamp: str, steps: Steps) -> list[Pool]:
    """Apply the example pools and wait until they are Ready. Each run has a folder of its own in the bucket."""
    common = examples.replacements(stack.info, servers.photos.port, servers.receiver.port)
    common["prefix: "] = f"prefix: demo-{stamp}/"
    if not stack.info.gpus:
        steps.say(
            f"No node of {stack.info.context} has {GPU}: the pools ask for none (the stand-in needs none)."
        )
    pools = []
    for name, step_seconds in STEP_SECONDS.items():
        texts = {**common, **examples.slowed(step_seconds, START_SECONDS)}
        pools += examples.apply_pool(stack.kubectl, ROOT / examples.EXAMPLES / name, texts)
    for pool in pools:
        examples.wait_ready(stack.kubectl, pool)
        hand_over(stack.kubectl, pool.namespace, pool.name, servers.secrets)
    return pools


def open_api(stack: Stack, pools: list[Pool]) -> GatewayApi:
    """The API under the first key, which lies in a file for whoever runs the demo; it knows the pools."""
    api = admin_api(stack.info, stack.kubectl)
    handover.write(key_file(stack.info), f"{api.key}\n")
    wanted = {f"{pool.namespace}/{pool.name}" for pool in pools}

    def known() -> bool:
        return wanted <= {pool["name"] for pool in api.get("/v1/pools")["pools"] if pool["accepts_tasks"]}

    wait_for(known, "the gateway to know the pools", seconds=KNOWN_SECONDS)
    return api
