"""Who a task is: the key, and every id that is derived from it.

``task_key`` hashes pool UID, tenant, task id and canonical body. The same id with the same body is the same task; the
same id with another body is another one, because producers exist that send one constant id with every photo. Ids that
others see are derived, so that a repeated announcement carries the same id and receivers can drop it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from genpool_core.canonical import canonical_json, digest
from genpool_core.jsontypes import JsonObject

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://genpool.dev/ids")
#: Tenant of the tasks that plain producers sent; that of a task from the gateway is its owner.
DEFAULT_TENANT = "default"


@dataclass(frozen=True)
class TaskRef:
    """Which task, in which run. ``task_id`` is the producer's; only ``key`` tells two tasks apart."""

    task_id: str
    key: str
    run: int


def task_key(pool_uid: str, task_id: str, body: JsonObject, *, tenant: str = DEFAULT_TENANT) -> str:
    """Key of a task, 40 hexadecimal characters: safe in object keys, file names and headers."""
    parts = (text.encode(errors="surrogatepass") for text in (pool_uid, tenant, task_id))
    return digest(*parts, canonical_json(body))[:40]


def pool_uid_of(namespace: str, name: str) -> str:
    """UID of a pool that no API server gave one, because it was read from a file: always the same."""
    return str(uuid.uuid5(_NAMESPACE, f"pool/{namespace}/{name}"))


def prompt_id(key: str, run: int, attempt: int) -> str:
    """ComfyUI's ``prompt_id`` of an attempt: a lower-case UUID, so that an unclear submission can be looked up."""
    return str(uuid.uuid5(_NAMESPACE, f"prompt/{key}/{run}/{attempt}"))


def end_id(key: str, run: int) -> str:
    """Id of the event and of the callback (``webhook-id``) that announce the end of a run."""
    return str(uuid.uuid5(_NAMESPACE, f"end/{key}/{run}"))


def accepted_event_id(key: str, run: int) -> str:
    """Id of the event that announces that the gateway accepted a run."""
    return str(uuid.uuid5(_NAMESPACE, f"accepted/{key}/{run}"))


def output_event_id(object_key: str) -> str:
    """Id of the event that announces a stored file; the key has run, attempt and nonce in it."""
    return str(uuid.uuid5(_NAMESPACE, f"output/{object_key}"))


def claim_event_id(key: str, run: int, attempt: int) -> str:
    """Id of the event that announces a claim."""
    return str(uuid.uuid5(_NAMESPACE, f"claim/{key}/{run}/{attempt}"))
