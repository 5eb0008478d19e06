"""The owner of a Kubernetes object. The operator never takes over what it did not create."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from genpool_core import names
from genpool_core.api.pool import ObjectMeta

Ownership = Literal["ours", "previous", "foreign"]
#: Reason of a pool that waits for Kubernetes to remove what a deleted pool of the same name had.
PREVIOUS_POOL = "PreviousPool"


@dataclass(frozen=True)
class OwnerFacts:
    """Labels of an object, and kind and UID of its controller."""

    labels: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    uid: str | None = None


def marked(facts: OwnerFacts, pool: ObjectMeta) -> bool:
    """Whether an object of the pool has all the labels that we gave it, and the pool as its controller.

    Without them watches and lists pass it over, and Kubernetes does not remove it with its pool.
    """
    return facts.uid == pool.uid and _labelled(facts, pool)


def _labelled(facts: OwnerFacts, pool: ObjectMeta) -> bool:
    return all(facts.labels.get(key) == value for key, value in names.pool_labels(pool.name).items())


def ownership(facts: OwnerFacts, pool: ObjectMeta) -> Ownership:
    """``ours``; ``previous``: a deleted pool's, about to be collected; ``foreign``: somebody else's.

    An object of ours that lost its owner (the pool was deleted with ``--cascade=orphan``) is adopted.
    """
    if facts.uid == pool.uid:
        return "ours"
    if facts.kind == names.KIND:
        return "previous"
    return "ours" if facts.uid is None and _labelled(facts, pool) else "foreign"
