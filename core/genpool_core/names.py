"""Every name that GenPool gives: Kubernetes objects, labels, queues, exchanges, users. Computed here and nowhere else.

Limits come from the systems: an object name is a DNS-1123 label of 63 characters (a label value too), an AMQP name
has 255 bytes. A name that would be longer keeps its head and ends in a hash of the whole.
"""

from __future__ import annotations

import hashlib
import re

GROUP = "genpool.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "GenerationPool"
PLURAL = "generationpools"
SINGULAR = "generationpool"
SHORT_NAME = "gp"

FIELD_MANAGER = "genpool-operator"
#: Owns only ``spec.replicas: 0`` of a new Deployment, so that a pool at zero starts no pod.
FIELD_MANAGER_INITIAL = "genpool-initial"

LABEL_NAME = "app.kubernetes.io/name"
LABEL_INSTANCE = "app.kubernetes.io/instance"
LABEL_COMPONENT = "app.kubernetes.io/component"
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
LABEL_PART_OF = "app.kubernetes.io/part-of"
#: Labels of all that the operator makes; an object that pools share has no others.
SHARED_LABELS = {LABEL_MANAGED_BY: "genpool-operator", LABEL_PART_OF: "genpool"}
ANNOTATION_CONFIG_HASH = f"{GROUP}/config-hash"
ANNOTATION_SPEC_HASH = f"{GROUP}/spec-hash"
#: Asks the webhook of EKS to give the pod's identity to none of these containers.
ANNOTATION_NO_IDENTITY = "eks.amazonaws.com/skip-containers"
ANNOTATION_IMAGE_DIGEST = f"{GROUP}/comfyui-image-digest"
ANNOTATION_DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"

EVENTS_EXCHANGE = "genpool.events"
CONTROL_EXCHANGE = "genpool.control"
COMMANDS_PREFIX = "genpool.commands."
CALLBACKS_EXCHANGE = "genpool.callbacks"
CALLBACKS_QUEUE = "genpool.callbacks"
CALLBACKS_DEAD_QUEUE = "genpool.callbacks.dead"
#: States of tasks, for the gateway's task store.
GATEWAY_EVENTS_QUEUE = "genpool.gateway.events"
#: What RabbitMQ itself dead-letters from work queues while there is a gateway.
JANITOR_QUEUE = "genpool.janitor"
#: Queues by which each gateway follows progress and previews, each exclusive to its connection, begin so.
WATCH_PREFIX = "genpool.watch."

#: Secrets of a pool's namespace, each with keys for every pool there. Their names are fixed, so that the operator's
#: rights can name them; so are those of RBAC in the chart.
WORKER_LOGINS = "genpool-worker-logins"
CALLBACK_SECRETS = "genpool-callback-secrets"
#: Key of the gateway's Secret: the keys that it signs callbacks with, one a line.
SIGNING_KEYS = "signing-keys"
#: Key of the gateway's Secret: the API key that is there from the beginning, with the role admin.
ADMIN_API_KEY = "admin-api-key"
#: Folder beside it with the hashes of words that begin one session each, and how such words begin.
LOGIN_WORDS = "logins"
LOGIN_WORD_PREFIX = "gpl_"

#: Users of all our programs begin so; whether a user is one of them is told by its whole form.
USER_PREFIX = "genpool"
_WORKER_USER = re.compile(r"genpool\.worker\.([^.]+)\.[0-9a-f]{8}")
_GATEWAY_USER = re.compile(r"genpool\.gateway\.[0-9a-f]{8}")

_LABEL_MAX = 63
_AMQP_MAX = 255
_SECRET_KEY_MAX = 253
_MANAGER_MAX = 128
#: A short string of AMQP: no name of a queue or exchange can be longer.
QUEUE_NAME_BYTES = _AMQP_MAX


def _fit(text: str, limit: int) -> str:
    """``text`` when it fits in ``limit`` bytes, else its head and a hash of the whole. Idempotent."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    digest = hashlib.sha256(raw).hexdigest()[:8]
    return f"{raw[: limit - 9].decode(errors='ignore').rstrip('-.')}-{digest}"


def deployment(pool: str) -> str:
    """Name of the pool's Deployment; room is left for the suffixes of ReplicaSet and Pod."""
    return _fit(f"{pool}-worker", _LABEL_MAX - 17)


def config_map(pool: str) -> str:
    """Name of the ConfigMap with the worker's configuration and the workflows."""
    return _fit(f"{pool}-workflows", _LABEL_MAX)


def pool_manager(pool: str) -> str:
    """Field manager of a pool's keys in the Secrets that it shares: each pool owns its own keys there and no others."""
    return _fit(f"genpool-pool-{pool}", _MANAGER_MAX)


