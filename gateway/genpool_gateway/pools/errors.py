"""Why no pool takes a task, or why what was asked of it cannot be done.

::

    GenPoolError
    ├── PoolsUnknown     the pools have not been read yet: ask again
    ├── PoolUnavailable  the pool is there, and takes no task now: ask again when its cause is gone
    ├── BucketNotListed  the gateway may not use the pool's bucket or folder
    └── RefusedTask
        └── NotServed    no pool, or more than one, fits what the task names
"""

from __future__ import annotations

from genpool_core.errors import GenPoolError, RefusedTask
from genpool_core.workerconfig import S3Config, StoreConfig


class PoolsUnknown(GenPoolError):  # noqa: N818 - a state of the gateway
    """The gateway has not read the pools yet; that says nothing about which there are."""

    reason = "PoolsUnknown"


class PoolUnavailable(GenPoolError):  # noqa: N818 - a state of the pool
    """A pool that is there and takes no task now."""

    reason = "PoolUnavailable"


class NotServed(RefusedTask):
    """No pool, or more than one, fits what a task names.

    Reasons: ``PoolUnknown``, ``PoolAmbiguous``, ``WorkflowUnknown``, ``WorkflowAmbiguous``.
    """

    reason = "WorkflowUnknown"


class BucketNotListed(GenPoolError):  # noqa: N818 - what is the case
    """The gateway may not use the pool's bucket or folder."""

    reason = "StoreNotListed"

    @classmethod
    def of(cls, store: StoreConfig, consequence: str) -> BucketNotListed:
        """For a bucket or folder; ``consequence``: what that means, as a clause."""
        return cls(f"{not_listed(store)}: {consequence}. {how_to_list(store)}, and ask again.")


def not_listed(store: StoreConfig) -> str:
    """That the gateway may not use a bucket or folder, as a clause."""
    if isinstance(store, S3Config):
        return f"{store} is not in gateway.stores of the chart"
    return f"{store} is not in the gateway's GENPOOL_FOLDERS"


def how_to_list(store: StoreConfig) -> str:
    """What to do about it, as a clause."""
    return "List it there, with its Secret" if isinstance(store, S3Config) else "Add its path there"
