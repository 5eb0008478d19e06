"""What a pool cannot promise while its workers log in to the object store with the identity of their pod.

Clouds give an identity to a pod, not to a container, and for a session, not for ever. Both conditions are about the
spec alone: what the cloud gives to whom shows nowhere in Kubernetes. Neither has a part in Ready, as tasks are done.
"""

from __future__ import annotations

from genpool_core import timing
from genpool_core.api.pool import GenerationPool
from genpool_core.api.storage import S3Spec
from genpool_core.conditions import LINK_LIFETIME_KEPT, STORAGE_ISOLATED, Finding

POD_IDENTITY = "PodIdentity"
_TO_DO = "Name a Secret with keys of the bucket in storage.s3.credentials"


def identity_findings(pool: GenerationPool) -> tuple[Finding, Finding]:
    """The conditions StorageIsolated and LinkLifetimeKept."""
    s3 = pool.spec.storage.s3
    if s3 is None:
        message = "The pool has no bucket: see Accepted."
        return (
            Finding(STORAGE_ISOLATED, "Unknown", "NoBucket", message),
            Finding(LINK_LIFETIME_KEPT, "Unknown", "NoBucket", message),
        )
    return _isolated(pool, s3), _links(s3)


def _isolated(pool: GenerationPool, s3: S3Spec) -> Finding:
    keys = s3.credentials
    if keys is not None:
        message = f"Secret {keys.name} with the bucket's keys is mounted in the worker's container alone."
        return Finding(STORAGE_ISOLATED, "True", "WorkerOnly", message)
    who = "custom nodes and graphs of tasks" if pool.spec.security.allow_graphs else "custom nodes"
    message = (
        "storage.s3.credentials is not set, so workers use the identity of their pod, and ComfyUI may have it too: "
        f"{who} can then read, change and delete what it may in the bucket. GenPool asks EKS to leave ComfyUI out; "
        f"other clouds give it to the whole pod. {_TO_DO}, or run an image whose nodes you trust."
    )
    return Finding(STORAGE_ISOLATED, "False", POD_IDENTITY, message)


def _links(s3: S3Spec) -> Finding:
    promised = s3.url_ttl_seconds
    if s3.credentials is not None:
        message = f"Signed links are valid for {promised} s, as long as the keys that sign them."
        return Finding(LINK_LIFETIME_KEPT, "True", "KeysLast", message)
    if promised <= timing.IDENTITY_LINK_SECONDS:
        message = (
            f"Signed links are valid for {promised} s: the session of a pod identity is renewed "
            f"{timing.IDENTITY_LINK_SECONDS} s before its end."
        )
        return Finding(LINK_LIFETIME_KEPT, "True", "SessionLasts", message)
    message = (
        f"storage.s3.urlTTLSeconds promises links of {promised} s, which a pod identity cannot keep: a link dies with "
        f"the session that signed it, {timing.IDENTITY_LINK_SECONDS} s later or, early in a session, at its end, "
        f"after {timing.IDENTITY_SESSION_SECONDS} s for the role of a service account (IRSA). {_TO_DO}, or set "
        f"urlTTLSeconds to {timing.IDENTITY_LINK_SECONDS} and have receivers fetch results at once."
    )
    return Finding(LINK_LIFETIME_KEPT, "False", POD_IDENTITY, message)
