"""The Secret with the RabbitMQ user of a pool's workers."""

from __future__ import annotations

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.jsontypes import JsonObject
from genpool_core.podlayout import BROKER_PASSWORD, BROKER_USERNAME
from genpool_operator.decide.manifests.common import metadata


def build_secret(pool: GenerationPool, password: str) -> JsonObject:
    """The Secret; ``password`` is made by the caller, once in the life of the pool."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(pool, names.broker_secret(pool.metadata.name)),
        "type": "Opaque",
        "stringData": {
            BROKER_USERNAME: names.worker_user(pool.metadata.uid),
            BROKER_PASSWORD: password,
        },
    }
