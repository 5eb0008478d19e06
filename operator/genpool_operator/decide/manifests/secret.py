"""The Secret with the RabbitMQ user of a pool's workers."""

from __future__ import annotations

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.jsontypes import JsonObject
from genpool_operator.decide.manifests.common import metadata

USERNAME_KEY = "username"
PASSWORD_KEY = "password"  # noqa: S105 - the name of a key


def build_secret(pool: GenerationPool, password: str) -> JsonObject:
    """The Secret; ``password`` is made by the caller, once in the life of the pool."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(pool, names.broker_secret(pool.metadata.name)),
        "type": "Opaque",
        "stringData": {
            USERNAME_KEY: names.worker_user(pool.metadata.uid),
            PASSWORD_KEY: password,
        },
    }
