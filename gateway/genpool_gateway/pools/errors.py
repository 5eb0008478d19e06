"""Why no pool takes a task, or why what was asked of it cannot be done.

::

    GenPoolError
    ├── PoolsUnknown     the pools have not been read yet: ask again
    ├── PoolUnavailable  the pool is there, and takes no task now: ask again when its cause is gone
    ├── BucketNotListed  the gateway may not use the pool's bucket
    └── RefusedTask
        └── NotServed    no pool, or more than one, fits what the task names
"""

from __future__ import annotations

from genpool_core.errors import GenPoolError, RefusedTask
from genpool_core.workerconfig import S3Config


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
    """The gateway may not use the pool's bucket."""

    reason = "StoreNotListed"

    @classmethod
    def of(cls, s3: S3Config, consequence: str) -> BucketNotListed:
        """For a bucket; ``consequence``: what that means, as a clause."""
        where = s3.endpoint or f"AWS region {s3.region}"
        return cls(
            f"bucket {s3.bucket} at {where} is not in gateway.stores of the chart: {consequence}. List it there, with "
            "its Secret, and ask again."
        )