def broker_manager(broker: str) -> str:
    """Field manager of a broker's login in the gateway's Secret."""
    return _fit(f"genpool-broker-{broker}", _MANAGER_MAX)


def login_keys(owner: str) -> tuple[str, str]:
    """Keys of user and password in a Secret with several logins; ``owner``: a pool, or a broker."""
    return _key(owner, ".username"), _key(owner, ".password")


def callback_secret_key(pool: str) -> str:
    """Key of a pool in the Secret with the secrets that sign callbacks."""
    return _key(pool, "")


def _key(owner: str, suffix: str) -> str:
    return f"{_fit(owner, _SECRET_KEY_MAX - len('.username'))}{suffix}"


def pool_labels(pool: str) -> dict[str, str]:
    """Labels of every object of a pool."""
    return {**pool_selector(pool), **SHARED_LABELS}


def pool_selector(pool: str) -> dict[str, str]:
    """Labels that select the pods of a pool. They can never change: a Deployment's selector is immutable."""
    return {
        LABEL_NAME: "genpool-worker",
        LABEL_INSTANCE: _fit(pool, _LABEL_MAX),
        LABEL_COMPONENT: "worker",
    }


def objects_selector() -> str:
    """Selects, as ``kubectl -l`` does, the objects of all pools that the operator makes."""
    common = {key: value for key, value in pool_labels("x").items() if key != LABEL_INSTANCE}
    return ",".join(f"{key}={value}" for key, value in sorted(common.items()))


def selector_text(pool: str) -> str:
    """The selector as ``kubectl -l`` and the scale subresource take it."""
    return ",".join(f"{key}={value}" for key, value in sorted(pool_selector(pool).items()))


def dead_queue(queue: str) -> str:
    """The dead-letter queue of a work queue."""
    return _fit(f"{queue}.dead", _AMQP_MAX)


def retry_step(seconds: int) -> str:
    """Exchange and queue of a delay step: ``genpool.retry.5s``, ``….2m``, ``….1h``."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"genpool.retry.{seconds // size}{unit}"
    return f"genpool.retry.{seconds}s"


def watch_queue(token: str) -> str:
    """Exclusive queue of one gateway; ``token`` is random."""
    return f"{WATCH_PREFIX}{token}"


def work_policy(queue: str) -> str:
    """Policy of a work queue."""
    return _fit(f"genpool.work.{queue}", _AMQP_MAX)


def dead_policy(queue: str) -> str:
    """Policy of a dead-letter queue; ``queue`` is the work queue's name."""
    return _fit(f"genpool.dead.{queue}", _AMQP_MAX)


def worker_user(pool_uid: str, key_id: str) -> str:
    """RabbitMQ user of a pool's workers; ``key_id``: of the operator's key that made its password."""
    return f"{USER_PREFIX}.worker.{pool_uid}.{key_id}"


def gateway_user(key_id: str) -> str:
    """RabbitMQ user of the gateway."""
    return f"{USER_PREFIX}.gateway.{key_id}"


def pool_of_user(user_id: str | None) -> str | None:
    """UID of the pool whose workers a user is of; None where it is another one.

    Any key counts: a message may have waited since before a key was replaced.
    """
    found = None if user_id is None else _WORKER_USER.fullmatch(user_id)
    return None if found is None else found[1]


def is_gateway_user(user_id: str | None) -> bool:
    """Whether a user is one of the gateway's, of any key."""
    return user_id is not None and _GATEWAY_USER.fullmatch(user_id) is not None


def key_of_user(user: str) -> str | None:
    """Id of the key that made a user's password; None where it is neither of workers nor of a gateway."""
    ours = pool_of_user(user) is not None or is_gateway_user(user)
    return user.rpartition(".")[2] if ours else None


def command_queue(pool_uid: str, pod: str) -> str:
    """The exclusive queue over which a worker gets its commands."""
    return _fit(f"{COMMANDS_PREFIX}{pool_uid}.{pod}", _AMQP_MAX)


def command_key(pool_uid: str, pod: str) -> str:
    """Routing key on the control exchange of a command to one worker."""
    return _fit(f"{pool_uid}.{pod}", _AMQP_MAX)


def command_key_of_all(pool_uid: str) -> str:
    """Routing key of a command to all workers of a pool. No pod has this name: a Deployment's have suffixes."""
    return f"{pool_uid}.all"


def event_routing_key(pool_uid: str, event: str) -> str:
    """Routing key on the events exchange: ``<pool uid>.<event type>``, so ``<uid>.#`` is one pool's."""
    return f"{pool_uid}.{event}"
