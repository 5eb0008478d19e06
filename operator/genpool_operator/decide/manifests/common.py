"""What all objects of a pool share."""

from __future__ import annotations

from genpool_core import names
from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.jsontypes import JsonObject


def metadata(pool: GenerationPool, name: str, annotations: JsonObject | None = None) -> JsonObject:
    """``metadata`` of an object that goes when its pool goes."""
    found: JsonObject = {
        "name": name,
        "namespace": pool.metadata.namespace,
        "labels": {**names.pool_labels(pool.metadata.name)},
        "ownerReferences": [owner_reference(pool.metadata)],
    }
    if annotations:
        found["annotations"] = annotations
    return found


def owner_reference(meta: ObjectMeta, *, controller: bool = True) -> JsonObject:
    """Makes Kubernetes' garbage collector delete the object after the pool, also when no operator runs."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": meta.name,
        "uid": meta.uid,
        "controller": controller,
        "blockOwnerDeletion": False,
    }
