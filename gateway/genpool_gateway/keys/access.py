"""What a caller may do. Pure.

========  ======================================================================
role      may
========  ======================================================================
user      submit to its pools; see, cancel, replay and delete its own tasks
operator  the same with all tasks of its pools, plain producers' too; dead letters; usage of all
admin     the same, and keys and the audit log
========  ======================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genpool_core.messages.base import PoolRef

Role = Literal["user", "operator", "admin"]
ROLES: tuple[Role, ...] = ("user", "operator", "admin")


@dataclass(frozen=True)
class Caller:
    """Who asks."""

    id: str
    """Id of the API key, or of an identity that a proxy names: the owner of what it submits."""
    name: str
    role: Role
    pools: frozenset[str] | None = None
    """``namespace/name`` of its pools; None: all."""
    max_queued: int | None = None
    """Most unfinished tasks; None: no cap."""

    def may_use(self, pool: PoolRef) -> bool:
        """Whether a pool is one of its own."""
        return self.pools is None or f"{pool.namespace}/{pool.name}" in self.pools

    def may_see(self, pool: PoolRef, owner: str | None) -> bool:
        """Whether it may see, cancel, replay and delete a task of a pool and an owner (None: a plain producer)."""
        return self.may_use(pool) and (self.role != "user" or owner == self.id)

    @property
    def sees_all(self) -> bool:
        """Whether it sees other owners' tasks in its pools."""
        return self.role != "user"

    @property
    def is_admin(self) -> bool:
        """Whether it may deal with keys."""
        return self.role == "admin"
